use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

/// Pieces of every text that is read, to be put together in ways that no program does.
const PIECES: &[&str] = &[
    "ImageJ=1.54f\n",
    "images=",
    "slices=3\n",
    "frames=",
    "order=zct\n",
    "c0=-32768\n",
    "finterval=0.1\n",
    "fps=",
    "unit=um\n",
    "<OME UUID='a'>",
    "<Image>",
    "<Pixels SizeT='3' ",
    "SizeC='18446744073709551615'",
    ">",
    "/>",
    "</Pixels>",
    "</Image>",
    "</OME>",
    "<TiffData IFD='0' PlaneCount='9999999'>",
    "<UUID FileName='x'>a</UUID>",
    "<Plane TheT='1' TheZ='0' TheC='0' DeltaT='nan'/>",
    "<!DOCTYPE a [<!ENTITY b '&b;'>]>",
    "<![CDATA[",
    "<!--",
    "&b;",
    "<?xml",
    "'",
    "\"",
    "{\"shape\": [3, 4, 4]",
    ", \"axes\": \"TYX\"",
    "{\"Slices\":",
    "{\"Axes\":{\"time\":",
    "[[[[[[[[",
    "{\"a\":",
    "}",
    "]",
    ":",
    ",",
    "SI.hFastZ.enable = true\n",
    "SI.hStackManager.numSlices = ",
    "SI.hChannels.channelSave = [1;2]\n",
    "SI.hScan2D.logAverageFactor = ",
    "SI.hRoiManager.imagingFovUm = [0 0;1 0;",
    "state.acq.frameRate=",
    "<PVScan>",
    "<Sequence type='ZSeries'>",
    "<Frame>",
    "<File filename='a'/>",
    "0",
    "-1",
    "7",
    "1e999",
    "18446744073709551615",
    "nan",
    "µ",
    "\u{fffd}",
    "\n",
    " ",
    "\0",
];

proptest! {
    #[test]
    fn no_text_breaks_a_reader(text in "\\PC{0,400}") {
        parse_all(&text);
    }

    #[test]
    fn no_order_of_familiar_pieces_breaks_a_reader(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..50)) {
        let metadata = parse_all(&pieces.concat());
        let plausible = |stated: &Option<Stated<f64>>| stated.as_ref().is_none_or(|s| s.value.is_finite() && s.value > 0.0);
        prop_assert!(plausible(&metadata.frame_rate_hz) && plausible(&metadata.pixel_size_um));
    }
}

/// Texts as long as those of real recordings, of the sorts that make careless readers slow or deep.
#[test]
fn long_texts_take_little_time() {
    let fill = |head: &str, piece: &str| head.to_owned() + &piece.repeat((1 << 20) / piece.len());
    let texts = [
        fill("ImageJ=1\n", "a=\n"),
        fill("ImageJ=1\n", "slices="),
        fill("", "SI.hRoiManager.scanFrameRate = \n"),
        fill("SI.hChannels.channelSave = ", "1;"),
        fill("<OME>", "<a>"),
        fill("<OME>", "<!--"),
        fill("<OME ", "a='' "),
        fill("<OME><Image><Pixels SizeT='9'>", "<TiffData IFD='0' PlaneCount='9'/>"),
        fill("<OME><Image><Pixels SizeT='9'>", "<TiffData><UUID FileName='a'/></TiffData>"),
        fill("<OME><Image><Pixels>", "<Image><Pixels><TiffData IFD='0'/></Pixels></Image>"),
        fill("<OME><Image><Pixels>", "<Plane TheT='1' TheZ='0' TheC='0' DeltaT='1'/>"),
        fill("<!DOCTYPE a [", "<!ENTITY a '&a;&a;'>"),
        fill("<OME a='", "&amp;"),
        fill("<PVScan><Sequence>", "<Frame><File filename='a'/></Frame>"),
        fill("<PVScan>", "<Sequence><Frame><File filename='a'/></Frame></Sequence>"),
        fill("{\"shape\": ", "["),
        fill("{\"shape\": [", "9,"),
        fill("{\"AxisOrder\": ", "{\"a\":"),
        fill("{\"AxisOrder\": [", "\"z\","),
    ];
    for text in texts {
        let start = Instant::now();
        parse_all(&text);
        let took = start.elapsed();
        assert!(took < Duration::from_secs(10), "{took:?} for {}…", &text[..60]);
    }
}

fn stating(rate: f64, planes: usize, field: &str) -> Metadata {
    Metadata {
        frame_rate_hz: Some(Stated::new(rate, field)),
        planes: Some(Stated::new(planes, field)),
        flyback: 1,
        ..Metadata::default()
    }
}

#[test]
fn of_two_statements_the_first_wins_and_the_difference_is_noted() {
    let metadata = Metadata::of_all(vec![stating(30.0, 3, "A"), stating(20.0, 4, "B")]);
    assert_eq!((metadata.frame_rate_hz.unwrap().value, metadata.planes.unwrap().value), (30.0, 3));
    assert_eq!(metadata.notes.len(), 2, "{:?}", metadata.notes);
    assert!(metadata.notes[0].contains("A says `3` and B says `4`"));
}

#[test]
fn what_cannot_be_leaves_room_for_what_can() {
    let metadata = Metadata::of_all(vec![stating(1e9, 3, "A"), stating(20.0, 3, "B")]);
    assert_eq!(metadata.frame_rate_hz.unwrap().field, "B");
    assert!(metadata.notes[0].contains("cannot be"));
}

#[test]
fn axes_come_from_one_statement_as_a_whole() {
    let channels_only = Metadata { channels: Some(Stated::new(2, "A")), ..Metadata::default() };
    let metadata = Metadata::of_all(vec![channels_only, stating(20.0, 3, "B")]);
    assert_eq!((metadata.planes, metadata.flyback), (None, 0));
}
