//! The open function under AWS Lambda, behind a function URL.

use dropscope_aws::{S3Objects, sdk};
use dropscope_open::{Deps, OpenError, VARIABLES, handle};
use dropscope_ports::clock::SystemClock;
use dropscope_runtime::environment::{BUCKET, Environment, EnvironmentError};
use dropscope_runtime::lambda::{Call, Failure, serve_quietly};
use std::process::ExitCode;
use std::sync::Arc;

#[tokio::main]
async fn main() -> ExitCode {
    let answer = async |call: Call, deps: Arc<Deps>| match handle(&call.event, &deps).await {
        Ok(answer) => Ok(answer.to_json()),
        Err(error) => Err(Failure::new(OpenError::kind(&error), &error)),
    };
    // An answer may open a report.
    serve_quietly(VARIABLES, deps, answer).await
}

async fn deps(environment: Environment) -> Result<Deps, EnvironmentError> {
    let objects = Arc::new(S3Objects::new(&sdk().await, environment.text(&BUCKET)?));
    Ok(Deps { sharing: objects.clone(), objects, clock: Arc::new(SystemClock) })
}
