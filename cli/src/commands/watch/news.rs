//! What `watch` says: one line for each step of a run.

use crate::cloud::BUCKET;
use crate::text;
use dropscope_pipeline::{Job, RunId, State, Timestamp};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;

/// What was said of each run.
pub(super) struct News {
    json: bool,
    /// Open runs, and what was said of each.
    told: HashMap<RunId, (&'static str, u32)>,
    left: usize,
    begun: Timestamp,
}

impl News {
    pub(super) fn new(json: bool, begun: Timestamp) -> Self {
        Self { json, told: HashMap::new(), left: 0, begun }
    }

    /// Says where the bucket is.
    pub(super) fn begins(&self, folder: &Path, address: SocketAddr) {
        let json = serde_json::json!({ "event": "listening", "endpoint": format!("http://{address}"), "bucket": BUCKET });
        self.say(&format!("listening     http://{address}, bucket {BUCKET}, folder {}", text::shown_path(folder)), &json);
    }

    /// Says what became of each run since the last time. Runs that ended before the program began are no news.
    pub(super) fn tell(&mut self, jobs: &[Job]) {
        self.left = jobs.iter().filter(|job| !job.state.is_final()).count();
        for job in jobs {
            let now = (job.state.word(), job.attempt);
            let before = if job.closed { self.told.remove(&job.run) } else { self.told.insert(job.run.clone(), now) };
            if before != Some(now) && !(job.closed && job.since < self.begun) {
                self.say(&line(job), &json(job));
            }
        }
    }

    /// Runs of which more is to be expected.
    pub(super) fn open(&self) -> Vec<RunId> {
        self.told.keys().cloned().collect()
    }

    /// Says what is left.
    pub(super) fn ends(&self) {
        let json = serde_json::json!({ "event": "stopped", "left": self.left });
        self.say(&format!("stopped       {} runs left; started again, it goes on with them", self.left), &json);
    }

    /// A reader that went away does not end the work.
    fn say(&self, line: &str, json: &serde_json::Value) {
        let said = if self.json { text::say(&json.to_string()) } else { text::say(line) };
        if let Err(error) = said {
            tracing::debug!(%error, "nobody reads the news");
        }
    }
}

fn line(job: &Job) -> String {
    let key = text::shown(job.upload.key.as_str());
    let more = match &job.state {
        State::Waiting { why } | State::Interrupted { why } | State::Stopped { why } => format!(": {}", text::shown(why)),
        State::Rejected(verdict) | State::Failed(verdict) => {
            format!(": {}: {}", text::shown(&verdict.cause), text::shown(&verdict.remedy))
        }
        State::Done(outcome) => format!(": {} cells, {:.1} s", outcome.cells, outcome.seconds),
        _ => String::new(),
    };
    format!("{:<13} {key}, run {}, attempt {}{more}", job.state.word(), job.run, job.attempt)
}

fn json(job: &Job) -> serde_json::Value {
    let why = match &job.state {
        State::Waiting { why } | State::Interrupted { why } | State::Stopped { why } => Some(why.clone()),
        State::Rejected(verdict) | State::Failed(verdict) => Some(format!("{}: {}", verdict.cause, verdict.remedy)),
        _ => None,
    };
    serde_json::json!({
        "event": "job",
        "run": job.run,
        "key": job.upload.key,
        "owner": job.owner,
        "state": job.state.word(),
        "attempt": job.attempt,
        "results": job.results(),
        "why": why,
    })
}
