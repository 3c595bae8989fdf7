//! A thousand uploads at once, every event twice and in any order: a thousand runs, none lost, none doubled, never more
//! instances than allowed. A worker here does nothing but finish.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use dropscope_launch::Beside;
use dropscope_local::{LocalStore, MailDir};
use dropscope_pipeline::budget::Allowance;
use dropscope_pipeline::job::Outcome;
use dropscope_pipeline::{Job, ObjectKey, Quiet, State, Timestamp, Upload, Usd, event};
use dropscope_ports::{Clock, Condition, Mailer, Objects};
use dropscope_reconcile::Patience;
use dropscope_testkit::clock::StandingClock;
use dropscope_tests::{InlineFleet, recordings};
use std::sync::Arc;
use std::time::Instant;
use tempfile::TempDir;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinSet;

const BUCKET: &str = "b";
const RUNS: usize = 1000;
/// What template.yaml allows at most.
const MOST: usize = 100;
/// Calls of functions under way at a time.
const CALLS: usize = 16;
/// As the deployed reconcile has it.
const PATIENCE: Patience = Patience {
    launch: 300,
    wake: 120,
    verdict: 6 * 3600,
    leave: 300,
    overtime: 1800,
    tell: 900,
    quiet: Quiet { needed: 600, again: 1200 },
};

/// The functions of a stack over one bucket.
struct Stack {
    store: LocalStore,
    fleet: Arc<InlineFleet>,
    clock: Arc<StandingClock>,
    validate: Arc<dropscope_validate::Deps>,
    launch: Arc<dropscope_launch::Deps>,
    reconcile: dropscope_reconcile::Deps,
    created: UnboundedReceiver<Upload>,
    folder: TempDir,
}

impl Stack {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (announce, created) = unbounded_channel();
        let store = LocalStore::announcing(folder.path(), BUCKET, announce).unwrap();
        let clock = Arc::new(StandingClock::new());
        let fleet = Arc::new(InlineFleet::new(clock.clone()));
        let objects: Arc<dyn Objects> = Arc::new(store.clone());
        let mailer: Arc<dyn Mailer> = Arc::new(MailDir::new(folder.path(), clock.clone()));
        let allowance = Allowance { most_instances: Some(MOST), ..Allowance::default() };
        let validate = dropscope_validate::Deps {
            bucket: BUCKET.into(),
            objects: objects.clone(),
            mailer: mailer.clone(),
            clock: clock.clone(),
            place: String::new(),
            mail_lease_seconds: 0,
        };
        let launch = dropscope_launch::Deps {
            bucket: BUCKET.into(),
            objects: objects.clone(),
            fleet: fleet.clone(),
            clock: clock.clone(),
            allowance: allowance.clone(),
            beside: Beside::default(),
        };
        let reconcile = dropscope_reconcile::Deps {
            objects,
            fleet: fleet.clone(),
            mailer,
            clock: clock.clone(),
            place: String::new(),
            door: None,
            mail_lease_seconds: 0,
            patience: PATIENCE,
            allowance,
        };
        let (validate, launch) = (Arc::new(validate), Arc::new(launch));
        Self { store, fleet, clock, validate, launch, reconcile, created, folder }
    }

    /// Delivers everything that was created, twice, until nothing more is: what the rules of template.yaml do.
    async fn deliver(&mut self, dice: &mut Dice) {
        loop {
            let mut events = Vec::new();
            while let Ok(upload) = self.created.try_recv() {
                events.extend([upload.clone(), upload]);
            }
            if events.is_empty() {
                return;
            }
            dice.shuffle(&mut events);
            let (turns, mut calls) = (Arc::new(Semaphore::new(CALLS)), JoinSet::new());
            for upload in events {
                let (turns, validate, launch) = (turns.clone(), self.validate.clone(), self.launch.clone());
                calls.spawn(async move {
                    let _turn = turns.acquire().await.unwrap();
                    call(&upload, &validate, &launch).await;
                });
            }
            while let Some(ended) = calls.join_next().await {
                ended.unwrap();
            }
            assert!(self.fleet.alive().len() <= MOST, "{} instances", self.fleet.alive().len());
        }
    }

    /// Every instance that runs finishes.
    async fn work(&self) {
        for instance in self.fleet.alive() {
            let now = self.clock.now();
            let update = async |step: &dyn Fn(&Job) -> Job| {
                let decide = |job: &Job| Ok::<_, std::convert::Infallible>(step(job));
                dropscope_jobs::update_job(&self.store, &instance.run, decide).await.unwrap();
            };
            update(&|job| job.running(instance.attempt, &instance.id, now).unwrap()).await;
            update(&|job| job.done(nothing(instance.attempt), now).unwrap()).await;
            self.fleet.end(&instance.id);
        }
    }
}

