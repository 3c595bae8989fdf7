//! The program as a user meets it.
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

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A generated recording with its frame rate in the metadata (15 Hz).
fn recording(folder: &Path, name: &str) -> PathBuf {
    let file = folder.join(name);
    let scene = Scene { height: 64, width: 72, frames: 120, cells: 6, groups: 2, ..Scene::default() };
    scene.generate().unwrap().write_tiff(std::io::BufWriter::new(std::fs::File::create(&file).unwrap())).unwrap();
    file
}

/// Every file below a folder, by its name, without those that tell the time.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let entry = entry.unwrap().path();
            let name = entry.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
            if entry.is_dir() {
                folders.push(entry);
            } else {
                found.insert(name, std::fs::read(&entry).unwrap());
            }
        }
    }
    found
}

#[test]
fn an_accepted_recording_is_described_in_json() {
    let dir = tempfile::tempdir().unwrap();
    let out = dropscope(&["validate", path(&recording(dir.path(), "fish.tif")), "--tau", "0.7"]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    let report: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    for (field, value) in [
        ("verdict", serde_json::json!("accepted")),
        ("cause", serde_json::Value::Null),
        ("remedy", serde_json::Value::Null),
        ("frames", 120.into()),
        ("height", 64.into()),
        ("width", 72.into()),
        ("planes", 1.into()),
        ("channels", 1.into()),
        ("dtype", "uint16".into()),
    ] {
        assert_eq!(report[field], value, "{field}");
    }
    assert!((report["frame_rate_hz"].as_f64().unwrap() - 15.0).abs() < 1e-3);
    assert!(report["sources"]["frame_rate_hz"].as_str().unwrap().contains("ImageJ"), "{report}");
    assert!(report["needs"]["memory_mib"].as_u64().unwrap() > 0);
    assert_eq!(report["plan"]["tau_s"]["source"], "settings");
}

#[test]
fn bad_input_is_exit_code_2_with_cause_and_remedy() {
    let dir = tempfile::tempdir().unwrap();
    let whole = std::fs::read(recording(dir.path(), "whole.tif")).unwrap();
    let cases: [(&str, Vec<u8>); 4] = [
        ("empty.tif", Vec::new()),
        ("cut.tif", whole[..whole.len() - 1000].to_vec()),
        ("photo.tif", b"\xff\xd8\xff\xe0\0\x10JFIF\0".to_vec()),
        ("text.tif", b"hello".to_vec()),
    ];
    for (name, bytes) in cases {
        let file = dir.path().join(name);
        std::fs::write(&file, bytes).unwrap();
        let out = dropscope(&["validate", path(&file)]);
        assert_eq!(out.status.code(), Some(2), "{name}");
        let report: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
        assert_eq!(report["verdict"], "rejected", "{name}");
        assert!(!report["cause"].as_str().unwrap().is_empty() && !report["remedy"].as_str().unwrap().is_empty(), "{name}");
        let results = dir.path().join("results");
        let out = dropscope(&["run", path(&file), "--out", path(&results)]);
        assert_eq!(out.status.code(), Some(2), "{name}");
        let said = text(&out.stderr);
        assert!(said.contains(": "), "{name}: {said}");
        assert!(!results.exists(), "{name}: a rejected recording leaves nothing");
    }
    let out = dropscope(&["validate", path(&dir.path().join("missing.tif"))]);
    assert_eq!(out.status.code(), Some(2));
}

#[test]
fn every_documented_option_has_its_range_in_the_help() {
    let table = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/SETTINGS.md")).unwrap();
    let rows = table.lines().skip_while(|line| !line.starts_with("| key | option |")).skip(2);
    for row in rows.take_while(|line| line.starts_with('|')) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        for command in ["run", "validate", "preview", "summarize", "segment"] {
            let help = text(&dropscope(&[command, "--help"]).stdout).split_whitespace().collect::<Vec<_>>().join(" ");
            let takes = |with: &str| help.contains(&format!("{}{with}<", cells[1]));
            assert!(takes(" ") || takes("[="), "{command} {}", cells[1]);
            assert!(cells[0] == "seed" || help.contains(cells[3]), "{command} {}: {}", cells[1], cells[3]);
        }
    }
}

#[test]
fn a_setting_out_of_range_is_refused_with_the_range() {
    let dir = tempfile::tempdir().unwrap();
    let file = recording(dir.path(), "fish.tif");
    let out = dropscope(&["run", path(&file), "--fs=-1", "--out", path(&dir.path().join("o"))]);
    assert_eq!(out.status.code(), Some(2));
    assert!(text(&out.stderr).contains("0.01 to 10000"), "{}", text(&out.stderr));
}

