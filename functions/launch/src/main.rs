//! The launch function under AWS Lambda, fed by its queue.

use dropscope_aws::{S3Objects, Sdk, sdk};
use dropscope_aws_ec2::{Ec2Fleet, Launching};
use dropscope_launch::{Beside, Deps, VARIABLES, program, work};
use dropscope_pipeline::Usd;
use dropscope_pipeline::budget::Allowance;
use dropscope_ports::Objects;
use dropscope_ports::clock::SystemClock;
use dropscope_runtime::environment::{
    BUCKET, DISK, Environment, EnvironmentError, LAUNCH_TEMPLATE, MAX_INSTANCES, MONTHLY_CAP, ON_DEMAND_FALLBACK, OWNER_CAP,
    STACK, SUBNETS,
};
use dropscope_runtime::lambda::{Call, Failure, serve};
use serde_json::Value;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::sync::OnceCell;

/// What the function is told, and what it makes of it at the first message: reading its own program takes longer than
/// starting should.
struct Launch {
    sdk: Sdk,
    bucket: String,
    stack: String,
    template: String,
    subnets: Vec<String>,
    allowance: Allowance,
    beside: Beside,
    ready: OnceCell<Deps>,
}

/// The argument with which an instance starts this program.
const WORK: &str = "work";

#[tokio::main]
async fn main() -> ExitCode {
    // One program is both, so that an instance never runs another version than the one that launched it.
    if std::env::args().nth(1).as_deref() == Some(WORK) {
        return dropscope_segment::instance::run().await;
    }
    serve(VARIABLES, told, async |call: Call, launch: Arc<Launch>| launch.work(call.event).await).await
}

fn yes(word: &str) -> Option<bool> {
    match word {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

async fn told(environment: Environment) -> Result<Launch, EnvironmentError> {
    let most = environment.parsed(&MAX_INSTANCES, "a whole number", |text| text.parse().ok())?;
    let [cap, owner_cap] =
        [&MONTHLY_CAP, &OWNER_CAP].map(|cap| environment.parsed(cap, "an amount such as 20 or 19.50", Usd::parse));
    Ok(Launch {
        bucket: environment.text(&BUCKET)?,
        stack: environment.text(&STACK)?,
        template: environment.text(&LAUNCH_TEMPLATE)?,
        subnets: environment.text(&SUBNETS)?.split(',').map(|subnet| subnet.trim().to_owned()).collect(),
        allowance: Allowance::of_stack(cap?, owner_cap?, most),
        beside: Beside::on_ec2(environment.parsed(&DISK, "a whole number", |text| text.parse().ok())?)
            .or_on_demand(environment.parsed(&ON_DEMAND_FALLBACK, "`yes` or `no`", yes)?),
        sdk: sdk().await,
        ready: OnceCell::new(),
    })
}

impl Launch {
    async fn work(&self, event: Value) -> Result<Value, Failure> {
        let deps = self.ready.get_or_try_init(|| self.deps()).await?;
        let worked = work(event, deps).await.map_err(|error| Failure::new("Event", &error))?;
        for told in &worked.told {
            tracing::info!(told, "launch");
        }
        for failed in &worked.failed {
            tracing::error!(failed, "a message comes again");
        }
        serde_json::to_value(worked.response).map_err(|error| Failure::new("Program", &error))
    }

    async fn deps(&self) -> Result<Deps, Failure> {
        let objects: Arc<dyn Objects> = Arc::new(S3Objects::new(&self.sdk, &*self.bucket));
        let own = std::env::current_exe().map_err(|error| Failure::new("Program", &error))?;
        let program = program::publish(&*objects, &own).await.map_err(|error| Failure::new("Store", &error))?;
        let (template, subnets) = (self.template.clone(), self.subnets.clone());
        let fleet = Ec2Fleet::new(&self.sdk, &*self.stack).launching(Launching { template, subnets, program });
        Ok(Deps {
            bucket: self.bucket.clone(),
            objects,
            fleet: Arc::new(fleet),
            clock: Arc::new(SystemClock),
            allowance: self.allowance.clone(),
            beside: self.beside.clone(),
        })
    }
}
