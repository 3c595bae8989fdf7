//! The world of the model: documents, instances, mail, and who is at work.

use crate::actors::Actor;
use dropscope_pipeline::budget::{Allowance, Budget, LedgerEntry};
use dropscope_pipeline::{Job, Manifest, Needs, ObjectKey, Plan, RunId, Settings, State, Timestamp, Upload, Usd};
use dropscope_recording::Info;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::{Arc, OnceLock};

/// The present. Time goes by in leaps that are longer than any patience: what is written now is fresh, what was written
/// before a leap is old.
pub(crate) const NOW: i64 = 1_790_000_000_000;
/// One leap, milliseconds; what is older than two is as old as two.
const LEAP: i64 = 1_000_000;
/// What every attempt reserves, and what a finished one costs.
pub(crate) const PRICE: Usd = Usd::from_micros(100_000);
pub(crate) const SPENT: Usd = Usd::from_micros(10_000);

/// What is explored.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    pub(crate) runs: usize,
    /// Whether the recordings are no recordings.
    pub(crate) rejected: bool,
    /// Instances that may run at a time.
    pub(crate) at_a_time: usize,
    /// Deliveries of an upload's event; without one its recording is accepted and announced already.
    pub(crate) deliveries: u8,
    /// Calls of launch at a time, for each run.
    pub(crate) launches: usize,
    pub(crate) left: Left,
    /// Whether a mail is looked at call by call, or goes out as one.
    pub(crate) mail_by_calls: bool,
    pub(crate) planted: Option<Planted>,
}

/// Misfortunes that are left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Left {
    /// Actors that die, answers that are lost.
    pub(crate) faults: u8,
    /// Launches without capacity.
    pub(crate) refusals: u8,
    /// Instances that are taken away, workers that break off.
    pub(crate) interruptions: u8,
    /// Alerts of AWS Budgets.
    pub(crate) freezes: u8,
    /// Recordings that turn out not to be segmentable.
    pub(crate) failures: u8,
}

/// A mistake, made on purpose to see that it is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Planted {
    ClaimsOverAClaim,
    ReservesNothing,
    IgnoresTheFence,
    SettlesTwice,
    ForgetsTheOutbox,
}

#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) runs: Vec<Run>,
    pub(crate) budget: Budget,
    pub(crate) ledger: BTreeMap<String, LedgerEntry>,
    pub(crate) actors: Vec<Actor>,
    pub(crate) left: Left,
}

/// One upload, and all that came of it.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) id: RunId,
    /// How often its event may still be delivered.
    pub(crate) deliveries: u8,
    pub(crate) job: Option<Arc<Job>>,
    pub(crate) marker: bool,
    pub(crate) manifest: bool,
    /// Whether launch may be told of it: by its manifest, or announced again.
    pub(crate) announced: bool,
    pub(crate) post: Post,
    pub(crate) instances: Vec<Instance>,
    /// Attempts whose token found no capacity: a repeated token gets the same answer.
    pub(crate) refused: BTreeSet<u32>,
    /// Attempts of the workers that committed.
    pub(crate) committed: Vec<u32>,
}

/// The one mail that a run owes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Post {
    pub(crate) pending: Option<Timestamp>,
    pub(crate) sent: bool,
    pub(crate) delivered: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Instance {
    pub(crate) attempt: u32,
    pub(crate) alive: bool,
    pub(crate) launched_at: Timestamp,
    /// Whether a worker was started on it.
    pub(crate) booted: bool,
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from_millis(NOW)
}

pub(crate) fn earlier() -> Timestamp {
    Timestamp::from_millis(NOW - LEAP)
}

/// A point in time, one leap later.
pub(crate) fn age(at: &mut Timestamp) {
    *at = Timestamp::from_millis((at.millis() - LEAP).max(NOW - 2 * LEAP));
}

pub(crate) fn age_job(job: &mut Arc<Job>) {
    age(&mut Arc::make_mut(job).since);
}

pub(crate) fn age_budget(budget: &mut Budget) {
    budget.reservations.values_mut().for_each(|held| age(&mut held.since));
}

impl Model {
    pub(crate) fn start(&self) -> World {
        let claimed = self.deliveries == 0;
        let run = |n: usize| {
            let run = self.run(n);
            let job = Arc::new(run.claim().validated(run.accepted(), now()).unwrap());
            if claimed { Run { job: Some(job), marker: true, manifest: true, announced: true, ..run } } else { run }
        };
        World {
            runs: (0..self.runs).map(run).collect(),
            budget: Budget::default(),
            ledger: BTreeMap::new(),
            actors: Vec::new(),
            left: self.left,
        }
    }

    fn run(&self, n: usize) -> Run {
        Run {
            id: format!("{n:016x}").parse().unwrap(),
            deliveries: self.deliveries,
            job: None,
            marker: false,
            manifest: false,
            announced: false,
            post: Post::default(),
            instances: Vec::new(),
            refused: BTreeSet::new(),
            committed: Vec::new(),
        }
    }

    /// Money for five attempts of each run: more than any walk needs, so that the good end is there.
    pub(crate) fn allowance(&self) -> Allowance {
        let cap = Usd::from_micros(PRICE.micros() * 5 * self.runs as u64);
        Allowance { cap: Some(cap), owner_cap: None, most_instances: Some(self.at_a_time) }
    }
}

impl Run {
    pub(crate) fn claim(&self) -> Job {
        let key = ObjectKey::raw("recordings/ana/x.tif");
        let upload = Upload { bucket: "b".into(), key, version: None, etag: "e".into(), size: None, sequencer: None };
        Job::claim(self.id.clone(), upload, "ana".into(), Settings::default(), now())
    }

