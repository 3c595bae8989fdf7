//! `dropscope run`: recordings on disk, through the same stages.

use crate::args::Run;
use crate::commands::preview::{self, Kind};
use crate::failure::Failure;
use crate::folder::{self, Making};
use crate::on_disk::{OnDisk, refused};
use crate::progress::Shown;
use crate::text::{self, shown_path as shown};
use dropscope_outputs::OutputError;
use dropscope_pipeline::{Manifest, ObjectKey, RunId, Settings, Usd};
use dropscope_ports::Clock;
use dropscope_ports::clock::SystemClock;
use dropscope_projection::Purpose;
use dropscope_segment::{
    Found, Machine, Provenance, RunLog, RunProgress, StageError, Times, Told, Work, hash_input, segment_planes, write_results,
};
use dropscope_validate::Accepted;
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What a run says that its user stopped.
const STOPPED: &str = "stopped";

pub(super) fn run(args: &Run) -> Result<(), Failure> {
    let recordings = recordings(args)?;
    let stop = stop_by_keys()?;
    let mut codes = Vec::new();
    for recording in recordings {
        let done = recording.and_then(|recording| one(args, &recording, &stop).map_err(|failure| (recording.path, failure)));
        // One bad recording does not keep the others waiting; the exit code tells of the worst.
        if let Err((path, failure)) = done {
            eprintln!("{}: {failure}", shown(&path));
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

/// A recording, or the path that is none and why.
type Asked = Result<OnDisk, (PathBuf, Failure)>;

/// The recordings that are asked for. Two cannot share a folder of results.
fn recordings(args: &Run) -> Result<Vec<Asked>, Failure> {
    if args.as_one {
        return Ok(vec![Ok(OnDisk::of(&args.paths)?.named(args.name.as_deref())?)]);
    }
    let recordings: Vec<_> = args.paths.iter().map(|path| OnDisk::at(path).map_err(|failure| (path.clone(), failure))).collect();
    let mut seen = BTreeSet::new();
    match recordings.iter().flatten().map(|recording| &recording.name).find(|name| !seen.insert(*name)) {
        Some(twice) => {
            let cause = format!("two recordings are named `{}`", text::shown(twice));
            Err(Failure::input(cause, "run them one by one with another --out; files of one recording with --as-one"))
        }
        None => Ok(recordings),
    }
}

fn one(args: &Run, recording: &OnDisk, stop: &Arc<AtomicBool>) -> Result<(), Failure> {
    let name = &recording.name;
    let settings = recording.settings(&args.settings)?;
    let accepted = recording.accept(&settings)?;
    if !Making::is_free(&args.out.join(name)) {
        let cause = format!("{} is in the way and holds no results of dropscope", shown(&args.out.join(name)));
        return Err(Failure::input(cause, "choose another folder with --out"));
    }
    eprintln!("{}", text::shown(name));
    let making = Making::begin(&args.out.join(name)).map_err(|error| unwritable(&args.out, &error))?;
    let survey = preview::look_through(&accepted.recording, Purpose::Both)?;
    preview::write(making.path(), &survey, &preview::about(name, &accepted.plan), &[Kind::Preview, Kind::Summary])?;
    let (found, seconds) = segment_into(making.path(), recording, accepted, &settings, (args.threads, stop))?;
    let old = making.finish().map_err(|error| unwritable(&args.out, &error))?;
    let place = args.out.join(name);
    tell(&found);
    if args.json {
        let report = serde_json::json!({
            "recording": recording.path, "results": place, "cells": found.cells, "rois": found.rois, "clusters": found.clusters,
            "largest_shift_px": found.largest_shift_px, "bad_frames": found.bad_frames, "notes": found.notes, "seconds": seconds
        });
        text::say(&report.to_string())?;
    } else {
        text::say(&format!("{}: {found} in {seconds:.1} s", shown(&place)))?;
    }
    if let Some(old) = old {
        eprintln!("earlier results are kept in {}", shown(&old));
    }
    Ok(())
}

/// Notes on the recording, for whoever watches.
pub(super) fn tell(found: &Found) {
    found.notes.iter().for_each(|note| eprintln!("  note: {note}"));
}

pub(crate) fn unwritable(folder: &Path, error: &io::Error) -> Failure {
    let cause = format!("{} cannot be written, {error}", shown(folder));
    Failure::Failed { cause, remedy: "choose another folder with --out, or make room".into() }
}

/// Segments an accepted recording, all files of its run into `folder`. Returns what was found, and the seconds it took.
pub(super) fn segment_into(
    folder: &Path,
    from: &OnDisk,
    accepted: Accepted,
    settings: &Settings,
    (threads, stop): (usize, &Arc<AtomicBool>),
) -> Result<(Found, f64), Failure> {
    let (clock, log) = (SystemClock, RunLog::default());
    let started = clock.now();
    let (input_sha256, input_bytes) = hash_input(&from.input()?).map_err(|error| refused(error.into()))?;
    let Accepted { recording, info, plan, needs } = accepted;
    log.line(started, &format!("{} begins with {}", dropscope_segment::VERSION, serde_json::json!(settings)));
    let progress = Shown::until(stop.clone());
    let scratch = folder.join(".movie");
    let work = Work { plan: &plan, threads, scratch: &scratch };
    let segmented = segment_planes(&recording, &work, &progress as &dyn RunProgress);
    progress.finish();
    let segmented = segmented.map_err(broken)?;
    let key = ObjectKey::raw(from.path.to_string_lossy());
    let run = RunId::of_upload("local", &key, None, &input_sha256);
    let provenance = |times| Provenance {
        schema: 1,
        program: format!("dropscope {}", dropscope_segment::VERSION),
        input: key.as_str(),
        input_sha256: &input_sha256,
        input_bytes,
        recording: &info,
        plan: &plan,
        machine: Machine::this(),
        times,
        resumed: None,
        cost: Usd::ZERO,
    };
    let told = Told {
        name: &from.name,
        run: &run,
        came: from.written_at().unwrap_or(started),
        provenance: &provenance(Times::between(started, clock.now())),
        // Pictures and figures of the same recording, where this command has made them.
        beside: &|name| std::fs::read(folder.join(name)).ok(),
        scratch: &scratch,
    };
    write_results(&told, &segmented, |file, contents| folder::write_result(folder, file, &contents).map_err(Unwritten::Disk))
        .map_err(|error| match error {
            Unwritten::Disk(error) => unwritable(folder, &error),
            Unwritten::Output(error) => Failure::failed(&error, "report this as a bug, with the recording if you can"),
        })?;
    // There only where a movie was asked for.
    let _ = std::fs::remove_dir_all(&scratch);
    let found = Found::of(&segmented);
    let times = Times::between(started, clock.now());
    log.line(clock.now(), &format!("{found} in {:.1} s", times.seconds));
    found.notes.iter().for_each(|note| log.line(clock.now(), note));
    let provenance = provenance(times);
    let manifest = Manifest {
        schema: 1,
        run: run.clone(),
        bucket: "local".into(),
        key: key.clone(),
        version: None,
        etag: input_sha256.clone(),
        size: input_bytes,
        owner: String::new(),
        name: from.name.clone(),
        recording: info.clone(),
        plan: plan.clone(),
        needs,
        accepted_at: started,
    };
    write_documents(folder, &manifest, &provenance, &log)?;
    Ok((found, times.seconds))
}

fn write_documents(folder: &Path, manifest: &Manifest, provenance: &Provenance<'_>, log: &RunLog) -> Result<(), Failure> {
    let documents = [
        ("manifest.json", manifest.to_json()),
        ("provenance.json", serde_json::to_vec_pretty(provenance)),
        ("log.txt", Ok(log.text().into_bytes())),
    ];
    for (file, bytes) in documents {
        let bytes = bytes.map_err(|error| Failure::failed(&error, "report this as a bug"))?;
        folder::write(folder, file, &bytes).map_err(|error| unwritable(folder, &error))?;
    }
    Ok(())
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
