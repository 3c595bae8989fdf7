//! `dropscope preview` and `dropscope summarize`: one pass over a recording, pictures and figures.

use crate::args::OneStage;
use crate::commands::run::unwritable;
use crate::failure::Failure;
use crate::folder;
use crate::on_disk::{OnDisk, refused};
use crate::text::{self, shown_path};
use dropscope_pipeline::Plan;
use dropscope_projection::{About, ProjectionError, Purpose, Survey, Windows, survey};
use dropscope_recording::Recording;
use dropscope_validate::Accepted;
use std::path::Path;
use std::time::Instant;

/// Which files a look through a recording leaves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Projections, still and animated.
    Preview,
    /// Mean trace, motion, flags.
    Summary,
}

impl Kind {
    fn purpose(self) -> Purpose {
        match self {
            Self::Preview => Purpose::Pictures,
            Self::Summary => Purpose::Figures,
        }
    }
}

pub(super) fn one_stage(args: &OneStage, kind: Kind) -> Result<(), Failure> {
    let from = OnDisk::of(&args.paths)?;
    let Accepted { recording, plan, .. } = from.accept(&from.settings(&args.settings)?)?;
    let survey = look_through(&recording, kind.purpose())?;
    write(&args.out, &survey, &about(&from.name, &plan), &[kind])?;
    if kind == Kind::Summary && args.json {
        let summary = serde_json::to_string(&survey.summary(&about(&from.name, &plan)));
        return text::say(&summary.map_err(|error| Failure::failed(&error, "report this as a bug"))?);
    }
    text::say(&shown_path(&args.out))
}

/// One pass over the recording. How long it took is told to who asks with `DROPSCOPE_LOG=debug`.
pub(super) fn look_through(recording: &Recording, purpose: Purpose) -> Result<Survey, Failure> {
    let started = Instant::now();
    let survey = survey(recording, &Windows { purpose, ..Windows::default() }, &|_, _| {}).map_err(broken)?;
    let seconds = started.elapsed().as_secs_f64();
    let info = &survey.info;
    let bytes = info.frames * info.planes * info.height * info.width * info.dtype.bytes();
    tracing::debug!(bytes, seconds, "the pass over the pixels is done");
    Ok(survey)
}

pub(super) fn about(name: &str, plan: &Plan) -> About {
    About { name: name.to_owned(), frame_rate_hz: plan.frame_rate_hz.value, frame_rate_assumed: plan.frame_rate_hz.assumed() }
}

/// Writes the files of the kinds asked for.
pub(super) fn write(folder: &Path, survey: &Survey, about: &About, kinds: &[Kind]) -> Result<(), Failure> {
    for kind in kinds {
        let files = match kind {
            Kind::Preview => survey.preview_files(about),
            Kind::Summary => survey.summary_files(about),
        };
        for (name, bytes) in files.map_err(broken)? {
            folder::write(folder, name, &bytes).map_err(|error| unwritable(folder, &error))?;
        }
    }
    Ok(())
}

fn broken(error: ProjectionError) -> Failure {
    match error {
        ProjectionError::Recording(error) => refused(error),
        error => Failure::failed(&error, "report this as a bug, with the recording if you can"),
    }
}
