//! The gif function under AWS Lambda.

use dropscope_aws::{S3Objects, sdk};
use dropscope_gif::{Deps, MOST_IN_LAMBDA, VARIABLES, handle};
use dropscope_runtime::environment::{BUCKET, Environment, EnvironmentError};
use dropscope_runtime::lambda::{Failure, refused, serve, told};
use std::process::ExitCode;
use std::sync::Arc;

#[tokio::main]
async fn main() -> ExitCode {
    serve(VARIABLES, deps, async |event, deps: Arc<Deps>| match handle(&event, &deps).await {
        Ok(outcomes) => Ok(told(&outcomes)),
        Err(error) if error.is_harmless() => Ok(refused(&error)),
        Err(error) => Err(Failure::new(error.kind(), &error)),
    })
    .await
}

async fn deps(environment: Environment) -> Result<Deps, EnvironmentError> {
    let bucket = environment.text(&BUCKET)?;
    Ok(Deps { objects: Arc::new(S3Objects::new(&sdk().await, &*bucket)), bucket, max_bytes: MOST_IN_LAMBDA })
}
