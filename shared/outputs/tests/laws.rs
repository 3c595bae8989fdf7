//! Laws of the files as a whole.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::collections::BTreeMap;

use dropscope_outputs::{
    OutputError, PictureError, RunMeta, figure_svg, gray_png, plane_figure_svg, rasterize, render_all, robust_range, write_folder,
};
use dropscope_segmentation::{ClusterBy, SegmentedRecording, Silhouette};
use ndarray::Array2;
use proptest::prelude::*;
use support::{joined, meta, planted, scene, session};

fn files(meta: &RunMeta, recording: &SegmentedRecording) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    render_all::<OutputError>(meta, &session(), recording, |path, contents| {
        let mut bytes = Vec::new();
        contents.write_to(&mut bytes).unwrap();
        assert!(all.insert(path.to_owned(), bytes).is_none(), "{path} came twice");
        Ok(())
    })
    .expect("every file can be made");
    all
}

fn text(all: &BTreeMap<String, Vec<u8>>, name: &str) -> String {
    String::from_utf8(all[name].clone()).unwrap()
}

fn small() -> SegmentedRecording {
    planted(&scene(64, 72, 60, 6))
}

fn without_cells() -> SegmentedRecording {
    planted(&scene(64, 72, 20, 0))
}

#[test]
fn every_file_name_is_relative_and_stays_inside() {
    for name in files(&meta(), &joined(&[small(), small()])).keys() {
        assert!(!name.starts_with('/') && !name.contains("..") && !name.contains('\\'), "{name}");
    }
}

#[test]
fn one_plane_gives_exactly_the_promised_files() {
    let names: Vec<String> = files(&meta(), &small()).into_keys().collect();
    assert_eq!(
        names,
        [
            "clusters.csv",
            "clusters.json",
            "covariance.npy",
            "figure.png",
            "figure.svg",
            "pixels.csv",
            "rois.csv",
            "segmentation.nwb",
            "suite2p/plane0/F.npy",
            "suite2p/plane0/Fneu.npy",
            "suite2p/plane0/db.npy",
            "suite2p/plane0/detect_outputs.npy",
            "suite2p/plane0/iscell.npy",
            "suite2p/plane0/ops.npy",
            "suite2p/plane0/reg_outputs.npy",
            "suite2p/plane0/settings.npy",
            "suite2p/plane0/spks.npy",
            "suite2p/plane0/stat.npy",
            "traces.csv",
        ]
    );
}

#[test]
fn the_figure_of_several_planes_shows_them_all_and_each_has_its_own() {
    let all = files(&meta(), &joined(&[without_cells(), small(), small()]));
    let figure = |name: &str| text(&all, &format!("{name}.svg"));
    let outlines = |svg: &str| svg.matches("<path fill=\"#").count();
    let images = |svg: &str| svg.matches("<image ").count();
    for (name, cells, pictures) in [("figure", 12, 2 * 3 + 2), ("figure_plane1", 6, 2 + 2), ("figure_plane0", 0, 2)] {
        assert_eq!((outlines(&figure(name)), images(&figure(name))), (cells, pictures), "{name}");
    }
    assert!(figure("figure").contains("3 planes") && figure("figure_plane2").contains("plane 3 of 3"));
    assert!(!all.contains_key("figure_plane3.png"));
}

#[test]
fn a_cluster_has_one_number_and_one_colour_in_all_planes() {
    let recording = joined(&[small(), small()]);
    let all = files(&meta(), &recording);
    let rows: Vec<Vec<String>> =
        text(&all, "rois.csv").lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect();
    for (position, member) in recording.clustering.members.iter().enumerate() {
        let row = rows.iter().find(|r| r[1] == member.plane.to_string() && r[2] == member.roi.to_string()).unwrap();
        assert_eq!(row[13], (recording.clustering.labels[position] + 1).to_string());
    }
    // Both planes are the same cells, so their pictures of the cells are the same, colours included.
    let outlines = |plane: usize| -> Vec<String> {
        let svg = plane_figure_svg(&meta(), &recording, plane).unwrap();
        svg.lines().filter(|line| line.starts_with("<path fill=\"#")).map(str::to_owned).collect()
    };
    assert_eq!(outlines(0), outlines(1));
    let colours: std::collections::BTreeSet<String> = outlines(0).iter().map(|path| path[..19].to_owned()).collect();
    assert_eq!(colours.len(), recording.clustering.in_use());
}

