//! What files state about themselves, and what wins where statements differ.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::io::Cursor;

use common::{Tiff, open_bytes};
use dropscope_recording::{Info, Limits, Overrides, Source, open};
use proptest::prelude::*;

fn info_with(tiff: &Tiff, overrides: &Overrides) -> Info {
    let recording = open(Box::new(Cursor::new(tiff.bytes())), &Limits::default(), overrides);
    recording.unwrap().info().clone()
}

fn described(pages: usize, description: &str) -> Info {
    info_with(&Tiff::counting(pages, 4, 4).described(description), &Overrides::default())
}

fn shape(info: &Info) -> (usize, usize, usize) {
    (info.frames, info.planes, info.channels)
}

#[test]
fn tifffile_s_imagej_interval_and_pixel_size_are_read() {
    let file = include_bytes!("fixtures/u16_imagej.tif");
    let recording = open_bytes(file.to_vec()).unwrap();
    let info = recording.info();
    // Written as finterval 0.05 s and 2 pixels per µm.
    assert_eq!((info.frame_rate_hz, info.pixel_size_um), (Some(20.0), Some(0.5)));
    assert_eq!(info.sources["frame_rate_hz"].to_string(), "metadata: ImageJ finterval");
}

#[test]
fn units_of_time_are_converted() {
    for (unit, hz) in [("sec", Some(4.0)), ("ms", Some(4000.0)), ("min", Some(4.0 / 60.0)), ("fortnight", None)] {
        let info = described(3, &format!("ImageJ=1.54f\nimages=3\nframes=3\nfinterval=0.25\ntunit={unit}\n"));
        assert_eq!(info.frame_rate_hz, hz, "{unit}");
    }
}

#[test]
fn an_interval_that_is_no_time_is_no_rate() {
    for interval in ["0", "-1", "nan", "inf", "soon", "1e-400"] {
        let info = described(3, &format!("ImageJ=1.54f\nimages=3\nframes=3\nfinterval={interval}\n"));
        assert_eq!(info.frame_rate_hz, None, "{interval}");
        assert!(!info.sources.contains_key("frame_rate_hz"));
    }
}

#[test]
fn imagej_axes_are_channel_then_plane_then_time() {
    let file = Tiff::counting(24, 4, 4).described("ImageJ=1.54f\nimages=24\nchannels=2\nslices=3\nframes=4\n");
    let recording = open_bytes(file.bytes()).unwrap();
    assert_eq!(shape(recording.info()), (4, 3, 2));
    assert_eq!(recording.page_of(3, 2, 1), Some(23));
    assert_eq!(recording.page_of(1, 2, 0), Some(6 + 4));
}

#[test]
fn slices_without_time_points_are_time_for_every_channel() {
    let info = described(10, "ImageJ=1.54f\nimages=10\nchannels=2\nslices=5\n");
    assert_eq!(shape(&info), (5, 1, 2));
    assert!(info.notes[0].contains("slices are read as time points"));
}

#[test]
fn stated_planes_win_over_slices_read_as_time() {
    let tiff = Tiff::counting(12, 4, 4).described("ImageJ=1.54f\nimages=12\nslices=12\nfinterval=0.1\n");
    let planes = Overrides { planes: Some(3), ..Overrides::default() };
    let info = info_with(&tiff, &planes);
    assert_eq!(shape(&info), (4, 3, 1));
    // A volume of three slices takes three times as long.
    assert!((info.frame_rate_hz.unwrap() - 10.0 / 3.0).abs() < 1e-12);
    assert!(info.notes.iter().any(|n| n.contains("Hz")), "{:?}", info.notes);
}

#[test]
fn channels_recorded_together_do_not_slow_scanimage() {
    let tiff = Tiff::counting(12, 4, 4).described("SI.hRoiManager.scanFrameRate = 30.5\nSI.hChannels.channelSave = 1\n");
    let channels = Overrides { channels: Some(2), ..Overrides::default() };
    let info = info_with(&tiff, &channels);
    assert_eq!((shape(&info), info.frame_rate_hz), ((6, 1, 2), Some(30.5)));
}

#[test]
fn fast_z_without_planes_is_noted() {
    let info = described(4, "SI.hRoiManager.scanFrameRate = 30\nSI.hFastZ.enable = true\n");
    assert!(info.notes[0].contains("several planes"));
}

