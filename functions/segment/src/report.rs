//! What the report is told of a run: settings with their sources, flags in words, how the run came to be, and what other
//! stages have left beside the results.

use crate::{Found, Provenance};
use dropscope_outputs::{Brightness, Movie, ReportFacts, ReportFlag, ReportSetting, Severity};
use dropscope_pipeline::settings::Sourced;
use dropscope_pipeline::{Plan, RunId, Timestamp};
use dropscope_recording::Info;
use dropscope_segmentation::{Note, SegmentedRecording};
use serde_json::Value;
use std::path::Path;

/// Name of the report.
pub(crate) const REPORT: &str = "report.html";

/// What a run knows of itself when its results are written.
pub struct Told<'a> {
    /// Name of the recording, as its owner knows it.
    pub name: &'a str,
    /// The run.
    pub run: &'a RunId,
    /// When the recording came: its upload, or the date of its file.
    pub came: Timestamp,
    /// Input, settings, machine, and times and cost so far.
    pub provenance: &'a Provenance<'a>,
    /// A file that another stage has left beside the results; none where there is none (yet).
    pub beside: &'a dyn Fn(&str) -> Option<Vec<u8>>,
    /// Where the registered movie was made, if it was: the folder of [`crate::Work`].
    pub scratch: &'a Path,
}

/// Files that every run has, and what they are.
const FILES: [(&str, &str); 10] = [
    ("figure.png", "the four panels at a glance; figure.svg for print"),
    ("traces.csv", "dF/F of every ROI, every frame"),
    ("rois.csv", "place, size, quality and cluster of every ROI"),
    ("clusters.csv", "the order of the clusters"),
    ("pixels.csv", "every pixel of every ROI with its weight"),
    ("registration.json", "crispness and shifts of each plane"),
    ("suite2p/", "F, Fneu, spks, iscell, stat, ops in suite2p's layout, for each plane and combined; its GUI opens the folder"),
    ("segmentation.nwb", "all of this in one file of Neurodata Without Borders, for pynwb, MatNWB and DANDI"),
    ("provenance.json", "input hash, settings, version, machine, times, cost"),
    ("log.txt", "what happened when"),
];

/// Files that a run has where its plan asks for the registered movie.
const MOVIE_FILES: [(&str, &str); 2] = [
    ("registered.tif", "every frame as it was measured, a stack for Fiji"),
    ("registered.gif", "moments of it, raw beside registered"),
];

fn files(plan: &Plan) -> impl Iterator<Item = (&'static str, &'static str)> {
    let movie = if plan.registered_movie.value { &MOVIE_FILES[..] } else { &[] };
    FILES.iter().chain(movie).copied()
}

/// Movies that another stage makes, and what they show.
const MOVIES: [(&str, &str); 2] = [
    ("max.gif", "Maximum over windows in time, one contrast for all, before registration"),
    ("std.gif", "Standard deviation over windows in time, one contrast for all, before registration"),
];

/// Everything that the report of this run is told.
pub(crate) fn facts(told: &Told<'_>, recording: &SegmentedRecording) -> ReportFacts {
    let summary = (told.beside)("summary.json").and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    let movie = |(name, shows): &(&str, &str)| {
        let gif = (told.beside)(name)?;
        Some(Movie { name: (*name).to_owned(), shows: (*shows).to_owned(), gif })
    };
    ReportFacts {
        settings: settings(told.provenance.plan, told.provenance.recording),
        flags: flags(told, recording, summary.as_ref()),
        run: run(told),
        movies: MOVIES.iter().filter_map(movie).collect(),
        files: files(told.provenance.plan).map(|(name, what)| (name.to_owned(), what.to_owned())).collect(),
        brightness: (told.beside)("trace.csv").and_then(|bytes| brightness(&String::from_utf8_lossy(&bytes))),
        measures: summary.as_ref().map_or_else(unmeasured, measures),
    }
}

