//! The program `dropscope`.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    dropscope_runtime::start_logging(dropscope_runtime::Style::Plain);
    let args = dropscope_cli::args::Args::parse();
    match dropscope_cli::run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            failure.exit_code()
        }
    }
}