#[test]
fn saved_channels_of_scanimage_are_counted() {
    let info = described(8, "SI.hRoiManager.scanFrameRate = 30\nSI.hChannels.channelSave = [1;2]\n");
    assert_eq!(shape(&info), (4, 1, 2));
}

#[test]
fn a_claim_that_does_not_fit_is_noted_and_not_followed() {
    let more = described(3, "ImageJ=1.54f\nimages=200\nframes=200\n");
    assert_eq!(shape(&more), (3, 1, 1));
    assert!(more.notes.iter().any(|n| n.contains("`200` pages")), "{:?}", more.notes);
    let planes = described(3, "ImageJ=1.54f\nimages=3\nslices=5\nframes=2\n");
    assert_eq!(shape(&planes), (3, 1, 1));
    assert!(planes.notes.iter().any(|n| n.contains("ignored")), "{:?}", planes.notes);
}

#[test]
fn ome_states_axes_rate_and_pixel_size() {
    let ome = r#"<?xml version="1.0"?><OME><Image><Pixels DimensionOrder="XYZTC" SizeC="2" SizeT="3" SizeX="4" SizeY="4"
        SizeZ="1" TimeIncrement="50" TimeIncrementUnit="ms" PhysicalSizeX="650" PhysicalSizeXUnit="nm" Type="uint16"></Pixels>"#;
    let recording = open_bytes(Tiff::counting(6, 4, 4).described(ome).bytes()).unwrap();
    let info = recording.info();
    assert_eq!(shape(info), (3, 1, 2));
    assert_eq!((info.frame_rate_hz, info.pixel_size_um), (Some(20.0), Some(0.65)));
    // Time before channel: the second channel starts after all time points of the first.
    assert_eq!(recording.page_of(1, 0, 1), Some(4));
}

#[test]
fn tifffile_s_shape_is_just_pages() {
    let info = described(6, "{\"shape\": [3, 2, 4, 4]}");
    assert_eq!(shape(&info), (6, 1, 1));
    assert_eq!(info.sources["frames"], Source::Counted);
}

#[test]
fn nothing_stated_is_one_plane_one_channel_no_rate() {
    let info = info_with(&Tiff::counting(3, 4, 5), &Overrides::default());
    assert_eq!((shape(&info), info.height, info.width), ((3, 1, 1), 4, 5));
    assert_eq!((info.frame_rate_hz, info.pixel_size_um), (None, None));
    assert_eq!(info.sources["planes"], Source::Assumed);
    assert_eq!(info.notes, Vec::<String>::new());
}

#[test]
fn info_survives_json() {
    let info = described(10, "ImageJ=1.54f\nimages=10\nchannels=2\nslices=5\nfinterval=0.1\n");
    let json = serde_json::to_value(&info).unwrap();
    assert_eq!(json["dtype"], "uint16");
    assert_eq!(json["sources"]["channels"], "metadata: ImageJ channels");
    assert_eq!(serde_json::from_value::<Info>(json).unwrap(), info);
    for source in [Source::Settings, Source::Assumed, Source::Counted, Source::Metadata("a: b".to_owned())] {
        assert_eq!(Source::from(String::from(source.clone())), source);
    }
}

#[test]
fn hostile_descriptions_change_nothing_but_axes() {
    for text in [
        "ImageJ=",
        "ImageJ=1\nimages=-5\nslices=18446744073709551616\nframes=0\nchannels=x\n",
        "<OME <Pixels",
        "<OME><Pixels SizeT=\"",
        "<OME><Pixels SizeT=\u{fffd}3\u{fffd} SizeZ='99999999999999999999'>",
        "{\"shape\": [",
        "{\"shape\": [18446744073709551615, 18446744073709551615, 4, 4], \"truncated\": true}",
        "SI.hRoiManager.scanFrameRate = \nSI.hChannels.channelSave = ;;;\n",
    ] {
        assert_eq!(shape(&described(3, text)), (3, 1, 1), "{text}");
    }
}

fn fixture(bytes: &[u8], overrides: &Overrides) -> dropscope_recording::Recording {
    open(Box::new(Cursor::new(bytes.to_vec())), &Limits::default(), overrides).unwrap()
}