fn settings(plan: &Plan, info: &Info) -> Vec<ReportSetting> {
    let row = |name: &str, value: String, source: &str| ReportSetting {
        name: name.to_owned(),
        value,
        source: source.to_owned(),
        assumed: source == "assumed",
    };
    let optional = |name: &str, set: Option<&Sourced<f64>>, unit: &str, without: &str| match set {
        Some(set) => row(name, format!("{} {unit}", set.value), &set.source),
        None => row(name, without.to_owned(), "default"),
    };
    let source = |fact: &str| info.sources.get(fact).map_or_else(|| "counted".to_owned(), ToString::to_string);
    let pixel = match info.pixel_size_um {
        Some(um) => row("Pixel size", format!("{um} µm"), &source("pixel_size_um")),
        None => row("Pixel size", "unknown".into(), "nobody states it"),
    };
    vec![
        row("Frame rate", format!("{} Hz", plan.frame_rate_hz.value), &plan.frame_rate_hz.source),
        row("Decay time of the indicator, tau", format!("{} s", plan.tau_s.value), &plan.tau_s.source),
        optional("Rise time of the indicator", plan.rise_s.as_ref(), "s", "the usual part of the decay time"),
        optional("Diameter of a cell", plan.diameter_px.as_ref(), "pixels", "estimated from the recording"),
        row("Clusters", plan.clusters.value.to_string(), &plan.clusters.source),
        row("Clustered by", format!("{:?}", plan.cluster_by.value).to_lowercase(), &plan.cluster_by.source),
        row("Seed", plan.seed.value.to_string(), &plan.seed.source),
        row(
            "Registered movie",
            if plan.registered_movie.value { "written" } else { "not asked for" }.into(),
            &plan.registered_movie.source,
        ),
        row("Planes", info.planes.to_string(), &source("planes")),
        row("Channels", info.channels.to_string(), &source("channels")),
        pixel,
        row("Samples", format!("{}, compression {}", info.dtype, info.compression), &source("dtype")),
    ]
}

/// All that a person should know, the worst first.
fn flags(told: &Told<'_>, recording: &SegmentedRecording, summary: Option<&Value>) -> Vec<ReportFlag> {
    let plan = told.provenance.plan;
    let mut all = Vec::new();
    let mut flag = |severity, words: String| all.push(ReportFlag { severity, words });
    let found = Found::of(recording);
    if found.cells == 0 {
        let words = "no ROI was taken for a cell: look at the maximum and the movies for activity, set the diameter of a cell, \
                     or record longer";
        flag(Severity::Problem, words.to_owned());
    }
    let notes = recording.planes.iter().flat_map(|plane| plane.quality.notes.iter().map(severity));
    found.notes.iter().zip(notes).for_each(|(words, severity)| flag(severity, words.clone()));
    match summary.and_then(|s| s["flags"].as_array()) {
        Some(flags) => {
            flags.iter().for_each(|f| flag(severity_of(&f["severity"]), f["words"].as_str().unwrap_or_default().into()))
        }
        None if plan.frame_rate_hz.assumed() => {
            let words = "the file does not state its frame rate, so times here are an assumption: state frame_rate_hz in dropscope.toml or with --fs";
            flag(Severity::Info, words.to_owned());
        }
        None => {}
    }
    if plan.tau_s.assumed() {
        let words = format!(
            "the decay time of the indicator is assumed to be {} s, and spikes depend on it: name the indicator in dropscope.toml, or state tau_s there or with --tau",
            plan.tau_s.value
        );
        flag(Severity::Info, words);
    }
    told.provenance.recording.notes.iter().for_each(|note| flag(Severity::Info, note.clone()));
    all.sort_by_key(|flag| std::cmp::Reverse(flag.severity));
    all
}

fn severity(note: &Note) -> Severity {
    match note {
        Note::MotionAsSeen | Note::MotionByPixels | Note::PureDecay { .. } | Note::Jumped { .. } => Severity::Info,
        _ => Severity::Warning,
    }
}

fn severity_of(word: &Value) -> Severity {
    let known = [Severity::Problem, Severity::Warning];
    known.into_iter().find(|s| word.as_str() == Some(s.word())).unwrap_or(Severity::Info)
}

fn run(told: &Told<'_>) -> Vec<(String, String)> {
    let p = told.provenance;
    let processor = p.machine.processor.clone().unwrap_or_else(|| "unknown processor".into());
    let cores = if p.machine.cores == 1 { "1 core".to_owned() } else { format!("{} cores", p.machine.cores) };
    [
        ("Run", told.run.to_string()),
        ("Recording", p.input.to_owned()),
        ("Size", format!("{} bytes", p.input_bytes)),
        ("SHA-256 of the recording", p.input_sha256.to_owned()),
        ("Program", p.program.clone()),
        ("Machine", format!("{processor}, {cores}, {} {}", p.machine.os, p.machine.architecture)),
        ("Began", p.times.started_at.to_string()),
        ("Took, until this report", format!("{:.1} s", p.times.seconds)),
        ("Cost, until this report", p.cost.to_string()),
    ]
    .map(|(label, value)| (label.to_owned(), value))
    .into()
}

