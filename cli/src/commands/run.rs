//! `dropscope run`: recordings on disk, through the same stages.

use crate::args::Run;
use crate::commands::preview::{self, Kind};
use crate::failure::Failure;
use crate::folder::{self, Making};
use crate::progress::Shown;
use crate::text::{self, shown_path as shown};
use dropscope_outputs::OutputError;
use dropscope_pipeline::{Manifest, ObjectKey, RecordingKey, RunId, Settings, Usd};
use dropscope_ports::Clock;
use dropscope_ports::clock::SystemClock;
use dropscope_projection::Purpose;
use dropscope_recording::RecordingError;
use dropscope_segment::{
    Found, Machine, Provenance, RunLog, RunProgress, StageError, Times, Work, hash_input, segment_planes, write_results,
};
use dropscope_validate::{Accepted, check};
use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What a run says that its user stopped.
const STOPPED: &str = "stopped";

pub(super) fn run(args: &Run) -> Result<(), Failure> {
    let names = names(args)?;
    let stop = stop_by_keys()?;
    let mut codes = Vec::new();
    for (path, name) in args.paths.iter().zip(&names) {
        // One bad recording does not keep the others waiting; the exit code tells of the worst.
        if let Err(failure) = one(args, path, name, &stop) {
            eprintln!("{}: {failure}", shown(path));
            codes.push(failure.code());
            if matches!(&failure, Failure::Failed { cause, .. } if cause == STOPPED) {
                break;
            }
        }
    }
    // 1, failed, is worse than 2, bad input.
    codes.into_iter().min().map_or(Ok(()), |code| Err(Failure::Told { code }))
}

/// A flag that Ctrl-C raises.
pub(super) fn stop_by_keys() -> Result<Arc<AtomicBool>, Failure> {
    crate::progress::stop_by_keys().map_err(|error| Failure::failed(&error, "try again"))
}

/// The name of each recording's folder; two recordings cannot share one.
fn names(args: &Run) -> Result<Vec<String>, Failure> {
    let names: Vec<String> = args.paths.iter().map(|path| name_of(path)).collect();
    let mut seen = BTreeSet::new();
    match names.iter().find(|name| !seen.insert(*name)) {
        Some(twice) => {
            Err(Failure::input(format!("two recordings are named `{twice}`"), "run them one by one with another --out"))
        }
        None => Ok(names),
    }
}

/// File name without the extension, as for an uploaded recording.
pub(super) fn name_of(path: &Path) -> String {
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let key = ObjectKey::raw(format!("recordings/local/{file}"));
    RecordingKey::parse(&key).map_or(file, |key| key.name)
}

fn one(args: &Run, path: &Path, name: &str, stop: &Arc<AtomicBool>) -> Result<(), Failure> {
    let settings = crate::settings::settle(&args.settings, path)?;
    let accepted = check(Box::new(open(path)?), &settings).map_err(refused)?;
    if !Making::is_free(&args.out.join(name)) {
        let cause = format!("{} is in the way and holds no results of dropscope", shown(&args.out.join(name)));
        return Err(Failure::input(cause, "choose another folder with --out"));
    }
    eprintln!("{}", text::shown(name));
    let making = Making::begin(&args.out.join(name)).map_err(|error| unwritable(&args.out, &error))?;
    let survey = preview::look_through(&accepted.recording, Purpose::Both)?;
    preview::write(making.path(), &survey, &preview::about(name, &accepted.plan), &[Kind::Preview, Kind::Summary])?;
    let (found, seconds) = segment_into(making.path(), path, name, accepted, &settings, (args.threads, stop))?;
    let old = making.finish().map_err(|error| unwritable(&args.out, &error))?;
    let place = args.out.join(name);
    if args.json {
        let report = serde_json::json!({
            "recording": path, "results": place, "cells": found.cells, "rois": found.rois, "clusters": found.clusters,
            "largest_shift_px": found.largest_shift_px, "bad_frames": found.bad_frames, "seconds": seconds
        });
        text::say(&report.to_string())?;
    } else {
        text::say(&format!("{}: {} cells among {} ROIs in {seconds:.1} s", shown(&place), found.cells, found.rois))?;
    }
    if let Some(old) = old {
        eprintln!("earlier results are kept in {}", shown(&old));
    }
    Ok(())
}

