//! A fleet whose instances wait for the harness to run them: it outlives the machine that launched them.

use dropscope_pipeline::Usd;
use dropscope_pipeline::instance::Offer;
use dropscope_ports::{Clock, Fleet, FleetError, Instance, InstanceState, LaunchRequest};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Instances, and what they were asked to be.
pub struct InlineFleet {
    clock: Arc<dyn Clock>,
    instances: Mutex<Vec<(String, Instance)>>,
    /// How many launches find no capacity before the first that does.
    refusals: Mutex<u32>,
}

impl InlineFleet {
    /// An empty fleet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, instances: Mutex::new(Vec::new()), refusals: Mutex::new(0) }
    }

    /// Lets the next launches find no capacity.
    pub fn refuse_next(&self, times: u32) {
        *self.refusals.lock().unwrap_or_else(PoisonError::into_inner) = times;
    }

    /// Instances that are alive.
    pub fn alive(&self) -> Vec<Instance> {
        self.lock().iter().map(|(_, i)| i.clone()).filter(|i| i.state == InstanceState::Alive).collect()
    }

    /// How many instances were ever started.
    pub fn started(&self) -> usize {
        self.lock().len()
    }

    /// Ends an instance.
    pub fn end(&self, id: &str) {
        for (_, instance) in self.lock().iter_mut().filter(|(_, i)| i.id == id) {
            instance.state = InstanceState::Ended;
        }
    }

    /// Stops an instance, as somebody might by hand: its disk stays.
    pub fn rest(&self, id: &str) {
        for (_, instance) in self.lock().iter_mut().filter(|(_, i)| i.id == id) {
            instance.state = InstanceState::Resting;
        }
    }

    /// Ends every instance: the power is cut.
    pub fn end_all(&self) {
        for (_, instance) in self.lock().iter_mut() {
            instance.state = InstanceState::Ended;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(String, Instance)>> {
        self.instances.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait::async_trait]
impl Fleet for InlineFleet {
    async fn offers(&self) -> Result<Vec<Offer>, FleetError> {
        let usd_per_hour = Usd::from_micros(100_000);
        Ok(vec![Offer { instance_type: "test.large".into(), cores: 2, memory_mib: 8000, usd_per_hour }])
    }

    async fn launch(&self, request: &LaunchRequest) -> Result<Instance, FleetError> {
        let mut instances = self.lock();
        if let Some((token, instance)) = instances.iter().find(|(token, _)| *token == request.token) {
            return match instance.state {
                InstanceState::Alive => Ok(instance.clone()),
                InstanceState::Resting | InstanceState::Ended => Err(FleetError::TokenSpent(token.clone())),
            };
        }
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        if *refusals > 0 {
            *refusals -= 1;
            return Err(FleetError::NoCapacity("no spot capacity".into()));
        }
        let instance = Instance {
            id: format!("i-{}", instances.len()),
            run: request.run.clone(),
            attempt: request.attempt,
            instance_type: "test.large".into(),
            state: InstanceState::Alive,
            launched_at: self.clock.now(),
        };
        instances.push((request.token.clone(), instance.clone()));
        Ok(instance)
    }

    async fn list(&self) -> Result<Vec<Instance>, FleetError> {
        Ok(self.lock().iter().map(|(_, i)| i.clone()).collect())
    }

    async fn terminate(&self, instance: &str) -> Result<(), FleetError> {
        self.end(instance);
        Ok(())
    }
}