/// The page that each time point of a plane and channel is read from; sample of page p is p in these fixtures.
fn samples(recording: &dropscope_recording::Recording, plane: usize, channel: usize) -> Vec<f32> {
    let mut out = vec![0.0; 6 * 8];
    let frames = recording.frames(plane, channel).map(|frame| frame.unwrap());
    let first = frames.map(|frame| {
        frame.write_f32(&mut out);
        out[0]
    });
    first.collect()
}

#[test]
fn tifffile_s_ome_order_and_time_stamps_are_read() {
    let recording = fixture(include_bytes!("fixtures/metadata/ome_deltat.ome.tif"), &Overrides::default());
    let info = recording.info().clone();
    assert_eq!((shape(&info), info.frame_rate_hz, info.pixel_size_um), ((4, 3, 2), Some(8.0), Some(0.8)));
    assert_eq!(info.sources["frame_rate_hz"].to_string(), "metadata: OME Plane DeltaT (median difference)");
    assert_eq!(samples(&recording, 2, 1), [5.0, 11.0, 17.0, 23.0]);
}

#[test]
fn tifffile_s_axes_have_their_meaning() {
    let recording = fixture(include_bytes!("fixtures/metadata/shaped_axes.tif"), &Overrides::default());
    let info = recording.info().clone();
    assert_eq!((shape(&info), info.frame_rate_hz, info.pixel_size_um), ((4, 3, 2), Some(5.0), Some(0.5)));
    assert_eq!(info.sources["planes"].to_string(), "metadata: tifffile axes");
    assert_eq!(samples(&recording, 2, 1), [5.0, 11.0, 17.0, 23.0]);
}

#[test]
fn axes_of_tifffile_that_mean_nothing_here_are_noted() {
    for (axes, frames) in [("QYX", 6), ("IYX", 6), ("AYX", 6), ("TYXS", 6), ("YXT", 6)] {
        let info = described(6, &format!("{{\"shape\": [6, 4, 4], \"axes\": \"{axes}\", \"fps\": \"12\"}}"));
        assert_eq!((shape(&info), info.frame_rate_hz), ((frames, 1, 1), Some(12.0)), "{axes}");
        assert_eq!(info.notes.iter().any(|n| n.contains("axes")), !matches!(axes, "QYX" | "IYX"), "{axes}");
    }
    let slow_planes = described(6, "{\"shape\": [2, 3, 4, 4], \"axes\": \"ZTYX\"}");
    assert_eq!(shape(&slow_planes), (3, 2, 1));
}

#[test]
fn the_way_back_of_the_objective_is_left_out() {
    let file = include_bytes!("fixtures/metadata/scanimage_volumes.tif");
    let recording = fixture(file, &Overrides::default());
    let info = recording.info().clone();
    assert_eq!((shape(&info), info.pages), ((5, 3, 2), 40));
    assert_eq!((info.frame_rate_hz, info.pixel_size_um), (Some(10.125), Some(10.0)));
    assert_eq!(info.sources["frame_rate_hz"].to_string(), "metadata: ScanImage SI.hRoiManager.scanVolumeRate");
    assert_eq!(samples(&recording, 2, 1), [5.0, 13.0, 21.0, 29.0, 37.0]);
    assert_eq!(recording.page_of(0, 3, 0), None);
    assert!(info.notes.iter().any(|n| n.contains("flew back")), "{:?}", info.notes);
}

#[test]
fn the_way_back_counts_as_planes_where_the_owner_says_so() {
    let file = include_bytes!("fixtures/metadata/scanimage_volumes.tif");
    let all = fixture(file, &Overrides { planes: Some(4), ..Overrides::default() });
    // The volumes are the same, so their rate is.
    assert_eq!((shape(all.info()), all.info().frame_rate_hz), ((5, 4, 2), Some(10.125)));
    assert_eq!(samples(&all, 3, 0), [6.0, 14.0, 22.0, 30.0, 38.0]);
    let same = fixture(file, &Overrides { planes: Some(3), ..Overrides::default() });
    assert_eq!((shape(same.info()), same.info().frame_rate_hz), ((5, 3, 2), Some(10.125)));
}

