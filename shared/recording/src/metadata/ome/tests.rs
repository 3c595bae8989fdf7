use std::fmt::Write as _;

use super::*;

/// As Bio-Formats writes: `own` is this file's identifier, `inside` the children of `Pixels`.
fn ome(own: &str, pixels: &str, inside: &str) -> Metadata {
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><!-- Warning -->\
         <OME xmlns=\"http://www.openmicroscopy.org/Schemas/OME/2016-06\" UUID=\"urn:uuid:{own}\"><Image ID=\"Image:0\">\
         <Pixels ID=\"Pixels:0\" SizeX=\"4\" SizeY=\"4\" Type=\"uint16\" {pixels}>{inside}</Pixels></Image></OME>"
    );
    parse(&text).unwrap()
}

fn sizes(metadata: &Metadata) -> [Option<usize>; 3] {
    [&metadata.frames, &metadata.planes, &metadata.channels].map(|axis| axis.as_ref().map(|stated| stated.value))
}

/// `TiffData` of one page each, by place (channel, plane, time) and file.
fn listed(pages: &[([usize; 3], usize, &str)]) -> String {
    pages.iter().fold(String::new(), |mut text, ([c, z, t], ifd, file)| {
        let _ = write!(
            text,
            "<TiffData FirstC=\"{c}\" FirstZ=\"{z}\" FirstT=\"{t}\" IFD=\"{ifd}\" PlaneCount=\"1\">\
             <UUID FileName=\"{file}.ome.tif\">urn:uuid:{file}</UUID></TiffData>"
        );
        text
    })
}

const ZCT: [Axis; 3] = [Axis::Plane, Axis::Channel, Axis::Time];

#[test]
fn pixels_state_axes_and_units() {
    let metadata = ome(
        "a",
        "DimensionOrder=\"XYZCT\" SizeC=\"2\" SizeT=\"9\" SizeZ=\"3\" TimeIncrement=\"20\" TimeIncrementUnit=\"ms\" \
         PhysicalSizeX=\"650\" PhysicalSizeXUnit=\"nm\"",
        "<TiffData/>",
    );
    assert_eq!((sizes(&metadata), metadata.order), ([Some(9), Some(3), Some(2)], ZCT));
    assert_eq!((metadata.frame_rate_hz.unwrap().value, metadata.pixel_size_um.unwrap().value), (50.0, 0.65));
    assert_eq!((metadata.notes, metadata.set), (vec![], None));
}

#[test]
fn samples_of_one_pixel_are_not_channels_of_their_own() {
    let metadata =
        ome("a", "SizeC=\"6\" SizeT=\"2\" SizeZ=\"1\"", "<Channel SamplesPerPixel=\"3\"/><Channel SamplesPerPixel=\"3\"/>");
    assert_eq!(sizes(&metadata)[2], Some(2));
}

#[test]
fn time_stamps_of_one_view_make_a_rate() {
    let mut planes = String::new();
    for t in 0..9 {
        for c in 0..2 {
            // The second channel comes later, and one time point late.
            let seconds = f64::from(t) * 0.25 + f64::from(c) * 0.1 + if t == 5 { 0.05 } else { 0.0 };
            let _ = write!(planes, "<Plane TheC=\"{c}\" TheT=\"{t}\" TheZ=\"0\" DeltaT=\"{seconds}\"/>");
        }
    }
    let metadata = ome("a", "SizeC=\"2\" SizeT=\"9\" SizeZ=\"1\"", &planes);
    let rate = metadata.frame_rate_hz.unwrap();
    assert!((rate.value - 4.0).abs() < 1e-9, "{}", rate.value);
    assert_eq!(rate.field, "OME Plane DeltaT (median difference)");
    let ms = "<Plane TheC=\"0\" TheT=\"0\" TheZ=\"0\" DeltaT=\"0\" DeltaTUnit=\"ms\"/>\
              <Plane TheC=\"0\" TheT=\"1\" TheZ=\"0\" DeltaT=\"20\" DeltaTUnit=\"ms\"/>";
    assert_eq!(ome("a", "SizeT=\"2\"", ms).frame_rate_hz.unwrap().value, 50.0);
}

#[test]
fn the_list_of_pages_wins_over_the_stated_order() {
    let mut pages = Vec::new();
    for page in 0..12 {
        pages.push(([page / 3 % 2, page % 3, page / 6], page, "a"));
    }
    let metadata = ome("a", "DimensionOrder=\"XYCZT\" SizeC=\"2\" SizeT=\"2\" SizeZ=\"3\"", &listed(&pages));
    assert_eq!((sizes(&metadata), metadata.order), ([Some(2), Some(3), Some(2)], ZCT));
    assert!(metadata.notes[0].contains("another order"), "{:?}", metadata.notes);
    // The same, where it is what is stated.
    let metadata = ome("a", "DimensionOrder=\"XYZCT\" SizeC=\"2\" SizeT=\"2\" SizeZ=\"3\"", &listed(&pages));
    assert_eq!((metadata.order, metadata.notes), (ZCT, vec![]));
}

