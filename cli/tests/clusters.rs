//! Clusters and the indicator, as a user meets them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use dropscope_testkit::movie::Scene;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn dropscope(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_dropscope")).args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn recording(folder: &Path) -> PathBuf {
    let file = folder.join("fish.tif");
    let scene = Scene { height: 96, width: 104, frames: 400, cells: 16, groups: 2, ..Scene::default() };
    scene.generate().unwrap().write_tiff(std::io::BufWriter::new(std::fs::File::create(&file).unwrap())).unwrap();
    file
}

fn table(file: &Path) -> Vec<BTreeMap<String, String>> {
    let all = std::fs::read_to_string(file).unwrap();
    let mut lines = all.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    let head = lines.next().unwrap();
    lines.map(|row| head.iter().cloned().zip(row).collect()).collect()
}

#[test]
fn the_cells_of_all_planes_are_in_one_list_of_clusters() {
    let dir = tempfile::tempdir().unwrap();
    let (file, out) = (recording(dir.path()), dir.path().join("out"));
    let done =
        dropscope(&["segment", file.to_str().unwrap(), "--planes", "2", "--clusters", "2", "--out", out.to_str().unwrap()]);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    let clusters = table(&out.join("clusters.csv"));
    assert!(clusters.iter().any(|row| row["plane"] == "0") && clusters.iter().any(|row| row["plane"] == "1"));
    for (row, clustered) in clusters.iter().enumerate() {
        assert_eq!(clustered["order"], (row + 1).to_string());
    }
    let of_roi: BTreeMap<String, String> =
        table(&out.join("rois.csv")).into_iter().map(|row| (row["roi"].clone(), row["cluster"].clone())).collect();
    assert!(clusters.iter().all(|row| of_roi[&row["roi"]] == row["cluster"]));
    assert_eq!(of_roi.values().filter(|cluster| !cluster.is_empty()).count(), clusters.len());
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(out.join("clusters.json")).unwrap()).unwrap();
    assert_eq!((json["cells"].as_u64(), json["by"].as_str()), (Some(clusters.len() as u64), Some("correlation")));
    assert!(out.join("figure_plane1.png").is_file() && out.join("covariance.npy").is_file());
}

#[test]
fn the_number_of_clusters_may_be_chosen_and_what_chose_it_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let (file, out) = (recording(dir.path()), dir.path().join("out"));
    let args = ["segment", file.to_str().unwrap(), "--clusters", "auto", "--indicator", "gcamp6F", "--json", "--out"];
    let done = dropscope(&[&args[..], &[out.to_str().unwrap()]].concat());
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    let read = |name: &str| -> serde_json::Value { serde_json::from_slice(&std::fs::read(out.join(name)).unwrap()).unwrap() };
    let clusters = read("clusters.json");
    let best = clusters["silhouettes"].as_array().unwrap().iter().max_by(|a, b| {
        a["mean"]
            .as_f64()
            .unwrap()
            .total_cmp(&b["mean"].as_f64().unwrap())
            .then(b["clusters"].as_u64().cmp(&a["clusters"].as_u64()))
    });
    assert_eq!(clusters["clusters"], best.unwrap()["clusters"]);
    let report: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(report["clusters"], clusters["clusters"]);
    let plan = &read("provenance.json")["plan"];
    assert_eq!((plan["clusters"]["value"].as_str(), plan["tau_s"]["value"].as_f64()), (Some("auto"), Some(0.7)));
    assert!(plan["tau_s"]["source"].as_str().unwrap().contains("Chen et al. 2013"), "{plan}");
}

#[test]
fn words_that_no_setting_knows_are_refused_with_those_it_does() {
    let dir = tempfile::tempdir().unwrap();
    let file = recording(dir.path());
    for (option, word, known) in [
        ("--indicator", "GCaMP99", "OGB-1"),
        ("--clusters", "many", "1 to 100 or auto"),
        ("--clusters", "101", "1 to 100 or auto"),
        ("--clusters", "-1", "1 to 100 or auto"),
        ("--cluster-by", "colour", "covariance or correlation"),
        ("--rise", "6", "0 to 5"),
    ] {
        let done = dropscope(&["validate", file.to_str().unwrap(), option, word]);
        let said = text(&done.stderr) + &text(&done.stdout);
        assert_eq!(done.status.code(), Some(2), "{option} {word}");
        assert!(said.contains(known), "{option} {word}: {said}");
    }
}