#[test]
fn settings_beside_the_recording_hold_and_the_command_line_wins() {
    let dir = tempfile::tempdir().unwrap();
    let file = recording(dir.path(), "fish.tif");
    std::fs::write(dir.path().join("dropscope.toml"), "frame_rate_hz = 7.5\ntau_s = 0.4").unwrap();
    let out = dropscope(&["validate", path(&file), "--tau", "0.9"]);
    let report: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(
        (report["plan"]["frame_rate_hz"]["value"].as_f64(), report["plan"]["tau_s"]["value"].as_f64()),
        (Some(7.5), Some(0.9))
    );
    std::fs::write(dir.path().join("dropscope.toml"), "fps = 7.5").unwrap();
    let out = dropscope(&["validate", path(&file)]);
    assert_eq!(out.status.code(), Some(2));
    assert!(text(&out.stdout).contains("fps"), "{}", text(&out.stdout));
}

#[test]
fn a_run_writes_every_promised_file_the_same_on_any_number_of_threads() {
    let dir = tempfile::tempdir().unwrap();
    let file = recording(dir.path(), "fish.tif");
    let results = |threads: &str| {
        let out = dir.path().join(threads);
        let status = dropscope(&["run", path(&file), "--threads", threads, "--out", path(&out)]);
        assert_eq!(status.status.code(), Some(0), "{}", text(&status.stderr));
        files(&out.join("fish"))
    };
    let mut one = results("1");
    let mut three = results("3");
    let names: Vec<&str> = one.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "clusters.csv",
            "clusters.json",
            "covariance.npy",
            "figure.png",
            "figure.svg",
            "log.txt",
            "manifest.json",
            "max.gif",
            "max.png",
            "mean.png",
            "pixels.csv",
            "provenance.json",
            "registration.json",
            "report.html",
            "rois.csv",
            "segmentation.nwb",
            "std.gif",
            "std.png",
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
            "summary.json",
            "trace.csv",
            "trace.png",
            "traces.csv",
        ]
    );
    // These three tell when the run was.
    for name in ["log.txt", "manifest.json", "provenance.json"] {
        assert!(one.remove(name).is_some() && three.remove(name).is_some());
    }
    // And the report, in one part of it.
    let told = |results: &mut BTreeMap<String, Vec<u8>>| {
        let page = String::from_utf8(results.remove("report.html").unwrap()).unwrap();
        let (before, after) = page.split_once("<h2>How this came to be</h2>").unwrap();
        (before.to_owned(), after.split_once("</table>").unwrap().1.to_owned())
    };
    assert!(told(&mut one) == told(&mut three), "report.html depends on the number of threads");
    for (name, bytes) in &one {
        assert!(three[name] == *bytes, "{name} depends on the number of threads");
    }
}

#[test]
fn segment_writes_its_files_directly_into_the_folder() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    std::fs::create_dir(&out).unwrap();
    std::fs::write(out.join("mine.txt"), "stays").unwrap();
    let status = dropscope(&["segment", path(&recording(dir.path(), "fish.tif")), "--out", path(&out)]);
    assert_eq!(status.status.code(), Some(0), "{}", text(&status.stderr));
    let files = files(&out);
    assert!(files.contains_key("suite2p/plane0/F.npy") && files.contains_key("clusters.csv") && files.contains_key("mine.txt"));
    assert!(files.keys().all(|name| !name.contains("partial")), "{:?}", files.keys());
}

#[test]
fn preview_and_summarize_write_their_files_directly_into_the_folder() {
    let dir = tempfile::tempdir().unwrap();
    let file = recording(dir.path(), "fish.tif");
    let names = |command: &str| -> Vec<String> {
        let out = dir.path().join(command);
        let status = dropscope(&[command, path(&file), "--out", path(&out)]);
        assert_eq!(status.status.code(), Some(0), "{}", text(&status.stderr));
        files(&out).into_keys().collect()
    };
    assert_eq!(names("preview"), ["max.gif", "max.png", "mean.png", "std.gif", "std.png"]);
    assert_eq!(names("summarize"), ["summary.json", "trace.csv", "trace.png"]);
}

#[test]
fn what_lies_where_results_should_go_is_never_moved() {
    let dir = tempfile::tempdir().unwrap();
    let file = recording(dir.path(), "fish");
    let out = dropscope(&["run", path(&file), "--out", path(dir.path())]);
    assert_eq!(out.status.code(), Some(2));
    assert!(text(&out.stderr).contains("in the way"), "{}", text(&out.stderr));
    assert!(file.is_file());
}