#[test]
fn pages_in_disorder_are_noted_and_read_as_they_follow() {
    let pages = [([0, 0, 0], 0, "a"), ([0, 0, 2], 1, "a"), ([0, 0, 1], 2, "a")];
    let metadata = ome("a", "DimensionOrder=\"XYCZT\" SizeC=\"1\" SizeT=\"3\" SizeZ=\"1\"", &listed(&pages));
    assert_eq!(sizes(&metadata), [Some(3), Some(1), Some(1)]);
    assert!(metadata.notes[0].contains("no regular order"), "{:?}", metadata.notes);
    let gap = [([0, 0, 0], 0, "a"), ([0, 0, 1], 2, "a")];
    assert!(ome("a", "SizeT=\"2\"", &listed(&gap)).notes[0].contains("no regular order"));
}

#[test]
fn blocks_of_many_pages_are_followed_in_the_stated_order() {
    let blocks = "<TiffData IFD=\"0\" PlaneCount=\"6\"/><TiffData IFD=\"6\" FirstT=\"3\" PlaneCount=\"4\"/>";
    let metadata = ome("a", "DimensionOrder=\"XYCZT\" SizeC=\"2\" SizeT=\"5\" SizeZ=\"1\"", blocks);
    assert_eq!((sizes(&metadata), metadata.notes), ([Some(5), Some(1), Some(2)], vec![]));
}

#[test]
fn a_file_of_a_set_in_time_counts_its_own_time_points() {
    let mut pages = Vec::new();
    for t in 0..10 {
        for z in 0..2 {
            let (file, first) = if t < 6 { ("a", 0) } else { ("b", 6) };
            pages.push(([0, z, t], (t - first) * 2 + z, file));
        }
    }
    // The list may come in any order.
    pages.reverse();
    for (own, frames) in [("a", 6), ("b", 4)] {
        let metadata = ome(own, "DimensionOrder=\"XYCZT\" SizeC=\"1\" SizeT=\"10\" SizeZ=\"2\"", &listed(&pages));
        assert_eq!(sizes(&metadata), [Some(frames), Some(2), Some(1)], "{own}");
        assert_eq!(metadata.frames.unwrap().field, "OME TiffData");
        assert_eq!(metadata.set.unwrap().files, ["a.ome.tif", "b.ome.tif"]);
    }
}

#[test]
fn a_file_of_a_set_in_colour_has_one_channel() {
    let pages: Vec<_> = (0..8).map(|p| ([p % 2, 0, p / 2], p / 2, ["a", "b"][p % 2])).collect();
    let metadata = ome("b", "DimensionOrder=\"XYCZT\" SizeC=\"2\" SizeT=\"4\" SizeZ=\"1\"", &listed(&pages));
    assert_eq!(sizes(&metadata), [Some(4), Some(1), Some(1)]);
}

#[test]
fn of_a_set_whose_file_is_not_known_only_volumes_are_believed() {
    let pages: Vec<_> = (0..8).map(|t| ([0, 0, t], t % 4, ["a", "b"][t / 4])).collect();
    let metadata = ome("other", "SizeC=\"1\" SizeT=\"8\" SizeZ=\"1\"", &listed(&pages));
    assert_eq!(sizes(&metadata), [None, Some(1), Some(1)]);
    assert_eq!(metadata.set.unwrap().files.len(), 2);
}

#[test]
fn of_several_images_the_one_in_this_file_counts() {
    let image = |t: usize, file: &str| {
        let pages: Vec<_> = (0..t).map(|t| ([0, 0, t], t, file)).collect();
        format!("<Image><Pixels SizeC=\"1\" SizeZ=\"1\" SizeT=\"{t}\">{}</Pixels></Image>", listed(&pages))
    };
    let text = format!("<OME UUID=\"urn:uuid:b\">{}{}{}</OME>", image(3, "a"), image(5, "b"), image(7, "c"));
    let metadata = parse(&text).unwrap();
    assert_eq!((sizes(&metadata)[0], &metadata.set), (Some(5), &None));
    assert!(metadata.notes[0].contains("`3` images"));
}

#[test]
fn a_file_that_another_describes_names_it() {
    let text = "<OME UUID=\"urn:uuid:b\"><BinaryOnly MetadataFile=\"x/session.companion.ome\" UUID=\"urn:uuid:c\"/></OME>";
    let metadata = parse(text).unwrap();
    assert_eq!(metadata.set.unwrap().described_in.unwrap(), "session.companion.ome");
    assert_eq!(metadata.frames, None);
}

#[test]
fn a_text_cut_short_still_states_its_sizes() {
    let whole = "<OME><Image><Pixels DimensionOrder=\"XYCZT\" SizeC=\"1\" SizeZ=\"2\" SizeT=\"90\">".to_owned()
        + &listed(&(0..9).map(|p| ([0, p % 2, p / 2], p, "a")).collect::<Vec<_>>());
    for end in [whole.len(), whole.len() - 30, whole.len() - 200] {
        let metadata = parse(&whole[..end]).unwrap();
        assert_eq!((sizes(&metadata), metadata.notes), ([Some(90), Some(2), Some(1)], vec![]), "{end}");
    }
}

#[test]
fn claims_of_endless_pages_end() {
    let metadata = ome(
        "a",
        "SizeC=\"1\" SizeZ=\"1\" SizeT=\"18446744073709551615\"",
        "<TiffData IFD=\"0\" PlaneCount=\"18446744073709551615\"/>",
    );
    assert_eq!(sizes(&metadata)[1], Some(1));
    let far = "<TiffData IFD=\"0\" FirstT=\"18446744073709551615\" FirstZ=\"18446744073709551615\" PlaneCount=\"9\"/>";
    assert!(ome("a", "SizeT=\"3\"", far).notes[0].contains("no regular order"));
}
