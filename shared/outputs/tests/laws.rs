//! Laws of the files as a whole.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::collections::BTreeMap;

use dropscope_outputs::{
    OutputError, PictureError, RunMeta, figure_svg, gray_png, rasterize, render_all, robust_range, write_folder,
};
use dropscope_segmentation::Segmentation;
use ndarray::Array2;
use proptest::prelude::*;
use support::{meta, planted, scene};

fn files(meta: &RunMeta, planes: &[Segmentation]) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    render_all::<OutputError>(meta, planes, |path, bytes| {
        assert!(all.insert(path.to_owned(), bytes).is_none(), "{path} came twice");
        Ok(())
    })
    .expect("every file can be made");
    all
}

fn text(all: &BTreeMap<String, Vec<u8>>, name: &str) -> String {
    String::from_utf8(all[name].clone()).unwrap()
}

fn small() -> Segmentation {
    planted(&scene(64, 72, 60, 6))
}

fn without_cells() -> Segmentation {
    planted(&scene(64, 72, 20, 0))
}

#[test]
fn every_file_name_is_relative_and_stays_inside() {
    for name in files(&meta(), &[small(), small()]).keys() {
        assert!(!name.starts_with('/') && !name.contains("..") && !name.contains('\\'), "{name}");
    }
}

#[test]
fn one_plane_gives_exactly_the_promised_files() {
    let names: Vec<String> = files(&meta(), &[small()]).into_keys().collect();
    assert_eq!(
        names,
        [
            "clusters.csv",
            "figure.png",
            "figure.svg",
            "pixels.csv",
            "rois.csv",
            "suite2p/plane0/F.npy",
            "suite2p/plane0/Fneu.npy",
            "suite2p/plane0/iscell.npy",
            "suite2p/plane0/ops.npy",
            "suite2p/plane0/spks.npy",
            "suite2p/plane0/stat.npy",
            "traces.csv",
        ]
    );
}

#[test]
fn the_figure_of_several_planes_is_the_one_with_most_cells() {
    let all = files(&meta(), &[without_cells(), small()]);
    assert_eq!(all["figure.png"], all["figure_plane1.png"]);
    assert_ne!(all["figure.png"], all["figure_plane0.png"]);
}

#[test]
fn same_result_same_bytes() {
    assert_eq!(files(&meta(), &[small()]), files(&meta(), &[small()]));
}

#[test]
fn a_folder_holds_the_rendered_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let planes = [small()];
    write_folder(dir.path(), &meta(), &planes).unwrap();
    for (name, bytes) in files(&meta(), &planes) {
        assert_eq!(std::fs::read(dir.path().join(&name)).unwrap(), bytes, "{name}");
    }
}

#[test]
fn an_error_of_the_sink_stops_and_comes_back() {
    let mut calls = 0;
    let result = render_all::<OutputError>(&meta(), &[small()], |_, _| {
        calls += 1;
        Err(OutputError::NoPlanes)
    });
    assert!(matches!(result, Err(OutputError::NoPlanes)));
    assert_eq!(calls, 1);
}

#[test]
fn a_contradictory_result_is_refused_not_written() {
    let mut missing_roi = small();
    missing_roi.rois.pop();
    let mut stray_member = small();
    stray_member.clustering.members[0] = 99;
    let mut short_label = small();
    short_label.clustering.labels.pop();
    for seg in [missing_roi, stray_member, short_label] {
        let result = render_all(&meta(), &[seg], |_, _| Ok(()));
        assert!(matches!(result, Err(OutputError::Inconsistent { .. })));
    }
    let result = render_all(&meta(), &[], |_, _| Ok(()));
    assert!(matches!(result, Err(OutputError::NoPlanes)));
}

#[test]
fn the_figure_survives_no_cells() {
    let all = files(&meta(), &[without_cells()]);
    let svg = String::from_utf8(all["figure.svg"].clone()).unwrap();
    assert!(svg.contains("No cells were found in this recording."));
    assert!(all["figure.png"].starts_with(b"\x89PNG"));
}

#[test]
fn the_figure_survives_one_cell_and_odd_shapes() {
    for (height, width, frames, cells) in [(40, 40, 30, 1), (24, 154, 2, 2), (154, 24, 1, 1)] {
        let mut odd = scene(height, width, frames, cells);
        odd.motion_px = 0.0;
        odd.radius_px = 3.0;
        let png = rasterize(&figure_svg(&meta(), 0, 1, &planted(&odd)).unwrap()).unwrap();
        assert!(png.starts_with(b"\x89PNG"), "{height} × {width}");
    }
}