/// A function is tried again when it fails: others were at the same document.
async fn call(upload: &Upload, validate: &dropscope_validate::Deps, launch: &dropscope_launch::Deps) {
    let event = event::object_created(upload, "e", Timestamp::from_millis(0));
    let key = upload.key.as_str();
    for _ in 0..5 {
        let failed = if key.starts_with("recordings/") {
            dropscope_validate::handle(&event, validate).await.err().map(|error| error.to_string())
        } else if key.starts_with("state/wake/") || key.ends_with("/manifest.json") {
            dropscope_launch::handle(&event, launch).await.err().map(|error| error.to_string())
        } else {
            None
        };
        if failed.is_none() {
            return;
        }
    }
    panic!("{key} failed five times");
}

fn nothing(attempt: u32) -> Outcome {
    Outcome {
        attempt,
        cells: 0,
        rois: 0,
        clusters: 0,
        largest_shift_px: 0.0,
        bad_frames: 0,
        notes: Vec::new(),
        seconds: 1.0,
        cost: Usd::from_micros(100),
        files: Vec::new(),
        provenance: serde_json::json!({}),
    }
}

/// Numbers in no order, the same each time (Marsaglia, Xorshift RNGs, 2003).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }

    fn shuffle<T>(&mut self, all: &mut [T]) {
        for place in (1..all.len()).rev() {
            let other = self.roll(place + 1);
            all.swap(place, other);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_uploads_are_a_thousand_runs_and_never_too_many_instances() {
    let (mut stack, mut dice, began) = (Stack::new(), Dice(88_172_645_463_325_252), Instant::now());
    let movie = recordings::pieces(1, 30).unwrap().swap_remove(0);
    for n in 0..RUNS {
        let key = ObjectKey::raw(format!("recordings/{}/{n}.tif", ["ana", "bo", "cy"][n % 3]));
        stack.store.put(&key, movie.clone(), &Condition::Always).await.unwrap();
    }
    let mut rounds = 0;
    loop {
        stack.deliver(&mut dice).await;
        stack.work().await;
        let summary = dropscope_reconcile::handle(&stack.reconcile).await.unwrap();
        rounds += 1;
        if summary.open == 0 {
            break;
        }
        assert!(rounds < 4 * RUNS / MOST, "{summary}");
        stack.clock.advance(121);
    }
    println!("{RUNS} runs in {rounds} rounds, {:.1} s", began.elapsed().as_secs_f64());
    let jobs = dropscope_jobs::list_jobs(&stack.store).await.unwrap();
    assert_eq!(jobs.len(), RUNS);
    assert!(jobs.iter().all(|job| job.closed && matches!(job.state, State::Done(_))));
    assert_eq!(stack.fleet.started(), RUNS, "one instance a run");
    assert_eq!(dropscope_tests::machine::mails(stack.folder.path()).unwrap().len(), RUNS, "one mail a run");
    let budget = dropscope_jobs::load_budget(&stack.store).await.unwrap();
    assert!(budget.reservations.is_empty());
    assert_eq!(budget.spent, Usd::from_micros(100 * RUNS as u64));
}