    pub(crate) fn accepted(&self) -> Manifest {
        static RECORDING: OnceLock<Info> = OnceLock::new();
        let recording = RECORDING.get_or_init(|| {
            serde_json::from_value(serde_json::json!({
                "frames": 8, "planes": 1, "channels": 1, "height": 8, "width": 8, "dtype": "uint16", "pages": 8,
                "frame_rate_hz": null, "pixel_size_um": null, "compression": "none", "sources": {}, "notes": []
            }))
            .unwrap()
        });
        Manifest {
            schema: 1,
            run: self.id.clone(),
            bucket: "b".into(),
            key: ObjectKey::raw("recordings/ana/x.tif"),
            version: None,
            etag: "e".into(),
            size: 1,
            owner: "ana".into(),
            name: "x".into(),
            plan: Plan::settle(&Settings::default(), recording),
            needs: Needs::of(recording),
            recording: recording.clone(),
            accepted_at: now(),
        }
    }

    /// What a step of the job's state machine makes of the document as it stands: what it is now, or what refused.
    pub(crate) fn update<R>(&mut self, step: impl FnOnce(&Job) -> Result<Job, R>) -> Result<Arc<Job>, Arc<Job>> {
        let job = self.job.clone().unwrap();
        match step(&job) {
            Ok(next) => {
                let next = Arc::new(next);
                self.job = Some(next.clone());
                Ok(next)
            }
            Err(_) => Err(job),
        }
    }
}

impl World {
    /// A leap of time. What somebody has read ages with it.
    pub(crate) fn leap(&mut self) {
        for run in &mut self.runs {
            run.job.iter_mut().for_each(age_job);
            run.post.pending.iter_mut().for_each(age);
            run.instances.iter_mut().for_each(|instance| age(&mut instance.launched_at));
        }
        age_budget(&mut self.budget);
        self.actors.iter_mut().for_each(Actor::leap);
    }

    /// Makes equal what differs in nothing that matters: numbers of reservations, the order of actors, how old what is old is.
    pub(crate) fn normalise(&mut self) {
        if self.actors.iter().all(|actor| !actor.aged) {
            self.round();
        }
        let mut numbers: BTreeSet<u64> = self.budget.reservations.values().map(|held| held.number).collect();
        numbers.extend(self.ledger.values().map(|entry| entry.reservation));
        self.actors.iter().for_each(|actor| actor.numbers(&mut numbers));
        let rank: BTreeMap<u64, u64> = numbers.into_iter().zip(1..).collect();
        self.budget.reserved = rank.len() as u64;
        self.budget.reservations.values_mut().for_each(|held| held.number = rank[&held.number]);
        self.ledger.values_mut().for_each(|entry| entry.reservation = rank[&entry.reservation]);
        self.actors.iter_mut().for_each(|actor| actor.renumber(&rank));
        self.budget.served.clear();
        self.actors.sort_by_cached_key(Actor::key);
    }

    /// Nobody's clock stands before the last leap: what was written before it is just old.
    fn round(&mut self) {
        let round = |at: &mut Timestamp| *at = (*at).max(earlier());
        let jobs = self.actors.iter_mut().flat_map(|actor| actor.jobs.iter_mut().flatten());
        let jobs = jobs.chain(self.runs.iter_mut().filter_map(|run| run.job.as_mut()));
        jobs.filter(|job| job.since < earlier()).for_each(|job| round(&mut Arc::make_mut(job).since));
        for run in &mut self.runs {
            run.post.pending.iter_mut().for_each(round);
            run.instances.iter_mut().for_each(|instance| round(&mut instance.launched_at));
        }
        let budgets = self.actors.iter_mut().filter_map(|actor| actor.budget.as_mut()).chain([&mut self.budget]);
        budgets.flat_map(|budget| budget.reservations.values_mut()).for_each(|held| round(&mut held.since));
        let seen = self.actors.iter_mut().flat_map(|actor| actor.instances.iter_mut());
        seen.for_each(|instance| round(&mut instance.launched_at));
    }

    /// All that tells this world from another.
    pub(crate) fn key(&self) -> String {
        let mut key = format!("{:?}", self.left);
        for run in &self.runs {
            let Run { id: _, deliveries, job, marker, manifest, announced, post, instances, refused, committed } = run;
            let _ = write!(key, "|{deliveries}{marker}{manifest}{announced}{post:?}{instances:?}{refused:?}{committed:?}");
            job.iter().for_each(|job| job_key(job, &mut key));
        }
        budget_key(&self.budget, &mut key);
        for (attempt, entry) in &self.ledger {
            let _ = write!(key, "|{attempt}{:?}{}", entry.cost, entry.reservation);
        }
        self.actors.iter().for_each(|actor| key.push_str(&actor.key()));
        key
    }
}

pub(crate) fn job_key(job: &Job, key: &mut String) {
    let state = match &job.state {
        State::Running { instance } => instance.as_str(),
        other => other.word(),
    };
    let _ = write!(key, "{state}{}{}{}{}", job.attempt, job.interruptions, job.closed, job.since.millis() - NOW);
}

pub(crate) fn budget_key(budget: &Budget, key: &mut String) {
    let _ = write!(key, "|{:?}{}", budget.spent, budget.frozen.is_some());
    for (attempt, held) in &budget.reservations {
        let _ = write!(key, "{attempt}{:?}{}{}", held.cost, held.number, held.since.millis() - NOW);
    }
    budget.refused.keys().for_each(|attempt| key.push_str(attempt));
}