#[test]
fn the_table_of_clusters_is_one_list_in_the_order_of_the_matrix() {
    let recording = joined(&[small(), without_cells(), small()]);
    let c = &recording.clustering;
    let all = files(&meta(), &recording);
    let table = text(&all, "clusters.csv");
    for ((row, line), &position) in table.lines().skip(1).enumerate().zip(&c.order) {
        let member = c.members[position];
        let roi = if member.plane == 0 { member.roi } else { 6 + member.roi };
        assert_eq!(line, format!("{roi},{},{},{},{}", member.plane, member.roi, c.labels[position] + 1, row + 1));
    }
    let matrix = &all["covariance.npy"];
    let entry = |i: usize, j: usize| {
        let at = matrix.len() - 4 * 144 + 4 * (12 * i + j);
        f32::from_le_bytes(matrix[at..at + 4].try_into().unwrap())
    };
    assert_eq!(entry(1, 11), c.covariance[[c.order[1], c.order[11]]] as f32);
    assert_eq!(entry(3, 3), c.covariance[[c.order[3], c.order[3]]] as f32);
}

#[test]
fn what_the_silhouettes_said_is_kept() {
    let mut recording = small();
    recording.clustering.by = ClusterBy::Correlation;
    recording.clustering.silhouettes = vec![Silhouette { k: 2, mean: 0.25 }, Silhouette { k: 3, mean: 0.5 }];
    let all = files(&meta(), &recording);
    let json: serde_json::Value = serde_json::from_slice(&all["clusters.json"]).unwrap();
    assert_eq!((&json["by"], &json["cells"], &json["chosen_by_silhouette"]), (&"correlation".into(), &6.into(), &true.into()));
    assert_eq!(json["silhouettes"][1], serde_json::json!({ "clusters": 3, "mean": 0.5 }));
    assert_eq!(json["sizes"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).sum::<u64>(), 6);
    assert!(text(&all, "figure.svg").contains("Correlation of 6 cells"));
    let fixed: serde_json::Value = serde_json::from_slice(&files(&meta(), &small())["clusters.json"]).unwrap();
    assert_eq!((&fixed["chosen_by_silhouette"], fixed["silhouettes"].as_array().unwrap().len()), (&false.into(), 0));
}

#[test]
fn of_more_cells_than_the_matrix_has_columns_all_are_drawn() {
    let mut recording = small();
    let c = &mut recording.clustering;
    c.references = vec![0, 2, 4];
    c.covariance = Array2::from_shape_fn((6, 3), |(i, j)| c.covariance[[i, 2 * j]]);
    let all = files(&meta(), &recording);
    assert!(!all.contains_key("covariance.npy"));
    assert!(all["figure.png"].starts_with(b"\x89PNG"));
    assert_eq!(text(&all, "clusters.csv").lines().count(), 7);
}

#[test]
fn same_result_same_bytes() {
    assert_eq!(files(&meta(), &small()), files(&meta(), &small()));
}

#[test]
fn a_folder_holds_the_rendered_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let recording = small();
    write_folder(dir.path(), &meta(), &session(), &recording).unwrap();
    for (name, bytes) in files(&meta(), &recording) {
        assert_eq!(std::fs::read(dir.path().join(&name)).unwrap(), bytes, "{name}");
    }
}

#[test]
fn an_error_of_the_sink_stops_and_comes_back() {
    let mut calls = 0;
    let result = render_all::<OutputError>(&meta(), &session(), &small(), |_, _| {
        calls += 1;
        Err(OutputError::NoPlanes)
    });
    assert!(matches!(result, Err(OutputError::NoPlanes)));
    assert_eq!(calls, 1);
}

