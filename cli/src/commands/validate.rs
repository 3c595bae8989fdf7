//! `dropscope validate`

use crate::args::Validate;
use crate::failure::Failure;
use crate::on_disk::OnDisk;
use crate::text;
use dropscope_pipeline::job::Verdict;
use dropscope_validate::{Accepted, report, report_rejected};

pub(super) fn validate(args: &Validate) -> Result<(), Failure> {
    let bug = |error: serde_json::Error| Failure::failed(&error, "report this as a bug");
    let (report, verdict) = match look(args) {
        Ok(accepted) => (report(&accepted).map_err(bug)?, Ok(())),
        Err(Failure::Input { cause, remedy }) => (report_rejected(&Verdict { cause, remedy }), Err(Failure::Told { code: 2 })),
        Err(failure) => return Err(failure),
    };
    text::say(&serde_json::to_string_pretty(&report).map_err(bug)?)?;
    verdict
}

fn look(args: &Validate) -> Result<Accepted, Failure> {
    let recording = OnDisk::of(&args.paths)?;
    recording.accept(&recording.settings(&args.settings)?)
}