#[test]
fn an_assumed_frame_rate_is_called_assumed() {
    let assumed = RunMeta { frame_rate_assumed: true, ..meta() };
    assert!(figure_svg(&assumed, 0, 1, &small()).unwrap().contains("15 Hz (assumed)"));
    assert!(!figure_svg(&meta(), 0, 1, &small()).unwrap().contains("assumed"));
}

#[test]
fn names_in_greek_and_cyrillic_are_drawn() {
    let drawn = |name: &str| {
        let named = RunMeta { name: name.to_owned(), ..meta() };
        rasterize(&figure_svg(&named, 0, 1, &without_cells()).unwrap()).unwrap()
    };
    assert_ne!(drawn("жук"), drawn("рак"));
    assert_ne!(drawn("πρώτο"), drawn("δεύτε"));
}

#[test]
fn a_frame_without_pixels_is_an_error_not_a_panic() {
    let none = Array2::<f32>::zeros((0, 5));
    assert!(matches!(gray_png(&none, 0.0, 1.0), Err(PictureError::Size { .. })));
}

#[test]
fn a_grey_png_decodes_to_the_stretched_values() {
    let image = Array2::from_shape_vec((2, 3), vec![0.0, 5.0, 10.0, 20.0, -3.0, f32::NAN]).unwrap();
    let bytes = gray_png(&image, 0.0, 10.0).unwrap();
    let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    assert_eq!((info.width, info.height), (3, 2));
    assert_eq!(pixels, [0, 128, 255, 255, 0, 0]);
}

#[test]
fn the_robust_range_ignores_outliers_and_what_is_no_number() {
    let mut image = Array2::from_shape_fn((10, 100), |(_, x)| x as f32);
    image[[0, 0]] = 1e9;
    image[[0, 1]] = f32::NAN;
    let (low, high) = robust_range(&image, 0.01, 0.99);
    assert!(low <= 1.0 && high <= 99.0, "{low} {high}");
    assert_eq!(robust_range(&Array2::from_elem((2, 2), f32::NAN), 0.0, 1.0), (0.0, 1.0));
}

#[test]
fn every_row_of_a_table_has_as_many_fields_as_its_header() {
    let planes = [small(), without_cells(), small()];
    for (name, bytes) in files(&meta(), &planes) {
        if !name.ends_with(".csv") {
            continue;
        }
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.ends_with("\r\n"), "{name}");
        let fields = |line: &str| line.split(',').count();
        let header = fields(text.lines().next().unwrap());
        assert!(text.lines().all(|l| fields(l) == header), "{name}");
    }
}

#[test]
fn rois_of_later_planes_count_on() {
    let all = files(&meta(), &[small(), small()]);
    let table = text(&all, "rois.csv");
    let rows: Vec<&str> = table.lines().skip(1).collect();
    assert!(rows[0].starts_with("0,0,0,") && rows[6].starts_with("6,1,0,"));
    assert!(text(&all, "traces.csv").lines().next().unwrap().ends_with(",roi_11"));
}

/// ΔF/F of a doubled cell over steady surround is 1: arithmetic by hand.
#[test]
fn traces_hold_the_relative_change() {
    let mut seg = small();
    seg.f.fill(100.0);
    seg.fneu.fill(50.0);
    seg.f[[0, 10]] = 200.0;
    let table = text(&files(&meta(), &[seg]), "traces.csv");
    let row: Vec<&str> = table.lines().nth(11).unwrap().split(',').collect();
    assert_eq!(&row[..3], ["0.666667", "1", "0"]);
}

#[test]
fn a_baseline_below_zero_has_no_relative_change() {
    let mut seg = small();
    seg.f.mapv_inplace(|v| v - 32768.0);
    let table = text(&files(&meta(), std::slice::from_ref(&seg)), "traces.csv");
    assert_eq!(table.lines().nth(1).unwrap(), "0.000000,,,,,,");
    assert!(figure_svg(&meta(), 0, 1, &seg).unwrap().contains("of noise"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// usvg parses XML strictly: whatever people call their files, the figure stays well formed.
    #[test]
    fn any_name_gives_a_well_formed_figure(name in any::<String>()) {
        let odd = RunMeta { name, ..meta() };
        let mut tiny = scene(16, 16, 2, 0);
        tiny.motion_px = 0.0;
        prop_assert!(rasterize(&figure_svg(&odd, 0, 1, &planted(&tiny)).unwrap()).is_ok());
    }
}