/// The mean of each frame that was read, from trace.csv.
fn brightness(table: &str) -> Option<Brightness> {
    let mut lines = table.lines();
    let header: Vec<&str> = lines.next()?.split(',').collect();
    let column = |name: &str| header.iter().position(|column| *column == name);
    let (frame, mean) = (column("frame")?, column("mean")?);
    let (mut frames, mut means) = (Vec::new(), Vec::new());
    for line in lines {
        let cells: Vec<&str> = line.split(',').collect();
        frames.push(cells.get(frame)?.parse::<usize>().ok()?);
        means.push(cells.get(mean)?.parse::<f32>().unwrap_or(f32::NAN));
    }
    let every = frames.get(1).map_or(1, |second| second.saturating_sub(frames[0]).max(1));
    (!means.is_empty()).then_some(Brightness { every, means })
}

fn unmeasured() -> Vec<(String, String)> {
    let words =
        "not measured when this report was made: see summary.json where it lies beside, or use dropscope run or summarize";
    vec![("Bleaching, saturation, blank frames".to_owned(), words.to_owned())]
}

/// What summary.json says, all planes together.
fn measures(summary: &Value) -> Vec<(String, String)> {
    let figures = &summary["figures"];
    let percent = |value: f64| format!("{value:.1} %");
    let count = |what: &str| figures[what].as_u64().map_or_else(|| "unknown".to_owned(), |n| n.to_string());
    let saturation = match (figures["saturation"]["share"].as_f64(), figures["saturation"]["at"].as_f64()) {
        (Some(share), Some(at)) => format!("{:.4} % of the samples, at {at}", 100.0 * share),
        _ => "none: the largest samples are only the brightest".to_owned(),
    };
    let bleaching = figures["bleaching_percent"].as_f64();
    let bleaching = bleaching.map_or("not told: too short, or a mean below zero".to_owned(), |fall| match fall {
        fall if fall < 0.0 => format!("none: the mean rises by {}", percent(-fall)),
        fall => format!("the mean falls by {}", percent(fall)),
    });
    [
        ("Bleaching, first to last tenth", bleaching),
        ("Saturation", saturation),
        ("Blank frames", count("blank_frames")),
        ("Dark frames", count("dark_frames")),
        ("Frames that repeat the one before", count("repeated_frames")),
        ("Samples that are no number", count("not_finite_samples")),
    ]
    .map(|(label, value)| (label.to_owned(), value))
    .into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn brightness_is_read_from_the_table_that_summary_writes() {
        let table = "frame,time_s,mean,motion_px\n0,0.0,12.5,\n4,0.1,,1\n8,0.2,13,\n";
        let found = brightness(table).unwrap();
        assert_eq!((found.every, found.means.len(), found.means[0]), (4, 3, 12.5));
        assert!(found.means[1].is_nan());
        for broken in ["", "frame,time_s\n0,1\n", "frame,mean\nx,1\n", "frame,mean\n"] {
            assert_eq!(brightness(broken), None, "{broken:?}");
        }
    }

    #[test]
    fn every_setting_tells_its_source_and_what_is_assumed_is_marked() {
        let info: Info = serde_json::from_value(serde_json::json!({
            "frames": 800, "planes": 1, "channels": 1, "height": 128, "width": 128, "dtype": "uint16", "pages": 800,
            "frame_rate_hz": null, "pixel_size_um": null, "compression": "none", "sources": {}, "notes": []
        }))
        .unwrap();
        let said = dropscope_pipeline::Settings { tau_s: Some(0.7), ..Default::default() };
        let rows = settings(&Plan::settle(&said, &info), &info);
        let of = |start: &str| rows.iter().find(|row| row.name.starts_with(start)).unwrap();
        assert_eq!((of("Frame rate").value.as_str(), of("Frame rate").assumed), ("30 Hz", true));
        assert_eq!((of("Decay time").source.as_str(), of("Decay time").assumed), ("settings", false));
        assert!(rows.iter().all(|row| !row.source.is_empty() && !row.value.is_empty()));
    }

    #[test]
    fn a_summary_of_another_layout_breaks_nothing() {
        for text in ["{}", "[]", "{\"figures\":{\"saturation\":null,\"blank_frames\":\"x\"}}"] {
            assert_eq!(measures(&serde_json::from_str(text).unwrap()).len(), 6, "{text}");
        }
    }
}
