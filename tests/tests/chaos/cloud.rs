//! Instances and letters outside the stack.

use dropscope_pipeline::instance::Offer;
use dropscope_pipeline::{Mail, Timestamp, Usd};
use dropscope_ports::{Clock, Fleet, FleetError, Instance, InstanceState, LaunchRequest, MailError, Mailer};
use dropscope_testkit::clock::StandingClock;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What an hour of every instance costs.
pub(crate) const PRICE: Usd = Usd::from_micros(100_000);
/// A new instance is not listed for so long, seconds: EC2 is eventually consistent.
const UNSEEN: u64 = 3;

/// One instance, as it really is.
#[derive(Debug, Clone)]
pub(crate) struct Real {
    token: String,
    pub(crate) instance: Instance,
    lifetime: u64,
    pub(crate) ended: Option<Timestamp>,
}

impl Real {
    /// What it has cost until `now`.
    pub(crate) fn cost(&self, now: Timestamp) -> Usd {
        let until = self.ended.unwrap_or(now);
        let seconds = (until.millis() - self.instance.launched_at.millis()).max(0) as u64 / 1000;
        PRICE.per_hour_for(seconds)
    }
}

/// A fleet whose instances end by their own watchdog, by request, or because the adversary says so.
pub(crate) struct Instances {
    clock: Arc<StandingClock>,
    all: Mutex<Vec<Real>>,
    /// Tokens that found no capacity.
    refused: Mutex<BTreeSet<String>>,
}

impl Instances {
    pub(crate) fn new(clock: Arc<StandingClock>) -> Self {
        Self { clock, all: Mutex::default(), refused: Mutex::default() }
    }

    /// Answers a launch that finds no capacity: a token gets what it got before, so one that has an instance keeps it.
    pub(crate) fn without_capacity(&self, request: &LaunchRequest) -> Result<Instance, FleetError> {
        if !self.lock().iter().any(|real| real.token == request.token) {
            self.refused().insert(request.token.clone());
        }
        self.answer(request)
    }

    fn answer(&self, request: &LaunchRequest) -> Result<Instance, FleetError> {
        let mut all = self.lock();
        if let Some(real) = all.iter().find(|real| real.token == request.token) {
            return match real.ended {
                None => Ok(real.instance.clone()),
                Some(_) => Err(FleetError::TokenSpent(request.token.clone())),
            };
        }
        if self.refused().contains(&request.token) {
            return Err(FleetError::NoCapacity("no spot capacity".into()));
        }
        let instance = Instance {
            id: format!("i-{}", all.len()),
            run: request.run.clone(),
            attempt: request.attempt,
            instance_type: "test.large".into(),
            state: InstanceState::Alive,
            launched_at: self.clock.now(),
        };
        let (token, lifetime) = (request.token.clone(), request.lifetime_seconds);
        all.push(Real { token, instance: instance.clone(), lifetime, ended: None });
        Ok(instance)
    }

    fn refused(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn all(&self) -> Vec<Real> {
        self.lock().clone()
    }

    pub(crate) fn alive(&self) -> Vec<Instance> {
        self.lock().iter().filter(|real| real.ended.is_none()).map(|real| real.instance.clone()).collect()
    }

    pub(crate) fn end(&self, id: &str) {
        let now = self.clock.now();
        for real in self.lock().iter_mut().filter(|real| real.instance.id == id) {
            real.instance.state = InstanceState::Ended;
            real.ended.get_or_insert(now);
        }
    }

    /// Ends what has outlived its lifetime; says which.
    pub(crate) fn watchdogs(&self) -> Vec<String> {
        let now = self.clock.now();
        let over = |real: &&Real| real.ended.is_none() && now >= real.instance.launched_at.plus_seconds(real.lifetime);
        let ids: Vec<String> = self.lock().iter().filter(over).map(|real| real.instance.id.clone()).collect();
        for real in self.lock().iter_mut().filter(|real| ids.contains(&real.instance.id)) {
            real.instance.state = InstanceState::Ended;
            // The clock may have leapt over it.
            real.ended = Some(real.instance.launched_at.plus_seconds(real.lifetime));
        }
        ids
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Real>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait::async_trait]
impl Fleet for Instances {
    async fn offers(&self) -> Result<Vec<Offer>, FleetError> {
        Ok(vec![Offer { instance_type: "test.large".into(), cores: 2, memory_mib: 8000, usd_per_hour: PRICE }])
    }

    async fn launch(&self, request: &LaunchRequest) -> Result<Instance, FleetError> {
        self.answer(request)
    }

    async fn list(&self) -> Result<Vec<Instance>, FleetError> {
        let now = self.clock.now();
        let seen = |real: &&Real| now >= real.instance.launched_at.plus_seconds(UNSEEN);
        Ok(self.lock().iter().filter(seen).map(|real| real.instance.clone()).collect())
    }

    async fn terminate(&self, instance: &str) -> Result<(), FleetError> {
        self.end(instance);
        Ok(())
    }
}

/// Keeps every letter.
#[derive(Default)]
pub(crate) struct Post(Mutex<Vec<Mail>>);

impl Post {
    pub(crate) fn all(&self) -> Vec<Mail> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait::async_trait]
impl Mailer for Post {
    async fn send(&self, mail: &Mail) -> Result<(), MailError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(mail.clone());
        Ok(())
    }
}
