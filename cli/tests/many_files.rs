//! A recording in many files, as a user meets it on disk.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use dropscope_testkit::movie::Scene;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tiff::encoder::{TiffEncoder, colortype::Gray16};

fn dropscope(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_dropscope")).args(args).output().unwrap()
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn said(out: &Output) -> String {
    String::from_utf8_lossy(&out.stderr).into_owned()
}

fn report(args: &[&str]) -> (Option<i32>, Value) {
    let out = dropscope(args);
    (out.status.code(), serde_json::from_slice(&out.stdout).unwrap_or_else(|_| panic!("{}", said(&out))))
}

/// A generated recording: its one file, and a folder with a file for each frame, numbered without leading zeros.
struct Both {
    dir: tempfile::TempDir,
    one: PathBuf,
    folder: PathBuf,
}

const FRAMES: usize = 90;

fn both() -> Both {
    let dir = tempfile::tempdir().unwrap();
    let (one, folder) = (dir.path().join("fish.tif"), dir.path().join("fish.rec"));
    let scene = Scene { height: 48, width: 48, frames: FRAMES, cells: 4, groups: 2, ..Scene::default() };
    let mut bytes = std::io::Cursor::new(Vec::new());
    scene.generate().unwrap().write_tiff(&mut bytes).unwrap();
    std::fs::create_dir(&folder).unwrap();
    let mut stack = tiff::decoder::Decoder::new(std::io::Cursor::new(bytes.get_ref())).unwrap();
    for frame in 1.. {
        let tiff::decoder::DecodingResult::U16(pixels) = stack.read_image().unwrap() else { panic!("16 bit") };
        let mut file = std::fs::File::create(folder.join(format!("t_{frame}.tif"))).unwrap();
        TiffEncoder::new(&mut file).unwrap().write_image::<Gray16>(48, 48, &pixels).unwrap();
        if !stack.more_images() {
            break;
        }
        stack.next_image().unwrap();
    }
    std::fs::write(&one, bytes.into_inner()).unwrap();
    Both { dir, one, folder }
}

#[test]
fn a_folder_of_frames_gives_the_traces_of_the_stack_that_it_was_cut_from() {
    let Both { dir, one, folder } = both();
    let out = dir.path().join("results");
    let run = dropscope(&["run", path(&folder), "--fs", "15", "--out", path(&out)]);
    assert!(run.status.success(), "{}", said(&run));
    std::fs::rename(out.join("fish"), out.join("of-folder")).unwrap();
    assert!(dropscope(&["run", path(&one), "--fs", "15", "--out", path(&out)]).status.success());
    // Not the animations: below them stands a scale, and only the stack says how large its pixels are.
    for file in ["traces.csv", "rois.csv", "suite2p/plane0/F.npy", "max.png", "std.png"] {
        let read = |name: &str| std::fs::read(out.join(name).join(file)).unwrap();
        assert!(read("of-folder") == read("fish"), "{file}");
    }
    let provenance: Value = serde_json::from_slice(&std::fs::read(out.join("of-folder/provenance.json")).unwrap()).unwrap();
    assert_eq!(provenance["recording"]["files"], FRAMES);
    assert_eq!(provenance["input_sha256"], input_hash(&folder));
}

/// The hash as the documentation of provenance describes it, by hand.
fn input_hash(folder: &Path) -> String {
    use sha2::{Digest, Sha256};
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let mut hash = Sha256::new();
    for name in names {
        let bytes = std::fs::read(folder.join(&name)).unwrap();
        hash.update((name.len() as u64).to_be_bytes());
        hash.update(name.as_bytes());
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(&bytes);
    }
    hex::encode(hash.finalize())
}

#[test]
fn files_run_as_one_are_ordered_by_their_numbers_and_named() {
    let Both { dir, folder, .. } = both();
    let out = dir.path().join("results");
    let mut files: Vec<PathBuf> = (1..=FRAMES).map(|n| folder.join(format!("t_{n}.tif"))).collect();
    files.reverse();
    let mut args = vec!["run", "--as-one", "--name", "joined", "--fs", "15", "--out", path(&out)];
    args.extend(files.iter().map(|file| path(file)));
    let run = dropscope(&args);
    assert!(run.status.success(), "{}", said(&run));
    let whole = dropscope(&["run", path(&folder), "--fs", "15", "--out", path(&out)]);
    assert!(whole.status.success(), "{}", said(&whole));
    let traces = |name: &str| std::fs::read(out.join(name).join("traces.csv")).unwrap();
    assert!(traces("joined") == traces("fish"));
    let hash = |name: &str| -> Value {
        let text = std::fs::read(out.join(name).join("provenance.json")).unwrap();
        serde_json::from_slice::<Value>(&text).unwrap()["input_sha256"].clone()
    };
    assert_eq!(hash("joined"), hash("fish"), "the same files are the same input");
}

#[test]
fn gaps_in_a_folder_are_told_and_in_a_list_they_are_meant() {
    let Both { folder, dir: _dir, .. } = both();
    std::fs::remove_file(folder.join("t_7.tif")).unwrap();
    let (code, rejected) = report(&["validate", path(&folder)]);
    assert_eq!((code, &rejected["verdict"]), (Some(2), &Value::from("rejected")));
    assert!(rejected["cause"].as_str().unwrap().contains("t_6.tif"), "{rejected}");
    let left = ["t_5.tif", "t_6.tif", "t_8.tif"].map(|name| folder.join(name));
    let (code, accepted) = report(&["validate", path(&left[2]), path(&left[0]), path(&left[1])]);
    assert_eq!((code, &accepted["files"], &accepted["frames"]), (Some(0), &3.into(), &3.into()), "{accepted}");
}

#[test]
fn recording_toml_names_files_and_settings_and_loses_against_the_command_line() {
    let Both { dir, folder, .. } = both();
    std::fs::write(dir.path().join("dropscope.toml"), "tau_s = 0.4\nframe_rate_hz = 9\nclusters = 2\n").unwrap();
    let statement = "members = [\"t_1.tif\", \"t_3.tif\", \"t_10.tif\"]\ntau_s = 0.6\nframe_rate_hz = 7.5\n";
    std::fs::write(folder.join("recording.toml"), statement).unwrap();
    let (code, report_) = report(&["validate", path(&folder), "--tau", "0.9"]);
    assert_eq!(code, Some(0), "{report_}");
    let plan = |name: &str| report_["plan"][name]["value"].as_f64().unwrap();
    assert_eq!((plan("tau_s"), plan("frame_rate_hz"), plan("clusters")), (0.9, 7.5, 2.0));
    assert_eq!((&report_["files"], &report_["frames"]), (&3.into(), &3.into()));
    assert!(report_["notes"].to_string().contains("does not name"), "{report_}");
    for (statement, word) in
        [("members = [\"t_1.tif\", \"t_99.tif\"]", "t_99.tif"), ("tau = 1", "tau"), ("members = []", "no file")]
    {
        std::fs::write(folder.join("recording.toml"), statement).unwrap();
        let (code, rejected) = report(&["validate", path(&folder)]);
        assert_eq!(code, Some(2), "{statement}");
        assert!(rejected["cause"].as_str().unwrap().contains(word), "{statement}: {rejected}");
    }
}

#[test]
fn what_is_no_recording_in_many_files_is_told_with_a_remedy() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("notes.txt"), "x").unwrap();
    let nowhere = dir.path().join("nowhere.tif");
    for args in [vec![path(dir.path())], vec![path(dir.path()), path(&nowhere)], vec![path(&nowhere), path(&nowhere)]] {
        let (code, rejected) = report(&[vec!["validate"], args.clone()].concat());
        assert_eq!(code, Some(2), "{args:?}");
        assert!(!rejected["remedy"].as_str().unwrap().is_empty(), "{rejected}");
    }
    let out = dir.path().join("results");
    for name in ["../up", "", ".hidden"] {
        let run = dropscope(&["run", "--as-one", "--name", name, "--out", path(&out), path(&nowhere)]);
        assert_eq!(run.status.code(), Some(2), "{name}");
    }
}