#[test]
fn ctrl_c_leaves_nothing_half_written() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("long.tif");
    let scene = Scene { height: 256, width: 256, frames: 400, cells: 40, ..Scene::default() };
    scene.generate().unwrap().write_tiff(std::io::BufWriter::new(std::fs::File::create(&file).unwrap())).unwrap();
    let results = dir.path().join("results");
    let mut child = Command::new(env!("CARGO_BIN_EXE_dropscope"))
        .args(["run", path(&file), "--out", path(&results)])
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    while !results.exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let interrupt = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let status = child.wait().unwrap();
    assert!(interrupt.success());
    assert_eq!(status.code(), Some(1));
    assert_eq!(std::fs::read_dir(&results).unwrap().count(), 0);
}

#[test]
fn a_segmentation_that_is_interrupted_leaves_what_was_there() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("long.tif");
    let scene = Scene { height: 128, width: 128, frames: 200, cells: 12, ..Scene::default() };
    scene.generate().unwrap().write_tiff(std::io::BufWriter::new(std::fs::File::create(&file).unwrap())).unwrap();
    for (name, earlier) in [("fresh", false), ("used", true)] {
        let out = dir.path().join(name);
        if earlier {
            std::fs::create_dir(&out).unwrap();
            std::fs::write(out.join("notes.txt"), "mine").unwrap();
        }
        let mut child = Command::new(env!("CARGO_BIN_EXE_dropscope"))
            .args(["segment", path(&file), "--out", path(&out)])
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let begun = || std::fs::read_dir(&out).is_ok_and(|mut files| files.any(|f| f.unwrap().path().is_dir()));
        while !begun() {
            assert!(child.try_wait().unwrap().is_none(), "{name}: it ended before it began");
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        // Into the work, not the reading of the file.
        std::thread::sleep(std::time::Duration::from_millis(300));
        assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
        let status = child.wait().unwrap();
        assert_eq!(status.code(), Some(1), "{name}");
        if earlier {
            let left = files(&out);
            assert_eq!(left.keys().collect::<Vec<_>>(), ["notes.txt"]);
            assert_eq!(std::fs::read_dir(&out).unwrap().count(), 1);
        } else {
            assert!(!out.exists(), "{name}");
        }
    }
}

#[test]
fn two_recordings_of_one_name_are_not_mixed() {
    let dir = tempfile::tempdir().unwrap();
    for folder in ["a", "b"] {
        std::fs::create_dir(dir.path().join(folder)).unwrap();
    }
    let (a, b) = (recording(&dir.path().join("a"), "x.tif"), recording(&dir.path().join("b"), "x.tif"));
    let out = dropscope(&["run", path(&a), path(&b), "--out", path(&dir.path().join("o"))]);
    assert_eq!(out.status.code(), Some(2));
    assert!(text(&out.stderr).contains("`x`"), "{}", text(&out.stderr));
}

#[test]
fn one_bad_recording_does_not_stop_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let good = recording(dir.path(), "good.tif");
    let bad = dir.path().join("bad.tif");
    std::fs::write(&bad, b"").unwrap();
    let out = dropscope(&["run", path(&bad), path(&good), "--out", path(&dir.path().join("o"))]);
    assert_eq!(out.status.code(), Some(2));
    assert!(dir.path().join("o/good/figure.png").exists());
}

#[test]
fn every_command_has_help_with_an_example() {
    for command in [
        "demo",
        "run",
        "validate",
        "segment",
        "preview",
        "summarize",
        "open",
        "fetch",
        "rerun",
        "watch",
        "status",
        "budget",
        "links",
        "users",
        "upload",
        "deploy",
    ] {
        let out = dropscope(&[command, "--help"]);
        assert_eq!(out.status.code(), Some(0));
        assert!(text(&out.stdout).contains("Example"), "{command}");
    }
    assert_eq!(dropscope(&["nonsense"]).status.code(), Some(2));
}