#[test]
fn volumes_without_the_way_back_are_told_by_the_number_of_pages() {
    let text = "SI.hRoiManager.scanVolumeRate = 9\nSI.hFastZ.enable = true\nSI.hStackManager.numSlices = 4\n\
                SI.hFastZ.numDiscardFlybackFrames = 2\n";
    for (pages, expected) in [(12, (2, 4, 1)), (18, (3, 4, 1)), (24, (4, 4, 1)), (20, (5, 4, 1)), (19, (3, 4, 1))] {
        let info = described(pages, text);
        assert_eq!((shape(&info), info.frame_rate_hz), (expected, Some(9.0)), "{pages} {:?}", info.notes);
    }
}

#[test]
fn micro_manager_s_pages_tell_what_its_summary_does_not() {
    let recording = fixture(include_bytes!("fixtures/metadata/micromanager_pages.tif"), &Overrides::default());
    let info = recording.info().clone();
    assert_eq!((shape(&info), info.frame_rate_hz, info.pixel_size_um), ((4, 3, 2), Some(4.0), Some(0.65)));
    assert_eq!(info.sources["frame_rate_hz"].to_string(), "metadata: Micro-Manager ElapsedTime-ms of the first pages");
    assert_eq!(samples(&recording, 1, 1), [4.0, 10.0, 16.0, 22.0]);
    assert!(info.notes.iter().any(|n| n.contains("`12` bits")), "{:?}", info.notes);
}

#[test]
fn of_two_descriptions_in_one_directory_both_count() {
    let recording = fixture(include_bytes!("fixtures/metadata/micromanager_ome.ome.tif"), &Overrides::default());
    let info = recording.info().clone();
    // The axes by OME-XML, the pixel by ImageJ's text with Micro-Manager's pixels per cm.
    assert_eq!(shape(&info), (4, 3, 2));
    assert!((info.pixel_size_um.unwrap() - 0.65).abs() < 1e-6);
    assert_eq!(info.sources["planes"].to_string(), "metadata: OME SizeZ");
    assert_eq!(info.sources["pixel_size_um"].to_string(), "metadata: TIFF XResolution and ResolutionUnit");
    assert_eq!(samples(&recording, 2, 0), [2.0, 8.0, 14.0, 20.0]);
    assert_eq!(info.notes, Vec::<String>::new());
}

#[test]
fn planes_of_metamorph_follow_one_another_without_directories() {
    let recording = fixture(include_bytes!("fixtures/metadata/metamorph.stk"), &Overrides::default());
    let info = recording.info().clone();
    assert_eq!((shape(&info), info.frame_rate_hz, info.pixel_size_um), ((5, 1, 1), Some(25.0), Some(1.3)));
    assert_eq!(info.sources["frame_rate_hz"].to_string(), "metadata: MetaMorph UIC2");
    assert_eq!(samples(&recording, 0, 0), [0.0, 1.0, 2.0, 3.0, 4.0]);
}

