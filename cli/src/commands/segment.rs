//! `dropscope segment`

use crate::args::Segment;
use crate::commands::run::{segment_into, stop_by_keys, tell, unwritable};
use crate::failure::Failure;
use crate::on_disk::OnDisk;
use crate::text::{self, shown_path};
use std::io;
use std::path::Path;

pub(super) fn segment(args: &Segment) -> Result<(), Failure> {
    if let Some(bucket) = &args.worker.bucket_folder {
        return super::worker::work(bucket, args);
    }
    let Some(out) = &args.out else {
        return Err(Failure::input("no folder for the results is named", "see `dropscope segment --help`"));
    };
    let stop = stop_by_keys()?;
    let from = OnDisk::of(&args.paths)?;
    let settings = from.settings(&args.settings)?;
    let accepted = from.accept(&settings)?;
    let made_anew = !out.exists();
    let partial = out.join(format!(".partial-{}", std::process::id()));
    std::fs::create_dir_all(&partial).map_err(|error| unwritable(out, &error))?;
    let made = segment_into(&partial, &from, accepted, &settings, (args.threads, &stop));
    let moved = made.and_then(|found| {
        clear_earlier(out).and_then(|()| move_files(&partial, out)).map(|()| found).map_err(|error| unwritable(out, &error))
    });
    // Whatever happened, nothing half-written stays.
    let _ = std::fs::remove_dir_all(&partial);
    if made_anew && moved.is_err() {
        // Only a folder that is still empty goes.
        let _ = std::fs::remove_dir(out);
    }
    let (found, seconds) = moved?;
    tell(&found);
    if args.json {
        let report = serde_json::json!({ "results": out, "cells": found.cells, "rois": found.rois, "clusters": found.clusters, "notes": found.notes, "seconds": seconds });
        text::say(&report.to_string())
    } else {
        text::say(&format!("{}: {found} in {seconds:.1} s", shown_path(out)))
    }
}

/// Removes earlier results of another shape: planes that this recording does not have would stay beside its own, and so would
/// the matrix of an earlier run where there are too many cells now, and the movie that nobody asked for now.
fn clear_earlier(out: &Path) -> io::Result<()> {
    if !out.join("provenance.json").is_file() {
        return Ok(());
    }
    for entry in std::fs::read_dir(out)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name == "suite2p" {
            std::fs::remove_dir_all(entry.path())?;
        } else if name.starts_with("figure_plane")
            || ["covariance.npy", "registered.tif", "registered.gif"].contains(&name.as_str())
        {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Moves every file below `from` to the same place below `to`, replacing what is there.
fn move_files(from: &Path, to: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            std::fs::create_dir_all(&target)?;
            move_files(&entry.path(), &target)?;
        } else {
            std::fs::rename(entry.path(), target)?;
        }
    }
    Ok(())
}
