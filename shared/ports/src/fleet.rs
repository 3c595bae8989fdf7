//! Starting and ending instances.

use crate::BoxError;
use dropscope_pipeline::instance::Offer;
use dropscope_pipeline::{Market, RunId, Timestamp};
use serde::{Deserialize, Serialize};

/// A place that runs workers: EC2, or this machine.
#[async_trait::async_trait]
pub trait Fleet: Send + Sync {
    /// What can be asked for.
    ///
    /// # Errors
    /// See [`FleetError`].
    async fn offers(&self) -> Result<Vec<Offer>, FleetError>;

    /// Starts one instance for one attempt of a run. The same token gives the same instance, started once.
    ///
    /// # Errors
    /// See [`FleetError`]; [`FleetError::TokenSpent`] when the token's instance has ended.
    async fn launch(&self, request: &LaunchRequest) -> Result<Instance, FleetError>;

    /// Every instance that this deployment started and that can still be seen.
    ///
    /// # Errors
    /// See [`FleetError`].
    async fn list(&self) -> Result<Vec<Instance>, FleetError>;

    /// Ends an instance. One that has ended, or that nobody knows, is ended already.
    ///
    /// # Errors
    /// See [`FleetError`].
    async fn terminate(&self, instance: &str) -> Result<(), FleetError>;

    /// Every machine of this deployment that costs money, whether or not it works on a run.
    ///
    /// # Errors
    /// See [`FleetError`].
    async fn machines(&self) -> Result<Vec<Machine>, FleetError> {
        let alive = self.list().await?.into_iter().filter(|instance| instance.state == InstanceState::Alive);
        Ok(alive.map(|instance| Machine { id: instance.id, kind: MachineKind::Spot, resting: false }).collect())
    }

    /// Makes a machine run no more, and keeps it from coming back; one at `rest` keeps its disk, where it can rest at all.
    /// One that has ended, or that nobody knows, is halted already.
    ///
    /// # Errors
    /// See [`FleetError`].
    async fn halt(&self, machine: &Machine, _rest: bool) -> Result<(), FleetError> {
        self.terminate(&machine.id).await
    }
}

/// A machine, as a switch for emergencies sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// The fleet's name for it.
    pub id: String,
    /// How it is paid, which says how it ends.
    pub kind: MachineKind,
    /// Whether it is stopped, or about to be, and only its disk costs money.
    pub resting: bool,
}

/// How a machine is paid, and thereby how it ends (EC2 user guide, spot instance requests; ending them).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MachineKind {
    /// Spot, once or as a member of a fleet: it can only end.
    Spot,
    /// Spot, by a request that starts another one when it ends, unless the request is cancelled first.
    Persistent {
        /// The request.
        request: String,
    },
    /// On demand: it can be stopped, and keeps its disk.
    OnDemand,
}

/// One instance, asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaunchRequest {
    /// Idempotency token: a function of run and attempt.
    pub token: String,
    /// The run it works on: a tag of the instance.
    pub run: RunId,
    /// The attempt it is: a tag of the instance.
    pub attempt: u32,
    /// Whose recording: a tag of the instance.
    pub owner: String,
    /// How it is to be paid.
    pub market: Market,
    /// Types that would do, best first.
    pub offers: Vec<Offer>,
    /// Seconds after which it ends itself, whatever happens.
    pub lifetime_seconds: u64,
}

/// An instance, as the fleet sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// The fleet's name for it.
    pub id: String,
    /// The run it works on.
    pub run: RunId,
    /// The attempt it is.
    pub attempt: u32,
    /// Its type.
    pub instance_type: String,
    /// Whether it costs money.
    pub state: InstanceState,
    /// When it was started.
    pub launched_at: Timestamp,
}

/// Whether an instance still is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InstanceState {
    /// Starting or running.
    Alive,
    /// Stopped by somebody: it works no more, and its disk still costs money.
    Resting,
    /// Ended, or ending for good.
    Ended,
}

/// A fleet that did not do it, sorted by what the caller may do.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// No capacity now: wait, ask again later.
    #[error("no capacity: {0}")]
    NoCapacity(String),
    /// The account or the deployment allows no more now: wait until something ends.
    #[error("quota reached: {0}")]
    Quota(String),
    /// The token's instance has ended: a new attempt needs a new token.
    #[error("the instance of token `{0}` has ended")]
    TokenSpent(String),
    /// Throttled or out of order: repeat the same call with the same token.
    #[error("the fleet did not answer `{call}`")]
    Busy {
        /// Which call.
        call: &'static str,
        /// The cause.
        #[source]
        source: BoxError,
    },
    /// Not allowed or not valid: repeating does not help.
    #[error("the fleet refuses `{call}`")]
    Refused {
        /// Which call.
        call: &'static str,
        /// The cause.
        #[source]
        source: BoxError,
    },
}