/// A file of `frames` frames of 64 x 64, whose first frame's samples are `start` and stand right after the header.
fn beginning_with(start: &[u8], big: bool, frames: usize) -> Tiff {
    let mut tiff = Tiff::counting(frames, 64, 64);
    tiff.big = big;
    tiff.frames[0][0][..start.len()].copy_from_slice(start);
    tiff
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

#[test]
fn scanimage_s_text_before_the_first_page_is_read() {
    let text = b"SI.hRoiManager.scanFrameRate = 31\nSI.hChannels.channelSave = [1;2]\n";
    for version in [3, 4] {
        let header = [&words(&[117_637_889, version, text.len() as u32, 0])[..], text].concat();
        let info = info_with(&beginning_with(&header, true, 6), &Overrides::default());
        assert_eq!((shape(&info), info.frame_rate_hz), ((3, 1, 2), Some(31.0)));
    }
    // Lengths beyond the file or the limit are no text.
    for length in [u32::MAX, 1 << 22, 100_000] {
        let header = [&words(&[117_637_889, 3, length, length])[..], text].concat();
        assert_eq!(info_with(&beginning_with(&header, true, 6), &Overrides::default()).frame_rate_hz, None);
    }
}

#[test]
fn scanimage_s_time_stamps_make_a_rate_where_none_is_stated() {
    let tiff = Tiff::counting(6, 4, 4).described("frameTimestamps_sec = 0.0\nSI.hChannels.channelSave = 1\n");
    // All pages of this writer say the same: the clock stands still.
    assert_eq!(info_with(&tiff, &Overrides::default()).frame_rate_hz, None);
    let file = fixture(include_bytes!("fixtures/metadata/scanimage_stamps.tif"), &Overrides::default());
    assert!((file.info().frame_rate_hz.unwrap() - 12.5).abs() < 1e-9);
    assert_eq!(file.info().sources["frame_rate_hz"].to_string(), "metadata: ScanImage frameTimestamps_sec of the first pages");
}

#[test]
fn summaries_in_the_header_are_read_where_either_format_keeps_them() {
    let json = br#"{"Slices":1,"Frames":9,"Channels":2,"Interval_ms":100,"PixelSize_um":0.5}"#;
    let length = json.len() as u32;
    // The samples begin at byte 8.
    let micro_manager = [&words(&[54_773_648, 0, 483_765_892, 0, 99_384_722, 0, 2_355_492, length])[..], json].concat();
    let ndtiff_2 = [&words(&[483_729, 2, 2_355_492, length])[..], json].concat();
    let ndtiff_3 = [&words(&[483_729, 3, 3, 2_355_492, length])[..], json].concat();
    for start in [micro_manager, ndtiff_2, ndtiff_3] {
        let info = info_with(&beginning_with(&start, false, 6), &Overrides::default());
        assert_eq!((shape(&info), info.frame_rate_hz, info.pixel_size_um), ((3, 1, 2), Some(10.0), Some(0.5)));
        assert!(info.notes.iter().any(|n| n.contains("`9` time points")), "{:?}", info.notes);
    }
    let endless = [&words(&[483_729, 2, 2_355_492, u32::MAX])[..], json].concat();
    assert_eq!(shape(&info_with(&beginning_with(&endless, false, 6), &Overrides::default())), (6, 1, 1));
}

#[test]
fn rates_and_pixels_that_cannot_be_are_not_stated() {
    let info = described(3, "ImageJ=1.54f\nimages=3\nframes=3\nfinterval=0.000001\n");
    assert_eq!(info.frame_rate_hz, None);
    assert!(!info.sources.contains_key("frame_rate_hz") && info.notes[0].contains("cannot be"), "{:?}", info.notes);
    let ome = "<OME><Image><Pixels SizeT=\"3\" PhysicalSizeX=\"5\" PhysicalSizeXUnit=\"m\" TimeIncrement=\"1\" \
               TimeIncrementUnit=\"d\"/></Image></OME>";
    let info = described(3, ome);
    assert_eq!((info.frame_rate_hz, info.pixel_size_um, info.notes.len()), (None, None, 2));
}

#[test]
fn imagej_s_speed_of_play_is_a_rate_of_last_resort() {
    let info = described(3, "ImageJ=1.54f\nimages=3\nframes=3\nfps=7.5\nloop=false\n");
    assert_eq!((info.frame_rate_hz, info.sources["frame_rate_hz"].to_string()), (Some(7.5), "metadata: ImageJ fps".to_owned()));
    assert!(info.notes[0].contains("plays"));
    let both = described(3, "ImageJ=1.54f\nimages=3\nframes=3\nfps=7.5\nfinterval=0.1\n");
    assert_eq!((both.frame_rate_hz, both.notes.len()), (Some(10.0), 0));
}

#[test]
fn a_last_volume_that_is_missing_leaves_the_order() {
    let text = "ImageJ=1.54f\nimages=11\nchannels=2\nslices=2\nframes=3\norder=zct\n";
    let recording = open_bytes(Tiff::counting(11, 4, 4).described(text).bytes()).unwrap();
    assert_eq!(shape(recording.info()), (2, 2, 2));
    assert_eq!([recording.page_of(0, 1, 0), recording.page_of(0, 0, 1), recording.page_of(1, 1, 1)], [Some(1), Some(2), Some(7)]);
    // Where time is not slowest the places of all pages depend on their number.
    let ome = "<OME><Image><Pixels DimensionOrder=\"XYTZC\" SizeT=\"3\" SizeZ=\"2\" SizeC=\"2\"/></Image></OME>";
    assert!(described(11, ome).notes.iter().any(|n| n.contains("is assumed")));
}

#[test]
fn a_file_of_a_set_says_so() {
    let block = |t: usize, file: &str| {
        format!("<TiffData FirstT=\"{t}\" IFD=\"{}\"><UUID FileName=\"{file}\">urn:{file}</UUID></TiffData>", t % 3)
    };
    let blocks: String = (0..9).map(|t| block(t, ["a.ome.tif", "b.ome.tif", "c.ome.tif"][t / 3])).collect();
    let ome =
        format!("<OME UUID=\"urn:b.ome.tif\"><Image><Pixels SizeT=\"9\" SizeZ=\"1\" SizeC=\"1\">{blocks}</Pixels></Image></OME>");
    let info = described(3, &ome);
    assert_eq!((shape(&info), info.sources["frames"].to_string()), ((3, 1, 1), "metadata: OME TiffData".to_owned()));
    assert!(info.notes[0].contains("`3` files, from `a.ome.tif` to `c.ome.tif`"), "{:?}", info.notes);
    assert_eq!(info.notes.len(), 1);
    let elsewhere = described(3, "<OME><BinaryOnly MetadataFile=\"x.companion.ome\" UUID=\"u\"/></OME>");
    assert!(elsewhere.notes[0].contains("`x.companion.ome`"));
}

/// Files that programs wrote; they may not be copied here.
#[test]
fn files_of_real_programs_are_understood() {
    let odd = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/odd");
    if !odd.is_dir() {
        eprintln!("skipped: `{}` is missing, the folder of files that other programs wrote", odd.display());
        return;
    }
    let info = |name: &str| {
        let file = std::fs::File::open(odd.join(name)).unwrap();
        open(Box::new(file), &Limits::default(), &Overrides::default()).unwrap().info().clone()
    };
    let scanimage = info("tiffstack/TS_UnitTestImage_BigTIFF.tif");
    // The field is 61.3125 µm wide, rounded by ScanImage.
    assert_eq!((shape(&scanimage), scanimage.frame_rate_hz), ((3, 1, 1), Some(30.012)));
    assert!((scanimage.pixel_size_um.unwrap() - 61.3125 / 512.0).abs() < 1e-6);
    assert_eq!(scanimage.sources["frame_rate_hz"].to_string(), "metadata: ScanImage SI.hRoiManager.scanFrameRate");
    let ndtiff = info("ndtiff_11bit/ndtiff3.2_11bit_NDTiffStack.tif");
    assert_eq!((shape(&ndtiff), ndtiff.pixel_size_um), ((10, 1, 1), Some(1.0)));
    // Exposures of 10 ms; the median of the ten received times by NumPy.
    assert!((ndtiff.frame_rate_hz.unwrap() - 97.256_968).abs() < 1e-3, "{:?}", ndtiff.frame_rate_hz);
    assert!(ndtiff.notes.iter().any(|n| n.contains("`11` bits")));
    let ome = info("exampletiffs_ome/multi-channel-time-series.ome.tif");
    assert_eq!((shape(&ome), ome.notes.len()), ((7, 1, 3), 0), "{:?}", ome.notes);
    assert_eq!(shape(&info("exampletiffs_ome/time-series.ome.tif")), (7, 1, 1));
}

/// Every fixture of a program's metadata.
const FIXTURES: [&[u8]; 7] = [
    include_bytes!("fixtures/metadata/ome_deltat.ome.tif"),
    include_bytes!("fixtures/metadata/shaped_axes.tif"),
    include_bytes!("fixtures/metadata/scanimage_volumes.tif"),
    include_bytes!("fixtures/metadata/scanimage_stamps.tif"),
    include_bytes!("fixtures/metadata/micromanager_pages.tif"),
    include_bytes!("fixtures/metadata/micromanager_ome.ome.tif"),
    include_bytes!("fixtures/metadata/metamorph.stk"),
];

proptest! {
    #[test]
    fn damaged_metadata_are_read_or_refused(which in 0..FIXTURES.len(), changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12)) {
        let mut file = FIXTURES[which].to_vec();
        for (at, byte) in changes {
            let at = at.index(file.len());
            file[at] = byte;
        }
        if let Ok(recording) = open_bytes(file) {
            let info = recording.info();
            let last = recording.page_of(info.frames - 1, info.planes - 1, info.channels - 1);
            prop_assert!(last.is_some_and(|page| page < info.pages));
            prop_assert!(info.frame_rate_hz.is_none_or(|hz| hz.is_finite() && hz > 0.0));
        }
    }
}
