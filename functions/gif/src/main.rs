//! The gif function under AWS Lambda.

use dropscope_aws::{S3Objects, sdk};
use dropscope_gif::{Deps, MOST_IN_LAMBDA, StageError, VARIABLES, handle};
use dropscope_runtime::environment::{BUCKET, Environment, EnvironmentError};
use dropscope_runtime::lambda::{Call, answer, serve};
use std::process::ExitCode;
use std::sync::Arc;

#[tokio::main]
async fn main() -> ExitCode {
    serve(VARIABLES, deps, async |call: Call, deps: Arc<Deps>| {
        answer(handle(&call.event, &deps, call.remaining).await, StageError::is_harmless, StageError::kind)
    })
    .await
}

async fn deps(environment: Environment) -> Result<Deps, EnvironmentError> {
    let bucket = environment.text(&BUCKET)?;
    Ok(Deps { objects: Arc::new(S3Objects::new(&sdk().await, &*bucket)), bucket, max_bytes: MOST_IN_LAMBDA })
}
