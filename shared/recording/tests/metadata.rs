//! What files state about themselves, and what wins where statements differ.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::io::Cursor;

use common::{Tiff, open_bytes};
use dropscope_recording::{Info, Limits, Overrides, Source, open};

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
