//! The program `dropscope`.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    dropscope_runtime::start_logging(dropscope_runtime::Style::Plain);
    let args = dropscope_cli::args::Args::parse();
    match dropscope_cli::run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !matches!(failure, dropscope_cli::failure::Failure::Told { .. }) {
                eprintln!("{failure}");
            }
            failure.exit_code()
        }
    }
}
