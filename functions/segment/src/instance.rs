//! The segment program on an instance of EC2: what to do is read from the instance's own tags, through IMDSv2.

use crate::checkpoint::Keeping;
use crate::notice::Notice;
use crate::stages::RunProgress;
use crate::worker::{Assignment, Deps, Ending, handle};
use dropscope_aws::{MAIL_LEASE_SECONDS, Metadata, MetadataError, S3Objects, SnsMailer, metadata, place, sdk};
use dropscope_pipeline::Door;
use dropscope_ports::clock::SystemClock;
use dropscope_runtime::environment::{BUCKET, Environment, EnvironmentError, LINK_DAYS, OPEN_URL, TOPIC, Variable};
use dropscope_runtime::{Style, chain, start_logging};
use dropscope_segmentation::Stage;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// What tells that the instance may be taken away: in two minutes, or sooner than others.
const NOTICES: [&str; 2] = ["spot/instance-action", "events/recommendations/rebalance"];
/// Pause between two questions: what EC2 recommends.
const LISTEN: Duration = Duration::from_secs(5);

/// What the program needs to be told by its environment.
pub const VARIABLES: &[&Variable] = &[&BUCKET, &TOPIC, &OPEN_URL, &LINK_DAYS];

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
    let days = environment.parsed(&LINK_DAYS, "a whole number", |text| text.parse().ok())?;
    let door = Door::new(&environment.text(&OPEN_URL)?, days);
    let (metadata, keeping) = (metadata(), Keeping::default());
    let assignment = assignment(&metadata).await?;
    tokio::spawn(listen(metadata, keeping.notice.clone()));
    let deps = Deps {
        objects: Arc::new(S3Objects::new(&sdk, &*bucket)),
        mailer: Arc::new(SnsMailer::new(&sdk, topic)),
        clock: Arc::new(SystemClock),
        place: place(&bucket),
        door,
        mail_lease_seconds: MAIL_LEASE_SECONDS,
        scratch: std::env::temp_dir(),
        threads: 0,
        keeping,
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

/// Asks every few seconds whether the instance may be taken away, and passes word of it on, each notice once. It never
/// ends; where there is no metadata, or it is out of order, nothing is heard (EC2 user guide, spot-instance-termination-notices
/// and rebalance-recommendations).
async fn listen(metadata: Metadata, notice: Notice) {
    let mut heard = Heard::default();
    loop {
        heard.ask(&metadata, &notice).await;
        tokio::time::sleep(LISTEN).await;
    }
}

/// What was told so far.
#[derive(Default)]
struct Heard([Option<String>; NOTICES.len()]);

impl Heard {
    async fn ask(&mut self, metadata: &Metadata, notice: &Notice) {
        for (what, heard) in NOTICES.iter().zip(&mut self.0) {
            // Not found, as long as there is none.
            let Ok(told) = metadata.get(format!("/latest/meta-data/{what}")).await else { continue };
            let told = told.as_ref().trim().to_owned();
            if heard.as_ref() != Some(&told) {
                tracing::warn!(notice = what, told, "the instance may be taken away");
                notice.give();
                *heard = Some(told);
            }
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use dropscope_testkit::imds;

    // As in the EC2 user guide, spot-instance-termination-notices and rebalance-recommendations.
    const ACTION: (&str, &str) = ("spot/instance-action", r#"{"action": "terminate", "time": "2026-09-18T08:22:00Z"}"#);
    const REBALANCE: (&str, &str) = ("events/recommendations/rebalance", r#"{"noticeTime": "2026-09-18T08:20:00Z"}"#);

    async fn given(told: &[(&str, &str)]) -> usize {
        let metadata = dropscope_aws::metadata_at(&imds::start(told).unwrap()).unwrap();
        let (mut heard, notice) = (Heard::default(), Notice::default());
        for _ in 0..3 {
            heard.ask(&metadata, &notice).await;
        }
        notice.given()
    }

    #[tokio::test]
    async fn each_notice_is_passed_on_once_and_silence_says_nothing() {
        assert_eq!(given(&[("instance-id", "i-1")]).await, 0);
        assert_eq!(given(&[ACTION]).await, 1);
        assert_eq!(given(&[REBALANCE]).await, 1);
        assert_eq!(given(&[ACTION, REBALANCE]).await, 2);
    }

    #[tokio::test]
    async fn without_metadata_nothing_is_heard() {
        let metadata = dropscope_aws::metadata_at("http://127.0.0.1:9").unwrap();
        let notice = Notice::default();
        Heard::default().ask(&metadata, &notice).await;
        assert_eq!(notice.given(), 0);
    }
}
