//! One seed: who goes on next, what becomes of each call, which events are lost or come twice, when the clock leaps.

use crate::actors::{Actor, BUCKET, Came, Task, World};
use crate::gate::Fate;
use crate::laws::Laws;
use crate::weather::Weather;
use dropscope_pipeline::{ObjectKey, State, Upload, state_keys};
use dropscope_ports::{Clock, Condition, Objects};
use dropscope_segment::Keeping;
use dropscope_tests::DATED;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use std::fmt::Write;

/// Decisions of the adversary before it grows tired.
const STEPS: usize = 800;
/// Actors at a time, at most.
const ACTORS: usize = 8;
/// Every so manieth actor hardly moves: it wakes up in another world.
const SLOW: usize = 3;
/// Rounds after which the calm must have brought everything to its end.
const ROUNDS: usize = 200;
/// Calls that one actor may make.
const MOST_CALLS: usize = 5000;
/// A delivery of a message to launch that failed so often goes to the dead letters.
const DELIVERIES: u32 = 3;
const ALERTS: [&str; 3] = ["sns-budget-actual.json", "sns-budget-forecasted.json", "sns-budget-implausible-amount.json"];

/// An event that may be delivered.
#[derive(Debug, Clone)]
struct Event {
    task: Task,
    failures: u32,
}

/// The world of one seed and what happens in it.
pub(crate) struct Adversary {
    pub(crate) world: World,
    rng: Xoshiro256PlusPlus,
    events: Vec<Event>,
    actors: Vec<Actor>,
    started: usize,
    /// How often calls go wrong, 0 to 1.
    wild: f64,
    laws: Laws,
    /// What happened, line by line.
    pub(crate) told: String,
}

impl Adversary {
    /// A world with `recordings`, uploaded; `wild` 0 lets everything go well.
    pub(crate) async fn new(seed: u64, wild: f64, recordings: &[Vec<u8>], keeping: Keeping) -> Self {
        let world = World::new(keeping, Weather::new(seed, wild));
        for owner in ["ana", "bo"] {
            let key = ObjectKey::raw(format!("recordings/{owner}/dropscope.toml"));
            world.store.put(&key, DATED.to_vec(), &Condition::Always).await.unwrap();
        }
        // Settings are nothing that anybody waits for.
        let _ = world.store.created();
        for (n, bytes) in recordings.iter().enumerate() {
            let key = ObjectKey::raw(format!("recordings/{}/{n}.tif", ["ana", "bo"][n % 2]));
            world.store.put(&key, bytes.clone(), &Condition::Always).await.unwrap();
        }
        let laws = Laws::new(recordings.len());
        let rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let (events, actors, told) = (Vec::new(), Vec::new(), String::new());
        let mut new = Self { world, rng, events, actors, started: 0, wild, laws, told };
        new.listen();
        new
    }

    /// Everything from the upload to the end; the law that was broken, if one was.
    pub(crate) async fn play(&mut self) -> Result<(), String> {
        let steps = if self.wild > 0.0 { STEPS } else { 0 };
        for _ in 0..steps {
            self.step().await;
            self.laws.hold(&self.world).await?;
        }
        self.calm().await?;
        self.laws.hold_at_the_end(&self.world).await
    }

    /// The results of the runs that are done, by recording.
    pub(crate) fn files(&self) -> std::collections::BTreeMap<String, Vec<dropscope_pipeline::job::ResultFile>> {
        self.laws.files()
    }

    fn tell(&mut self, line: std::fmt::Arguments<'_>) {
        let at = self.world.clock.now().millis() / 1000 % 1_000_000;
        let _ = writeln!(self.told, "{at:6} {line}");
    }

    async fn step(&mut self) {
        match self.rng.gen_range(0..100) {
            0..=54 => self.go_on().await,
            55..=69 => self.deliver().await,
            70..=76 => self.begin(Task::Reconcile).await,
            77..=84 => self.boot().await,
            85..=88 => self.kill(),
            89..=91 => self.interrupt(),
            92..=97 => self.wait(),
            98 => self.alert().await,
            _ => self.thaw().await,
        }
    }

    /// One actor makes its call.
    async fn go_on(&mut self) {
        let Some(at) = self.one_of(self.actors.len()) else { return };
        if self.is_spared(at) {
            return;
        }
        let fate = self.fate(&self.actors[at].before.clone());
        self.move_on(at, fate).await;
    }

