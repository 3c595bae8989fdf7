//! The budget-alert function: AWS Budgets speaks, launches freeze, and what must not run any more is ended.
//!
//! The freeze comes first: it is the part that lasts. Instances are ended one by one, so that one that cannot be ended
//! spoils nothing for the others, and are looked for until they are gone; a launch that was under way is found so, too. A text that cannot be read, or an amount beyond belief, freezes and asks a person.

use aws_lambda_events::event::sns::{SnsEvent, SnsRecord};
use dropscope_jobs::JobsError;
use dropscope_pipeline::alert::{Alert, Reaction};
use dropscope_pipeline::mail;
use dropscope_ports::{Clock, Fleet, FleetError, Machine, MachineKind, Mailer, Objects};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use dropscope_runtime::environment::{ACCOUNT, ALERT_TOPIC, BUCKET, ON_DEMAND, STACK, TOPIC, Variable};

/// What the program needs to be told by its environment.
pub const VARIABLES: &[&Variable] = &[&BUCKET, &TOPIC, &STACK, &ALERT_TOPIC, &ACCOUNT, &ON_DEMAND];

/// What budget-alert may touch.
pub struct Deps {
    /// The bucket: only `state/budget.json` and the outbox.
    pub objects: Arc<dyn Objects>,
    /// Instances.
    pub fleet: Arc<dyn Fleet>,
    /// Mail.
    pub mailer: Arc<dyn Mailer>,
    /// Clock.
    pub clock: Arc<dyn Clock>,
    /// The topic that AWS Budgets of this account writes to: the topic's policy is what makes an alert genuine.
    pub topic: String,
    /// This account, 12 digits.
    pub account: String,
    /// How long a mail stays in the hand of whoever began to send it, seconds.
    pub mail_lease_seconds: u64,
    /// Whether a machine that is paid on demand is stopped, and keeps its disk, rather than ended.
    pub rest: bool,
    /// Time between two looks whether what was ended is gone.
    pub pause: Duration,
}

/// Looks whether what was ended is gone, before a person is told that it is not.
const LOOKS: usize = 12;

/// What became of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Launches are frozen; the operator is told.
    Frozen {
        /// Why, in words.
        why: String,
        /// Instances that were ended.
        ended: Vec<String>,
        /// Instances that run on, and why.
        unended: Vec<String>,
    },
    /// Not for this deployment: another topic or account. Nothing was done.
    Foreign(String),
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Frozen { why, ended, unended } if unended.is_empty() => {
                write!(f, "frozen: {why}; {} instances ended", ended.len())
            }
            Self::Frozen { why, ended, unended } => {
                write!(f, "frozen: {why}; {} instances ended, not ended: {}", ended.len(), unended.join(", "))
            }
            Self::Foreign(whose) => write!(f, "ignored: it comes from {whose}"),
        }
    }
}

/// A message that could not be worked off; trying again helps, unless it is no message of SNS.
#[derive(Debug, thiserror::Error)]
pub enum AlertError {
    /// No message of SNS; trying again does not help.
    #[error("the event is no message of sns")]
    Shape(#[source] serde_json::Error),
    /// State or mail are out of order.
    #[error("the freeze or its mail could not be recorded")]
    Jobs(#[from] JobsError),
    /// The fleet does not answer.
    #[error("the instances cannot be listed")]
    Fleet(#[from] FleetError),
}

impl AlertError {
    /// A name that stays: alarms go by it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Shape(_) => "Event",
            Self::Jobs(_) => "State",
            Self::Fleet(_) => "Fleet",
        }
    }
}

/// Works off one event of SNS.
///
/// # Errors
/// See [`AlertError`]. A repeated call freezes, ends and tells nothing twice.
pub async fn handle(event: &Value, deps: &Deps) -> Result<Vec<Outcome>, AlertError> {
    let event: SnsEvent = serde_json::from_value(event.clone()).map_err(AlertError::Shape)?;
    let mut outcomes = Vec::new();
    for record in event.records {
        outcomes.push(one(record, deps).await?);
    }
    Ok(outcomes)
}

async fn one(record: SnsRecord, deps: &Deps) -> Result<Outcome, AlertError> {
    if record.sns.topic_arn != deps.topic {
        return Ok(Outcome::Foreign(format!("topic `{}`", record.sns.topic_arn)));
    }
    let text = &record.sns.message;
    let (why, reaction) = match Alert::parse(text) {
        Ok(alert) if alert.account != deps.account => return Ok(Outcome::Foreign(format!("account `{}`", alert.account))),
        Ok(alert) => (alert.to_string(), alert.reaction()),
        Err(error) => (format!("an alert that cannot be read ({error})"), Reaction::FreezeAndAsk),
    };
    dropscope_jobs::freeze(&*deps.objects, &why, deps.clock.now()).await?;
    let (ended, unended) = match reaction {
        Reaction::FreezeAndEnd => halt_all(deps).await?,
        Reaction::Freeze | Reaction::FreezeAndAsk => (Vec::new(), Vec::new()),
    };
    let mail = mail::budget_alert(&record.sns.message_id, &why, reaction, &ended, &unended, text);
    dropscope_jobs::deliver(&*deps.objects, &*deps.mailer, &mail, deps.mail_lease_seconds, deps.clock.now()).await?;
    Ok(Outcome::Frozen { why, ended, unended })
}

/// Halts every machine of this deployment, each by a call of its own, and looks until none runs. What was halted, and what
/// runs on and why.
async fn halt_all(deps: &Deps) -> Result<(Vec<String>, Vec<String>), AlertError> {
    let (mut ended, mut failed) = (BTreeSet::new(), BTreeMap::new());
    let mut left = Vec::new();
    for look in 0..LOOKS {
        if look > 0 && !deps.pause.is_zero() {
            tokio::time::sleep(deps.pause).await;
        }
        // Thawed meanwhile, what starts from now on is meant to run.
        if look > 0 && dropscope_jobs::load_budget(&*deps.objects).await?.frozen.is_none() {
            left.clear();
            break;
        }
        left = deps.fleet.machines().await?;
        left.retain(|machine| runs(machine, deps.rest));
        if left.iter().all(|machine| failed.contains_key(&machine.id)) {
            break;
        }
        for machine in &left {
            if ended.contains(&machine.id) || failed.contains_key(&machine.id) {
                continue;
            }
            match deps.fleet.halt(machine, deps.rest).await {
                Ok(()) => _ = ended.insert(machine.id.clone()),
                // Asked again in the next look, where asking may help.
                Err(FleetError::Busy { .. }) if look + 1 < LOOKS => {}
                Err(error) => _ = failed.insert(machine.id.clone(), error.to_string()),
            }
        }
    }
    let why = |id: &String| failed.get(id).cloned().unwrap_or_else(|| "it was told to end and still runs".to_owned());
    let unended = left.iter().map(|machine| format!("{}: {}", machine.id, why(&machine.id))).collect();
    left.iter().for_each(|machine| _ = ended.remove(&machine.id));
    Ok((ended.into_iter().collect(), unended))
}

/// Whether a machine has to be halted: one that rests only costs its disk, where that is allowed.
fn runs(machine: &Machine, rest: bool) -> bool {
    !(machine.resting && rest && machine.kind == MachineKind::OnDemand)
}