#[test]
fn a_contradictory_result_is_refused_not_written() {
    let mut missing_roi = small();
    missing_roi.planes[0].rois.pop();
    let result = render_all(&meta(), &session(), &missing_roi, |_, _| Ok(()));
    assert!(matches!(result, Err(OutputError::Inconsistent { .. })));
    let mut stray_member = small();
    stray_member.clustering.members[0].roi = 99;
    let mut stray_plane = small();
    stray_plane.clustering.members[0].plane = 1;
    let mut short_label = small();
    short_label.clustering.labels.pop();
    for contradiction in [stray_member, stray_plane, short_label] {
        let result = render_all(&meta(), &session(), &contradiction, |_, _| Ok(()));
        assert!(matches!(result, Err(OutputError::Clusters { .. })));
    }
    let none = SegmentedRecording { planes: Vec::new(), ..without_cells() };
    assert!(matches!(plane_figure_svg(&meta(), &small(), 1), Err(OutputError::NoPlanes)));
    let result = render_all(&meta(), &session(), &none, |_, _| Ok(()));
    assert!(matches!(result, Err(OutputError::NoPlanes)));
}

#[test]
fn the_figure_survives_no_cells() {
    let all = files(&meta(), &without_cells());
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
        let png = rasterize(&figure_svg(&meta(), &planted(&odd)).unwrap()).unwrap();
        assert!(png.starts_with(b"\x89PNG"), "{height} × {width}");
    }
}

#[test]
fn an_assumed_frame_rate_is_called_assumed() {
    let assumed = RunMeta { frame_rate_assumed: true, ..meta() };
    assert!(figure_svg(&assumed, &small()).unwrap().contains("15 Hz (assumed)"));
    assert!(!figure_svg(&meta(), &small()).unwrap().contains("assumed"));
}

#[test]
fn names_in_greek_and_cyrillic_are_drawn() {
    let drawn = |name: &str| {
        let named = RunMeta { name: name.to_owned(), ..meta() };
        rasterize(&figure_svg(&named, &without_cells()).unwrap()).unwrap()
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
    for (name, bytes) in files(&meta(), &joined(&[small(), without_cells(), small()])) {
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
    let all = files(&meta(), &joined(&[small(), small()]));
    let table = text(&all, "rois.csv");
    let rows: Vec<&str> = table.lines().skip(1).collect();
    assert!(rows[0].starts_with("0,0,0,") && rows[6].starts_with("6,1,0,"));
    assert!(text(&all, "traces.csv").lines().next().unwrap().ends_with(",roi_11"));
}

/// ΔF/F of a doubled cell over steady surround is 1: arithmetic by hand.
#[test]
fn traces_hold_the_relative_change() {
    let mut recording = small();
    let seg = &mut recording.planes[0];
    seg.f.fill(100.0);
    seg.fneu.fill(50.0);
    seg.f[[0, 10]] = 200.0;
    let table = text(&files(&meta(), &recording), "traces.csv");
    let row: Vec<&str> = table.lines().nth(11).unwrap().split(',').collect();
    assert_eq!(&row[..3], ["0.666667", "1", "0"]);
}

#[test]
fn a_baseline_below_zero_has_no_relative_change() {
    let mut recording = small();
    recording.planes[0].f.mapv_inplace(|v| v - 32768.0);
    let table = text(&files(&meta(), &recording), "traces.csv");
    assert_eq!(table.lines().nth(1).unwrap(), "0.000000,,,,,,");
    assert!(figure_svg(&meta(), &recording).unwrap().contains("of noise"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// usvg parses XML strictly: whatever people call their files, the figure stays well formed.
    #[test]
    fn any_name_gives_a_well_formed_figure(name in any::<String>()) {
        let odd = RunMeta { name, ..meta() };
        let mut tiny = scene(16, 16, 2, 0);
        tiny.motion_px = 0.0;
        prop_assert!(rasterize(&figure_svg(&odd, &planted(&tiny)).unwrap()).is_ok());
    }
}
