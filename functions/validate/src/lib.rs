//! The validate function: an uploaded recording's headers are read, its run is claimed, its verdict is written.
//!
//! Called twice, late, out of order or half way, it reads the state, does what is missing, and changes nothing else.

mod check;
mod folder;
mod handler;
mod settings;

pub use check::{Accepted, check, report, report_rejected, too_long};
pub use handler::{Deps, Outcome, ValidateError, handle, rerun};

use dropscope_runtime::environment::{BUCKET, TOPIC, Variable};

/// What the program needs to be told by its environment.
pub const VARIABLES: &[&Variable] = &[&BUCKET, &TOPIC];
