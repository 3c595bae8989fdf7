//! The budget-alert function under AWS Lambda.

use dropscope_aws::{MAIL_LEASE_SECONDS, S3Objects, SnsMailer, sdk};
use dropscope_aws_ec2::Ec2Fleet;
use dropscope_budget_alert::{AlertError, Deps, VARIABLES, handle};
use dropscope_ports::clock::SystemClock;
use dropscope_runtime::environment::{ACCOUNT, ALERT_TOPIC, BUCKET, Environment, EnvironmentError, ON_DEMAND, STACK, TOPIC};
use dropscope_runtime::lambda::{Call, answer, serve};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

#[tokio::main]
async fn main() -> ExitCode {
    // An alert that is none may be one in another form: nothing is harmless here.
    serve(VARIABLES, deps, async |call: Call, deps: Arc<Deps>| {
        answer(handle(&call.event, &deps).await, |_| false, AlertError::kind)
    })
    .await
}

fn at_rest(word: &str) -> Option<bool> {
    match word {
        "stop" => Some(true),
        "terminate" => Some(false),
        _ => None,
    }
}

async fn deps(environment: Environment) -> Result<Deps, EnvironmentError> {
    let sdk = sdk().await;
    Ok(Deps {
        objects: Arc::new(S3Objects::new(&sdk, environment.text(&BUCKET)?)),
        fleet: Arc::new(Ec2Fleet::new(&sdk, environment.text(&STACK)?)),
        mailer: Arc::new(SnsMailer::new(&sdk, environment.text(&TOPIC)?)),
        clock: Arc::new(SystemClock),
        topic: environment.text(&ALERT_TOPIC)?,
        account: environment.text(&ACCOUNT)?,
        mail_lease_seconds: MAIL_LEASE_SECONDS,
        rest: environment.parsed(&ON_DEMAND, "`stop` or `terminate`", at_rest)?,
        pause: Duration::from_secs(5),
    })
}
