//! Where the checkpoints of an attempt lie: in the bucket, beside its results.
//!
//! The thread that computes asks, and whoever runs the attempt answers: so all writes of an attempt are in one hand, and
//! a thread that nobody listens to any more stops by itself.

use crate::log::RunLog;
use crate::own::{Body, upload};
use crate::worker::{Deps, WorkerError};
use dropscope_pipeline::Job;
use dropscope_pipeline::job::Refused;
use dropscope_ports::retry::patiently;
use dropscope_ports::{ObjectsError, Select};
use dropscope_segmentation::Saved;
use std::collections::BTreeSet;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinError, JoinHandle};

/// What the thread that computes asks for.
pub(crate) enum Ask {
    Load(String, oneshot::Sender<Option<Vec<u8>>>),
    Save(String, Vec<u8>, oneshot::Sender<Saved>),
}

/// The end of the thread that computes.
pub(crate) struct Shelved {
    asks: mpsc::Sender<Ask>,
    there: BTreeSet<String>,
}

/// The other end.
pub(crate) struct Shelf<'a> {
    job: &'a Job,
    deps: &'a Deps,
    log: &'a RunLog,
    asked: mpsc::Receiver<Ask>,
    /// Why the attempt is no longer the job's, if that was found out here.
    pub(crate) lost: Option<Refused>,
}

/// Both ends; a first attempt finds nothing there.
pub(crate) async fn shelf<'a>(job: &'a Job, deps: &'a Deps, log: &'a RunLog) -> (Shelved, Shelf<'a>) {
    let mut there = BTreeSet::new();
    if job.attempt > 1 {
        match dropscope_jobs::list_checkpoints(&*deps.objects, job).await {
            Ok(found) => there.extend(found),
            // Afresh is always right.
            Err(error) => not_now(deps, log, "checkpoints cannot be listed", &error),
        }
    }
    let (asks, asked) = mpsc::channel(1);
    (Shelved { asks, there }, Shelf { job, deps, log, asked, lost: None })
}

fn not_now(deps: &Deps, log: &RunLog, what: &str, error: &dyn std::error::Error) {
    log.line(deps.clock.now(), &format!("{what}: {}; the work goes on without", dropscope_runtime::chain(error)));
}

impl Shelved {
    pub(crate) fn load(&mut self, name: &str) -> Option<Vec<u8>> {
        if !self.there.contains(name) {
            return None;
        }
        self.ask(|answer| Ask::Load(name.to_owned(), answer)).flatten()
    }

    pub(crate) fn save(&mut self, name: &str, bytes: Vec<u8>) -> Saved {
        // Nobody answers: the attempt is over, or dead.
        self.ask(|answer| Ask::Save(name.to_owned(), bytes, answer)).unwrap_or(Saved::Stop)
    }

    fn ask<T>(&self, ask: impl FnOnce(oneshot::Sender<T>) -> Ask) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        self.asks.blocking_send(ask(answer)).ok()?;
        answered.blocking_recv().ok()
    }
}

impl Shelf<'_> {
    /// Answers until the work is done.
    pub(crate) async fn until<T>(&mut self, mut work: JoinHandle<T>) -> Result<T, JoinError> {
        loop {
            tokio::select! {
                biased;
                Some(ask) = self.asked.recv() => self.answer(ask).await,
                done = &mut work => return done,
            }
        }
    }

    async fn answer(&mut self, ask: Ask) {
        // Whoever asked may be gone by now.
        match ask {
            Ask::Load(name, answer) => drop(answer.send(self.load(&name).await)),
            Ask::Save(name, bytes, answer) => drop(answer.send(self.save(&name, bytes).await)),
        }
    }

    async fn load(&self, name: &str) -> Option<Vec<u8>> {
        let (key, whole) = (dropscope_jobs::checkpoint(self.job, name)?, Select::default());
        match patiently(|| self.deps.objects.get(&key, &whole)).await {
            Ok(object) => Some(object.bytes),
            Err(ObjectsError::NotFound { .. }) => None,
            Err(error) => {
                not_now(self.deps, self.log, &format!("checkpoint `{name}` cannot be read"), &error);
                None
            }
        }
    }

    async fn save(&mut self, name: &str, bytes: Vec<u8>) -> Saved {
        let Some(key) = dropscope_jobs::checkpoint(self.job, name) else { return Saved::NotNow };
        let size = bytes.len();
        match upload(self.job, &key, Body::Bytes(bytes), self.deps).await {
            Ok(()) => {
                self.log.line(self.deps.clock.now(), &format!("checkpoint `{name}` of {size} bytes"));
                Saved::Kept
            }
            Err(WorkerError::Superseded(refused)) => {
                self.lost = Some(refused);
                Saved::Stop
            }
            Err(error) => {
                not_now(self.deps, self.log, &format!("checkpoint `{name}` cannot be written"), &error);
                Saved::NotNow
            }
        }
    }
}