    /// Slow ones seldom move, and seldom die before they have done harm.
    fn is_spared(&mut self, at: usize) -> bool {
        self.actors[at].number.is_multiple_of(SLOW) && self.rng.gen_bool(0.85)
    }

    async fn move_on(&mut self, at: usize, fate: Fate) {
        let mut actor = self.actors.swap_remove(at);
        let (number, call) = (actor.number, actor.before.clone());
        self.tell(format_args!("#{number} {call}: {fate:?}"));
        match actor.go_on(fate).await {
            _ if fate == Fate::Last => self.gone(actor),
            Came::ToACall => self.actors.push(actor),
            Came::End(end) => self.ended(actor, end),
        }
        self.listen();
    }

    /// What becomes of a call.
    fn fate(&mut self, call: &str) -> Fate {
        if !self.rng.gen_bool(self.wild) {
            return Fate::Through;
        }
        let read = ["get ", "head ", "list ", "instances"].iter().any(|kind| call.starts_with(kind));
        match self.rng.gen_range(0..4) {
            0 => Fate::Refused,
            _ if read => Fate::Refused,
            1 => Fate::Lost,
            2 => Fate::Crowded,
            _ => Fate::Last,
        }
    }

    async fn begin(&mut self, task: Task) {
        if self.actors.len() >= ACTORS {
            return;
        }
        self.started += 1;
        let mut actor = Actor::new(self.started, task, &self.world);
        self.tell(format_args!("#{} {} begins", actor.number, actor.task));
        match actor.begin().await {
            Came::ToACall => self.actors.push(actor),
            Came::End(end) => self.ended(actor, end),
        }
    }

    /// One event is delivered; it stays until a delivery of it has ended well, and sometimes after that.
    async fn deliver(&mut self) {
        let Some(at) = self.one_of(self.events.len()) else { return };
        let task = self.events[at].task.clone();
        if self.rng.gen_bool(0.08) && self.may_be_lost(&task).await {
            self.tell(format_args!("{task} is lost"));
            self.events.remove(at);
            return;
        }
        self.begin(task).await;
    }

    /// The event of an upload is delivered until somebody has claimed the run; everything else may be lost.
    async fn may_be_lost(&self, task: &Task) -> bool {
        let Task::Validate(upload) = task else { return true };
        let jobs = dropscope_jobs::list_jobs(&*self.world.store).await.unwrap();
        jobs.iter().any(|job| job.upload.key == upload.key)
    }

    /// A worker begins on an instance that has none.
    async fn boot(&mut self) {
        let idle = self.idle_instances();
        let Some(at) = self.one_of(idle.len()) else { return };
        self.begin(Task::Work(idle[at].clone())).await;
    }

    fn idle_instances(&self) -> Vec<dropscope_ports::Instance> {
        let works = |id: &str| self.actors.iter().any(|actor| matches!(&actor.task, Task::Work(on) if on.id == id));
        self.world.fleet.alive().into_iter().filter(|instance| !works(&instance.id)).collect()
    }

    /// One actor dies where it stands.
    fn kill(&mut self) {
        let Some(at) = self.one_of(self.actors.len()) else { return };
        if self.is_spared(at) {
            return;
        }
        let actor = self.actors.swap_remove(at);
        self.tell(format_args!("#{} dies before {}", actor.number, actor.before));
        self.gone(actor);
    }

    /// One instance ends; its worker may go on for a while.
    fn interrupt(&mut self) {
        let alive = self.world.fleet.alive();
        let Some(at) = self.one_of(alive.len()) else { return };
        let id = alive[at].id.clone();
        self.tell(format_args!("{id} is interrupted"));
        self.world.fleet.end(&id);
        if self.rng.gen_bool(0.6) {
            self.bury(&id);
        }
    }

    /// The workers of an instance are gone.
    fn bury(&mut self, id: &str) {
        self.actors.retain(|actor| !matches!(&actor.task, Task::Work(on) if on.id == id));
    }

    fn wait(&mut self) {
        let seconds = *[1, 5, 30, 61, 130, 400, 1000, 4000].choose(&mut self.rng).unwrap();
        self.world.clock.advance(seconds);
        self.tell(format_args!("{seconds} s go by"));
        for id in self.world.fleet.watchdogs() {
            self.tell(format_args!("{id} ends itself"));
            self.bury(&id);
        }
    }

    async fn alert(&mut self) {
        let file = *ALERTS.choose(&mut self.rng).unwrap();
        self.begin(Task::Alert(file)).await;
    }

