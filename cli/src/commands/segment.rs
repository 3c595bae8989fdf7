//! `dropscope segment`

use crate::args::Segment;
use crate::commands::run::{name_of, open, refused, segment_into, unwritable};
use crate::failure::Failure;
use dropscope_validate::check;
use std::io;
use std::path::Path;

pub(super) fn segment(args: &Segment) -> Result<(), Failure> {
    if let Some(bucket) = &args.worker.bucket_folder {
        return super::worker::work(bucket, args);
    }
    let (Some(path), Some(out)) = (&args.path, &args.out) else {
        return Err(Failure::input("no recording is named", "see `dropscope segment --help`"));
    };
    let settings = crate::settings::settle(&args.settings, path)?;
    let accepted = check(Box::new(open(path)?), &settings).map_err(refused)?;
    let partial = out.join(format!(".partial-{}", std::process::id()));
    std::fs::create_dir_all(&partial).map_err(|error| unwritable(out, &error))?;
    let made = segment_into(&partial, path, &name_of(path), accepted, &settings, args.threads);
    let moved = made.and_then(|found| move_files(&partial, out).map(|()| found).map_err(|error| unwritable(out, &error)));
    // Whatever happened, nothing half-written stays.
    let _ = std::fs::remove_dir_all(&partial);
    let (found, seconds) = moved?;
    if args.json {
        println!("{}", serde_json::json!({ "results": out, "cells": found.cells, "rois": found.rois, "seconds": seconds }));
    } else {
        println!("{}: {} cells among {} ROIs in {seconds:.1} s", out.display(), found.cells, found.rois);
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