/// Opens a file of the user's.
pub(super) fn open(path: &Path) -> Result<File, Failure> {
    let file = File::open(path)
        .and_then(|file| if file.metadata()?.is_dir() { Err(io::ErrorKind::IsADirectory.into()) } else { Ok(file) });
    match file {
        Ok(file) => Ok(file),
        Err(error) => {
            let remedy = match error.kind() {
                io::ErrorKind::NotFound => "check the name",
                io::ErrorKind::PermissionDenied => "ask its owner to let you read it",
                io::ErrorKind::IsADirectory => "name the recording's file; a recording in many files is not read yet",
                _ => "check the disk",
            };
            Err(Failure::input(format!("{} cannot be opened, {error}", shown(path)), remedy))
        }
    }
}

/// Why a recording cannot be read, as a failure of the command.
pub(super) fn refused(error: RecordingError) -> Failure {
    match error {
        RecordingError::Io(error) => Failure::failed(&error, "check the disk and try again"),
        error => Failure::input(error.cause(), error.remedy()),
    }
}

pub(super) fn unwritable(folder: &Path, error: &io::Error) -> Failure {
    let cause = format!("{} cannot be written, {error}", shown(folder));
    Failure::Failed { cause, remedy: "choose another folder with --out, or make room".into() }
}

/// Segments an accepted recording, all files of its run into `folder`. Returns what was found, and the seconds it took.
pub(super) fn segment_into(
    folder: &Path,
    path: &Path,
    name: &str,
    accepted: Accepted,
    settings: &Settings,
    (threads, stop): (usize, &Arc<AtomicBool>),
) -> Result<(Found, f64), Failure> {
    let (clock, log) = (SystemClock, RunLog::default());
    let started = clock.now();
    let (input_sha256, input_bytes) = hash_input(&open(path)?).map_err(|error| refused(error.into()))?;
    let Accepted { recording, plan, needs } = accepted;
    let info = recording.info().clone();
    log.line(started, &format!("{} begins with {}", dropscope_segment::VERSION, serde_json::json!(settings)));
    let progress = Shown::until(stop.clone());
    let work = Work { plan: &plan, scratch: folder, threads };
    let planes = segment_planes(&recording, &work, &progress as &dyn RunProgress);
    progress.finish();
    let planes = planes.map_err(broken)?;
    write_results(name, &info, &plan, &planes, |file, bytes| folder::write(folder, file, &bytes).map_err(Unwritten::Disk))
        .map_err(|error| match error {
            Unwritten::Disk(error) => unwritable(folder, &error),
            Unwritten::Output(error) => Failure::failed(&error, "report this as a bug, with the recording if you can"),
        })?;
    let found = Found::of(&planes);
    let times = Times::between(started, clock.now());
    log.line(clock.now(), &format!("{} cells among {} ROIs in {:.1} s", found.cells, found.rois, times.seconds));
    let key = ObjectKey::raw(path.to_string_lossy());
    let manifest = Manifest {
        schema: 1,
        run: RunId::of_upload("local", &key, None, &input_sha256),
        bucket: "local".into(),
        key,
        version: None,
        etag: input_sha256.clone(),
        size: input_bytes,
        owner: String::new(),
        name: name.to_owned(),
        recording: info.clone(),
        plan: plan.clone(),
        needs,
        accepted_at: started,
    };
    let provenance = Provenance {
        schema: 1,
        program: format!("dropscope {}", dropscope_segment::VERSION),
        input: &path.to_string_lossy(),
        input_sha256: &input_sha256,
        input_bytes,
        recording: &info,
        plan: &plan,
        machine: Machine::this(),
        times,
        cost: Usd::ZERO,
    };
    let documents = [
        ("manifest.json", manifest.to_json()),
        ("provenance.json", serde_json::to_vec_pretty(&provenance)),
        ("log.txt", Ok(log.text().into_bytes())),
    ];
    for (file, bytes) in documents {
        let bytes = bytes.map_err(|error| Failure::failed(&error, "report this as a bug"))?;
        folder::write(folder, file, &bytes).map_err(|error| unwritable(folder, &error))?;
    }
    Ok((found, times.seconds))
}

/// A result that did not reach the disk.
enum Unwritten {
    Disk(io::Error),
    Output(OutputError),
}

impl From<OutputError> for Unwritten {
    fn from(error: OutputError) -> Self {
        Self::Output(error)
    }
}

fn broken(error: StageError) -> Failure {
    match error {
        StageError::Input(verdict) => Failure::input(verdict.cause, verdict.remedy),
        StageError::Reading(error) => refused(error),
        StageError::Cancelled => {
            Failure::Failed { cause: STOPPED.into(), remedy: "nothing half-written is left; run it again".into() }
        }
        error => Failure::failed(&error, "make room on the disk, or use fewer --threads"),
    }
}
