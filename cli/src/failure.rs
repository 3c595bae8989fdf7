//! How the program fails: *cause: remedy*, and an exit code.

use std::error::Error;
use std::process::ExitCode;

/// Why a command did not do it.
#[derive(Debug)]
pub enum Failure {
    /// The input is at fault: exit code 2.
    Input {
        /// What is wrong.
        cause: String,
        /// What to do.
        remedy: String,
    },
    /// Something else is: exit code 1.
    Failed {
        /// What is wrong.
        cause: String,
        /// What to do.
        remedy: String,
    },
    /// Everything was said before.
    Told {
        /// The exit code that is left to give.
        code: u8,
    },
}

impl Failure {
    /// An input at fault.
    pub fn input(cause: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Input { cause: cause.into(), remedy: remedy.into() }
    }

    /// An error that is not the input's fault, with everything that led to it.
    pub fn failed(error: &dyn Error, remedy: impl Into<String>) -> Self {
        Self::Failed { cause: dropscope_runtime::chain(error), remedy: remedy.into() }
    }

    /// The exit code that says so.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code())
    }

    /// The same as a number.
    pub fn code(&self) -> u8 {
        match self {
            Self::Failed { .. } => 1,
            Self::Input { .. } => 2,
            Self::Told { code } => *code,
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Input { cause, remedy } | Self::Failed { cause, remedy } => write!(f, "{cause}: {remedy}"),
            Self::Told { .. } => Ok(()),
        }
    }
}
