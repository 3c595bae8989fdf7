//! `dropscope validate`

use crate::args::Validate;
use crate::commands::run::open;
use crate::failure::Failure;
use dropscope_pipeline::job::Verdict;
use dropscope_validate::{Accepted, Report, check};

pub(super) fn validate(args: &Validate) -> Result<(), Failure> {
    let (report, verdict) = match look(args) {
        Ok(accepted) => (Report::accepted(&accepted), Ok(())),
        Err(Failure::Input { cause, remedy }) => (Report::rejected(&Verdict { cause, remedy }), Err(Failure::Told)),
        Err(failure) => return Err(failure),
    };
    let text = serde_json::to_string_pretty(&report).map_err(|error| Failure::failed(&error, "report this as a bug"))?;
    println!("{text}");
    verdict
}

fn look(args: &Validate) -> Result<Accepted, Failure> {
    let settings = crate::settings::settle(&args.settings, &args.path)?;
    check(Box::new(open(&args.path)?), &settings).map_err(super::run::refused)
}