#[test]
fn the_demo_finds_at_least_four_of_five_planted_cells() {
    let dir = tempfile::tempdir().unwrap();
    let out = dropscope(&["demo", "--out", path(&dir.path().join("demo")), "--seed", "11"]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    let said = text(&out.stdout);
    let line = said.lines().find(|line| line.starts_with("found")).unwrap();
    let figures: Vec<usize> = line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    assert!(figures[0] * 5 >= figures[1] * 4, "{line}");
    let results = said.lines().find_map(|line| line.strip_prefix("results")).unwrap().trim();
    assert!(Path::new(results).join("figure.png").exists(), "{said}");
    let report = said.lines().last().unwrap().strip_prefix("report").unwrap().trim();
    assert_eq!(Path::new(report), Path::new(results).join("report.html"));
    assert_eq!(std::fs::read_dir(dir.path().join("demo/mail")).unwrap().count(), 1);
    the_demo_can_be_asked_about(&dir.path().join("demo"));
}

fn the_demo_can_be_asked_about(folder: &Path) {
    let status = text(&dropscope(&["status", "--at", path(folder)]).stdout);
    assert!(status.contains("done") && status.contains("recordings/demo/zebrafish.tif"), "{status}");
    let run = status.split_whitespace().next().unwrap();
    let report = text(&dropscope(&["open", run, "--at", path(folder)]).stdout);
    let page = String::from_utf8(std::fs::read(report.trim()).unwrap()).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.contains(run), "{report}");
    let fetched = folder.join("fetched");
    let fetch = dropscope(&["fetch", run, "--at", path(folder), "--out", path(&fetched)]);
    assert_eq!(fetch.status.code(), Some(0), "{}", text(&fetch.stderr));
    assert!(fetched.join("zebrafish/suite2p/plane0/F.npy").is_file() && fetched.join("zebrafish/max.gif").is_file());
    let rerun = text(&dropscope(&["rerun", run, "--at", path(folder), "--tau", "0.5"]).stdout);
    assert!(rerun.starts_with(&format!("{run}-2 ")), "{rerun}");
    let job = std::fs::read_to_string(folder.join(format!("state/jobs/{run}-2.json"))).unwrap();
    let job: serde_json::Value = serde_json::from_str(&job).unwrap();
    assert_eq!((job["state"]["is"].as_str(), job["manifest"]["plan"]["tau_s"]["value"].as_f64()), (Some("validated"), Some(0.5)));
    assert_eq!(dropscope(&["open", &format!("{run}-2"), "--at", path(folder)]).status.code(), Some(2));
    assert_eq!(dropscope(&["fetch", "0000000000000000", "--at", path(folder)]).status.code(), Some(2));
    let set = dropscope(&["budget", "--at", path(folder), "set", "12.5"]);
    assert_eq!(set.status.code(), Some(0), "{}", text(&set.stderr));
    let budget = dropscope(&["budget", "--at", path(folder), "--json"]);
    let budget: serde_json::Value = serde_json::from_slice(&budget.stdout).unwrap();
    assert_eq!((budget["budget"]["cap"].as_u64(), &budget["budget"]["frozen"]), (Some(12_500_000), &serde_json::Value::Null));
    assert_eq!(dropscope(&["budget", "--at", path(folder), "set", "much"]).status.code(), Some(2));
    let links = |words: &[&str]| dropscope(&[&["links", "--at", path(folder)], words].concat());
    assert!(text(&links(&[]).stdout).contains("no link was ever signed"));
    assert_eq!(links(&["revoke", "0000000000000000"]).status.code(), Some(2), "a slip is no revocation");
    assert!(text(&links(&["revoke", run]).stdout).contains(&format!("1 run\n           {run}  since ")));
    let shown: serde_json::Value = serde_json::from_slice(&links(&["--json"]).stdout).unwrap();
    assert!(shown["revoked"][run].is_string() && shown["key_made_at"].is_string(), "{shown}");
    assert_eq!(dropscope(&["status", "--at", path(&folder.join("mail"))]).status.code(), Some(2));
}

#[test]
fn the_real_mouse_recording_gives_cells_and_loses_its_motion() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/movies/optinist_mouse2p_first800f_packbits.tiff");
    if !file.exists() {
        eprintln!("skipped: shared/data/movies is not beside this checkout");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let out = dropscope(&["run", path(&file), "--fs", "30", "--json", "--out", path(dir.path())]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    let report: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert!(report["cells"].as_u64().unwrap() >= 15, "{report}");
    assert!(report["largest_shift_px"].as_f64().unwrap() >= 3.0, "{report}");
    let provenance = std::fs::read(dir.path().join("optinist_mouse2p_first800f_packbits/provenance.json")).unwrap();
    let provenance: serde_json::Value = serde_json::from_slice(&provenance).unwrap();
    // sha256sum of the file, from coreutils.
    let hash = Command::new("sha256sum").arg(&file).output().unwrap();
    assert_eq!(provenance["input_sha256"].as_str().unwrap(), &text(&hash.stdout)[..64]);
    assert_eq!(provenance["plan"]["frame_rate_hz"]["source"], "settings");
}