    async fn thaw(&mut self) {
        self.tell(format_args!("the operator thaws"));
        dropscope_jobs::thaw(&*self.world.store, self.world.clock.now()).await.unwrap();
    }

    /// An actor came to its end.
    fn ended(&mut self, actor: Actor, end: Result<(), String>) {
        self.tell(format_args!("#{} ends: {end:?}", actor.number));
        if let Task::Work(instance) = &actor.task {
            self.world.fleet.end(&instance.id);
            return;
        }
        let again = self.rng.gen_bool(0.15);
        if let Some(at) = self.events.iter().position(|event| event.task == actor.task) {
            match end {
                Ok(()) if !again || self.wild == 0.0 => drop(self.events.remove(at)),
                Ok(()) => {}
                Err(_) => self.failed(at),
            }
        }
    }

    fn failed(&mut self, at: usize) {
        self.events[at].failures += 1;
        // Lambda's own queue gives up as well, but not before a run is claimed: see `may_be_lost`.
        if self.events[at].failures >= DELIVERIES && matches!(self.events[at].task, Task::Launch(_)) {
            self.events.remove(at);
        }
    }

    /// An actor died. An instance whose worker died ends with it, or stands idle until its watchdog ends it.
    fn gone(&mut self, actor: Actor) {
        if let Task::Work(instance) = &actor.task {
            if self.rng.gen_bool(0.7) {
                self.world.fleet.end(&instance.id);
            }
        } else if let Some(at) = self.events.iter().position(|event| event.task == actor.task) {
            self.failed(at);
        }
    }

    /// Makes events of what was created.
    fn listen(&mut self) {
        for upload in self.world.store.created() {
            let key = upload.key.as_str();
            let created = Upload { bucket: BUCKET.into(), ..upload.clone() };
            let task = if key.starts_with("recordings/") {
                Task::Validate(created)
            } else if key.starts_with(state_keys::WAKE) || key.ends_with("/manifest.json") {
                Task::Launch(created)
            } else {
                continue;
            };
            self.events.push(Event { task, failures: 0 });
        }
    }

    /// Nothing goes wrong any more. Who stands somewhere, also on an instance that has ended, comes to an end first.
    async fn calm(&mut self) -> Result<(), String> {
        self.tell(format_args!("calm"));
        for _ in 0..MOST_CALLS {
            let Some(at) = self.one_of(self.actors.len()) else { break };
            self.move_on(at, Fate::Through).await;
            self.laws.hold(&self.world).await?;
        }
        self.wild = 0.0;
        self.world.weather.calms();
        self.thaw().await;
        for round in 0..ROUNDS {
            self.round().await?;
            if self.is_over().await {
                return Ok(());
            }
            // A cap that is reached lets nothing go before the month is over.
            let seconds = if round == ROUNDS / 2 { 40 * 86_400 } else { 61 };
            self.world.clock.advance(seconds);
            for id in self.world.fleet.watchdogs() {
                self.bury(&id);
            }
        }
        let jobs = dropscope_jobs::list_jobs(&*self.world.store).await.unwrap();
        Err(format!("not over after {ROUNDS} rounds of calm: {jobs:?}"))
    }

    /// What a minute of the deployed stack does.
    async fn round(&mut self) -> Result<(), String> {
        for event in self.events.clone() {
            self.through(event.task).await?;
        }
        self.through(Task::Reconcile).await?;
        for instance in self.idle_instances() {
            self.through(Task::Work(instance)).await?;
        }
        Ok(())
    }

    /// Lets an actor do all that it has to.
    async fn through(&mut self, task: Task) -> Result<(), String> {
        self.begin(task).await;
        for _ in 0..MOST_CALLS {
            if self.actors.is_empty() {
                return Ok(());
            }
            self.move_on(0, Fate::Through).await;
            self.laws.hold(&self.world).await?;
        }
        Err(format!("{} makes more than {MOST_CALLS} calls", self.actors[0].task))
    }

    async fn is_over(&self) -> bool {
        let jobs = dropscope_jobs::list_jobs(&*self.world.store).await.unwrap();
        let over = jobs.iter().all(|job| job.closed && job.state != State::Received);
        over && jobs.len() == self.laws.uploads && self.events.is_empty() && self.world.fleet.alive().is_empty()
    }

    fn one_of(&mut self, count: usize) -> Option<usize> {
        (count > 0).then(|| self.rng.gen_range(0..count))
    }
}
