//! The reconcile function under AWS Lambda. Whatever calls it (the minute, a spot warning, an instance that ended), it
//! looks at everything.

use dropscope_aws::{MAIL_LEASE_SECONDS, S3Objects, SnsMailer, place, sdk};
use dropscope_aws_ec2::Ec2Fleet;
use dropscope_pipeline::budget::Allowance;
use dropscope_pipeline::{Door, Quiet, Usd};
use dropscope_ports::clock::SystemClock;
use dropscope_reconcile::{Deps, Patience, ReconcileError, VARIABLES, handle};
use dropscope_runtime::environment::{
    BUCKET, Environment, EnvironmentError, LINK_DAYS, MAX_INSTANCES, MONTHLY_CAP, OPEN_URL, OWNER_CAP, STACK, TOPIC,
};
use dropscope_runtime::lambda::{answer, serve};
use std::process::ExitCode;
use std::sync::Arc;

/// EC2 tells of an instance up to minutes late, and a verdict may wait for Lambda's own retries.
const PATIENCE: Patience =
    Patience { launch: 300, wake: 120, verdict: 6 * 3600, leave: 300, overtime: 1800, tell: 900, quiet: QUIET };
/// Ten minutes without a new file; validate takes a quarter of an hour at most to begin a run.
const QUIET: Quiet = Quiet { needed: 600, again: 1200 };

#[tokio::main]
async fn main() -> ExitCode {
    serve(VARIABLES, deps, async |_, deps: Arc<Deps>| {
        answer(handle(&deps).await.map(|summary| vec![summary]), |_| false, ReconcileError::kind)
    })
    .await
}

async fn deps(environment: Environment) -> Result<Deps, EnvironmentError> {
    let (bucket, sdk) = (environment.text(&BUCKET)?, sdk().await);
    let most = environment.parsed(&MAX_INSTANCES, "a whole number", |text| text.parse().ok())?;
    let [cap, owner_cap] =
        [&MONTHLY_CAP, &OWNER_CAP].map(|cap| environment.parsed(cap, "an amount such as 20 or 19.50", Usd::parse));
    let days = environment.parsed(&LINK_DAYS, "a whole number", |text| text.parse().ok())?;
    Ok(Deps {
        objects: Arc::new(S3Objects::new(&sdk, &*bucket)),
        fleet: Arc::new(Ec2Fleet::new(&sdk, environment.text(&STACK)?)),
        mailer: Arc::new(SnsMailer::new(&sdk, environment.text(&TOPIC)?)),
        clock: Arc::new(SystemClock),
        place: place(&bucket),
        door: Door::new(&environment.text(&OPEN_URL)?, days),
        mail_lease_seconds: MAIL_LEASE_SECONDS,
        patience: PATIENCE,
        allowance: Allowance::of_stack(cap?, owner_cap?, most),
    })
}
