//! The segment program on an instance of EC2: what to do is read from the instance's own tags, through IMDSv2.

use crate::stages::RunProgress;
use crate::worker::{Assignment, Deps, Ending, handle};
use dropscope_aws::{MAIL_LEASE_SECONDS, Metadata, MetadataError, S3Objects, SnsMailer, metadata, place, sdk};
use dropscope_ports::clock::SystemClock;
use dropscope_runtime::environment::{BUCKET, Environment, EnvironmentError, TOPIC, Variable};
use dropscope_runtime::{Style, chain, start_logging};
use dropscope_segmentation::Stage;
use std::process::ExitCode;
use std::sync::Arc;

/// What the program needs to be told by its environment.
pub const VARIABLES: &[&Variable] = &[&BUCKET, &TOPIC];

/// An instance that does not know what to do.
#[derive(Debug, thiserror::Error)]
enum InstanceError {
    #[error("the environment is not that of an instance")]
    Environment(#[from] EnvironmentError),
    #[error("the instance's metadata does not tell `{what}`: allow tags in instance metadata")]
    Metadata {
        what: &'static str,
        #[source]
        source: Box<MetadataError>,
    },
    #[error("the instance's metadata says `{value}` for `{what}`")]
    Unreadable { what: &'static str, value: String },
}

/// Works off the attempt that this instance was started for. The exit code tells the log, not the job: reconcile sees
/// an attempt that did not end.
pub async fn run() -> ExitCode {
    start_logging(Style::Json);
    let (assignment, deps) = match ready().await {
        Ok(ready) => ready,
        Err(error) => {
            tracing::error!(error = chain(&error), "the instance cannot begin");
            return ExitCode::FAILURE;
        }
    };
    let run = assignment.run.to_string();
    match handle(&assignment, &deps, Arc::new(Logged)).await {
        Ok(ending @ (Ending::Done | Ending::Superseded(_))) => {
            tracing::info!(run, ?ending, "the attempt is over");
            ExitCode::SUCCESS
        }
        Ok(Ending::Failed(verdict)) => {
            tracing::warn!(run, cause = verdict.cause, "the recording cannot be segmented");
            ExitCode::SUCCESS
        }
        Err(error) => {
            tracing::error!(run, error = chain(&error), "the attempt broke off");
            ExitCode::FAILURE
        }
    }
}

async fn ready() -> Result<(Assignment, Deps), InstanceError> {
    let environment = Environment::of_process(VARIABLES)?;
    let (bucket, topic, sdk) = (environment.text(&BUCKET)?, environment.text(&TOPIC)?, sdk().await);
    let assignment = assignment(&metadata()).await?;
    let deps = Deps {
        objects: Arc::new(S3Objects::new(&sdk, &*bucket)),
        mailer: Arc::new(SnsMailer::new(&sdk, topic)),
        clock: Arc::new(SystemClock),
        place: place(&bucket),
        mail_lease_seconds: MAIL_LEASE_SECONDS,
        scratch: std::env::temp_dir(),
        threads: 0,
    };
    Ok((assignment, deps))
}

async fn assignment(metadata: &Metadata) -> Result<Assignment, InstanceError> {
    let tell = async |what: &'static str| -> Result<String, InstanceError> {
        let told = metadata.get(format!("/latest/meta-data/{what}")).await;
        told.map(|value| value.as_ref().trim().to_owned())
            .map_err(|source| InstanceError::Metadata { what, source: Box::new(source) })
    };
    let (run, attempt) = ("tags/instance/dropscope:run", "tags/instance/dropscope:attempt");
    let unreadable = |what: &'static str, value: String| InstanceError::Unreadable { what, value };
    let run_told = tell(run).await?;
    let attempt_told = tell(attempt).await?;
    Ok(Assignment {
        run: run_told.parse().map_err(|_| unreadable(run, run_told))?,
        attempt: attempt_told.parse().map_err(|_| unreadable(attempt, attempt_told))?,
        instance: tell("instance-id").await?,
    })
}

/// Progress as log lines.
struct Logged;

impl RunProgress for Logged {
    fn step(&self, plane: usize, planes: usize, stage: Stage, done: usize, total: usize) {
        // Each stage once, when it ends: a line a frame would fill the log.
        if done == total {
            tracing::info!(plane, planes, ?stage, "stage done");
        }
    }
}
