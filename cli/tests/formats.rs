//! Every file that real programs wrote, or fuzzers broke: read as tifffile reads it, or refused with a sentence.
//!
//! docs/FORMATS.md is the table of what becomes of each; `DROPSCOPE_WRITE_FORMATS=1` writes it anew.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use dropscope_recording::{FrameBuffer, Limits, Overrides, Recording, open};
use dropscope_testkit::python_with;
use serde::Deserialize;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// No file may take longer than this, seconds, or more memory, MB.
const BOUNDS: (f64, f64) = (2.0, 512.0);

#[derive(Deserialize)]
struct Row {
    file: String,
    code: i32,
    seconds: f64,
    memory_mb: f64,
    report: Option<Report>,
    preview: Option<Preview>,
    truth: Option<Truth>,
}

#[derive(Deserialize)]
struct Report {
    verdict: String,
    cause: Option<String>,
    remedy: Option<String>,
    frames: Option<usize>,
    planes: Option<usize>,
    channels: Option<usize>,
    height: Option<usize>,
    width: Option<usize>,
    dtype: Option<String>,
}

#[derive(Deserialize)]
struct Preview {
    code: i32,
    seconds: f64,
    memory_mb: f64,
}

#[derive(Deserialize, PartialEq, Debug)]
struct Truth {
    pages: usize,
    height: usize,
    width: usize,
    dtype: String,
    crc: u32,
    samples: usize,
    palette: bool,
}

fn data() -> PathBuf {
    let data = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    assert!(data.is_dir(), "missing: the recordings for tests, expected in {}", data.display());
    data
}

/// What the program and tifffile make of every file of one folder.
fn rows(folder: &str) -> Vec<Row> {
    let python = python_with(&["imagecodecs==2026.*"]).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/formats.py");
    let program = env!("CARGO_BIN_EXE_dropscope");
    let out = Command::new(python).args([script, program]).arg(data().join(folder)).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let lines = String::from_utf8(out.stdout).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}"))).collect()
}

fn opened(path: &Path, min_frames: usize) -> Option<Recording> {
    let file = std::fs::File::open(path).unwrap();
    open(Box::new(file), &Limits { min_frames, ..Limits::default() }, &Overrides::default()).ok()
}

/// Every page as tifffile's are described.
fn read(recording: &Recording, truth: &Truth) -> Truth {
    let info = recording.info();
    let (mut crc, mut buffer) = (crc32fast::Hasher::new(), FrameBuffer::new());
    for page in 0..info.pages {
        recording.read_page(page, &mut buffer).unwrap();
        crc.update(&buffer.pixels().to_le_bytes());
    }
    let (pages, height, width) = (info.pages, info.height, info.width);
    let dtype = info.dtype.to_string();
    Truth { pages, height, width, dtype, crc: crc.finalize(), samples: truth.samples, palette: truth.palette }
}

fn check(folder: &str, row: &Row) {
    let report = row.report.as_ref().unwrap_or_else(|| panic!("{}: no report, exit code {}", row.file, row.code));
    assert!(row.seconds < BOUNDS.0 && row.memory_mb < BOUNDS.1, "{}: {} s, {} MB", row.file, row.seconds, row.memory_mb);
    let accepted = report.verdict == "accepted";
    assert_eq!(row.code, if accepted { 0 } else { 2 }, "{}", row.file);
    if !accepted {
        let said = |text: &Option<String>| text.as_ref().is_some_and(|text| text.len() > 10);
        assert!(said(&report.cause) && said(&report.remedy), "{}: no sentence", row.file);
    }
    if let Some(preview) = &row.preview {
        // Damage inside the pixels shows only when they are read.
        assert!(matches!(preview.code, 0 | 2), "{}: preview ended with {}", row.file, preview.code);
        assert!(preview.seconds < BOUNDS.0 && preview.memory_mb < BOUNDS.1, "{}: {} s", row.file, preview.seconds);
    }
    let path = data().join(folder).join(&row.file);
    let Some(truth) = &row.truth else {
        assert!(!accepted, "{}: accepted, and tifffile sees no gray stack", row.file);
        return;
    };
    let stack = truth.pages > truth.samples && truth.samples == 1 && !truth.palette;
    assert!(accepted || !stack, "{}: a gray stack is refused: {:?}", row.file, report.cause);
    if accepted {
        assert_eq!(&read(&opened(&path, 2).unwrap(), truth), truth, "{}", row.file);
    } else if let Some(recording) = opened(&path, 1) {
        // A single picture is no recording; its pixels have to be right all the same.
        assert_eq!(&read(&recording, truth), truth, "{}", row.file);
    }
}

/// One line of the table.
fn line(folder: &str, row: &Row) -> String {
    let report = row.report.as_ref().unwrap();
    let what = match (&report.cause, &report.remedy) {
        (Some(cause), Some(remedy)) => format!("refused | {cause}: {remedy}"),
        _ => {
            let n = |n: Option<usize>| n.unwrap_or_default();
            let [frames, planes, channels, height, width] =
                [report.frames, report.planes, report.channels, report.height, report.width].map(n);
            let dtype = report.dtype.clone().unwrap_or_default();
            format!("read | {frames} frames × {planes} planes × {channels} channels of {height} × {width} {dtype}")
        }
    };
    format!("| {folder}/{} | {} |\n", row.file.replace('|', "\\|"), what)
}

#[test]
fn every_file_is_read_as_tifffile_does_or_refused_with_a_sentence() {
    let mut table = String::new();
    for folder in ["movies", "odd"] {
        for row in rows(folder) {
            check(folder, &row);
            write!(table, "{}", line(folder, &row)).unwrap();
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/FORMATS.md");
    let document = std::fs::read_to_string(&path).unwrap();
    let mark = "| file | verdict | what it is, or why not |\n|---|---|---|\n";
    let (before, after) = document.split_once(mark).expect("the head of the table");
    if std::env::var_os("DROPSCOPE_WRITE_FORMATS").is_some() {
        std::fs::write(&path, format!("{before}{mark}{table}")).unwrap();
        return;
    }
    let differs = after.lines().zip(table.lines()).find(|(there, is)| there != is);
    assert!(differs.is_none() && after == table, "docs/FORMATS.md is not up to date: {differs:?}");
}
