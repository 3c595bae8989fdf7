//! The segment program on an instance of EC2.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    dropscope_segment::instance::run().await
}