/// Twenty two-plane TIFFs of the shared data, one a time point.
fn volumes() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/movies/thunder_fish_pertimepoint");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: shared/data/movies/thunder_fish_pertimepoint is not beside this checkout");
    None
}

#[test]
fn twenty_files_of_two_planes_are_twenty_frames_of_two_planes_equal_to_the_files() {
    use dropscope_recording::{FrameBuffer, Limits, Overrides};
    let Some(folder) = volumes() else { return };
    let (code, accepted) = report(&["validate", path(&folder)]);
    assert_eq!(code, Some(0), "{accepted}");
    assert_eq!(
        ["files", "frames", "planes", "height", "width"].map(|field| accepted[field].as_u64()),
        [20, 20, 2, 76, 87].map(Some)
    );
    let dir = tempfile::tempdir().unwrap();
    let summary = dropscope(&["summarize", path(&folder), "--json", "--out", path(dir.path())]);
    assert!(summary.status.success(), "{}", said(&summary));
    let trace = std::fs::read_to_string(dir.path().join("trace.csv")).unwrap();
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "tif"));
    files.sort();
    let header: Vec<&str> = trace.lines().next().unwrap().split(',').collect();
    for (file, row) in files.iter().zip(trace.lines().skip(1)) {
        let source = std::fs::File::open(file).unwrap();
        let one = dropscope_recording::open(Box::new(source), &Limits::default(), &Overrides::default()).unwrap();
        let mut buffer = FrameBuffer::new();
        for plane in 0..2 {
            one.read_page(plane, &mut buffer).unwrap();
            let mut pixels = vec![0.0; 76 * 87];
            buffer.write_f32(&mut pixels);
            let mean = pixels.iter().map(|v| f64::from(*v)).sum::<f64>() / pixels.len() as f64;
            let column =
                header.iter().position(|name| name.contains(&format!("plane{plane}"))).unwrap_or_else(|| panic!("{header:?}"));
            let told: f64 = row.split(',').nth(column).unwrap().parse().unwrap();
            assert!((told - mean).abs() < 1e-3 * mean.max(1.0), "{} plane {plane}: {told} {mean}", file.display());
        }
    }
    assert_eq!(files.len(), 20);
}
