//! The validate function under AWS Lambda.

use dropscope_aws::{MAIL_LEASE_SECONDS, S3Objects, SnsMailer, place, sdk};
use dropscope_ports::clock::SystemClock;
use dropscope_runtime::environment::{BUCKET, Environment, EnvironmentError, TOPIC};
use dropscope_runtime::lambda::{Call, answer, serve};
use dropscope_validate::{Deps, VARIABLES, ValidateError, handle};
use std::process::ExitCode;
use std::sync::Arc;

#[tokio::main]
async fn main() -> ExitCode {
    serve(VARIABLES, deps, async |call: Call, deps: Arc<Deps>| {
        answer(handle(&call.event, &deps).await, ValidateError::is_harmless, ValidateError::kind)
    })
    .await
}

async fn deps(environment: Environment) -> Result<Deps, EnvironmentError> {
    let (bucket, topic, sdk) = (environment.text(&BUCKET)?, environment.text(&TOPIC)?, sdk().await);
    Ok(Deps {
        objects: Arc::new(S3Objects::new(&sdk, &*bucket)),
        mailer: Arc::new(SnsMailer::new(&sdk, topic)),
        clock: Arc::new(SystemClock),
        place: place(&bucket),
        bucket,
        mail_lease_seconds: MAIL_LEASE_SECONDS,
    })
}
