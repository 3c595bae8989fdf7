//! One file a command.

mod budget;
mod demo;
mod deploy;
mod links;
mod preview;
mod results;
mod run;
mod segment;
mod status;
mod upload;
mod users;
mod validate;
mod watch;
mod worker;

use crate::args::{Args, Command};
use crate::failure::Failure;

pub(crate) use run::unwritable;

/// Does what was typed.
///
/// # Errors
/// See [`Failure`].
pub fn run(args: Args) -> Result<(), Failure> {
    match args.command {
        Command::Demo(args) => demo::demo(&args),
        Command::Run(args) => run::run(&args),
        Command::Validate(args) => validate::validate(&args),
        Command::Segment(args) => segment::segment(&args),
        Command::Preview(args) => preview::one_stage(&args, preview::Kind::Preview),
        Command::Summarize(args) => preview::one_stage(&args, preview::Kind::Summary),
        Command::Watch(args) => watch::watch(&args),
        Command::Deploy(args) => deploy::deploy(&args),
        Command::Upload(args) => upload::upload(&args),
        Command::Open(args) => results::open(&args),
        Command::Fetch(args) => results::fetch(&args),
        Command::Rerun(args) => results::rerun(&args),
        Command::Status(args) => status::status(&args),
        Command::Budget(args) => budget::budget(&args),
        Command::Links(args) => links::links(&args),
        Command::Users(args) => users::users(&args),
        Command::Doctor(args) => crate::doctor::doctor(&args),
    }
}

/// The asynchronous runtime of a command that needs one.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let build = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    build.map_err(|error| Failure::failed(&error, "close other programs and try again"))
}
