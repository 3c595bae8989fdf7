//! Money decisions: reserve before a launch, settle after it. Every function is called again without harm.

use crate::money::Usd;
use crate::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The one document all money decisions go through; changed only by conditional writes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// Layout of this document.
    pub schema: u32,
    /// Most that may be spent and reserved in a month; none is no cap.
    pub cap: Option<Usd>,
    /// Why nothing may be launched, when that is so.
    pub frozen: Option<Frozen>,
    /// Month of `spent`, as `2026-11`.
    pub month: String,
    /// Settled cost of this month.
    pub spent: Usd,
    /// What launches hold until they are settled, by attempt.
    pub reservations: BTreeMap<String, Reservation>,
    /// Reservations so far: each has a number of its own.
    #[serde(default)]
    pub reserved: u64,
    /// When each owner's last launch was, this month: owners take turns.
    #[serde(default)]
    pub served: BTreeMap<String, Timestamp>,
    /// Most that one owner's runs may spend and hold in a month.
    #[serde(default)]
    pub owner_caps: BTreeMap<String, Usd>,
    /// Settled cost of this month, by owner.
    #[serde(default)]
    pub spent_by: BTreeMap<String, Usd>,
    /// What the deployment allowed when money was last reserved: for people who look; decisions ask the deployment itself.
    #[serde(default)]
    pub allowed: Allowance,
    /// Attempts that were refused money: every other call that asks for the same attempt hears the same.
    #[serde(default)]
    pub refused: BTreeMap<String, TurnedDown>,
}

/// An attempt that was refused money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurnedDown {
    /// In words.
    pub why: String,
    /// When.
    pub at: Timestamp,
}

/// A stop of all launches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frozen {
    /// In words.
    pub why: String,
    /// Since when.
    pub since: Timestamp,
}

/// Money that a launch holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// The most that the attempt can cost.
    pub amount: Usd,
    /// Whose recording.
    pub owner: String,
    /// When it was reserved.
    pub since: Timestamp,
    /// What the attempt cost, once that is decided: its entry in the ledger is about to be written.
    #[serde(default)]
    pub cost: Option<Usd>,
    /// Tells it from an earlier one of the same attempt.
    #[serde(default)]
    pub number: u64,
}

/// What the deployment itself allows, whatever the document says: the person who pays for the stack set it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowance {
    /// Most that may be spent and reserved in a month; the lower of this and the document's cap holds.
    pub cap: Option<Usd>,
    /// The same for each owner.
    pub owner_cap: Option<Usd>,
    /// Most attempts that may hold money at a time, which is the most instances there can be.
    pub most_instances: Option<usize>,
}

impl Allowance {
    /// What a stack's parameters say; an `owner_cap` of nothing is no cap.
    pub fn of_stack(cap: Usd, owner_cap: Usd, most_instances: usize) -> Self {
        Self { cap: Some(cap), owner_cap: Some(owner_cap).filter(|cap| *cap > Usd::ZERO), most_instances: Some(most_instances) }
    }
}

/// Why a launch may not go ahead now; the job waits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Launches are frozen.
    #[error("launches are frozen since {since}: {why}")]
    Frozen {
        /// Reason.
        why: String,
        /// Since when.
        since: Timestamp,
    },
    /// The cap would be passed.
    #[error("the cap of {cap} a month leaves {left}, and this run may cost {asked}")]
    Cap {
        /// Cap of the month.
        cap: Usd,
        /// What is left of it.
        left: Usd,
        /// What the launch asked for.
        asked: Usd,
    },
    /// The cap of one owner would be passed.
    #[error("the cap of {cap} a month for {owner} leaves {left}, and this run may cost {asked}")]
    OwnerCap {
        /// Whose.
        owner: String,
        /// Cap of the month.
        cap: Usd,
        /// What is left of it.
        left: Usd,
        /// What the launch asked for.
        asked: Usd,
    },
    /// As many instances run as may.
    #[error("{0} instances may run at a time, and so many do")]
    Instances(usize),
    /// Another call asked for the same attempt, and was refused.
    #[error("{0}")]
    Before(String),
}

/// A refusal is kept so long, seconds: no call that asks for the attempt lives longer (Lambda ends it after 15 minutes).
const REFUSED: u64 = 86_400;

impl Budget {
    /// Reserves `amount` for an attempt. An attempt that holds a reservation keeps it, but does not pass a freeze with it.
    ///
    /// # Errors
    /// When launches are frozen, or a cap would be passed.
    pub fn reserve(&mut self, attempt: &str, amount: Usd, owner: &str, now: Timestamp) -> Result<(), Refusal> {
        self.reserve_within(&Allowance::default(), attempt, amount, owner, now)
    }

    /// The same, within what the deployment allows. The refusal of an attempt that holds nothing stands, for whoever asks for
    /// it: of two calls for one attempt none may take it back to waiting while the other starts its instance.
    ///
    /// # Errors
    /// When launches are frozen, a cap would be passed, too many attempts hold money, or the attempt was refused before.
    pub fn reserve_within(
        &mut self,
        allowance: &Allowance,
        attempt: &str,
        amount: Usd,
        owner: &str,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.turn_month(now);
        self.forget_refusals(attempt, now);
        let holds = self.reservations.contains_key(attempt);
        if let Err(refusal) = self.grants(allowance, attempt, amount, owner) {
            if !holds {
                self.refused.entry(attempt.to_owned()).or_insert_with(|| TurnedDown { why: refusal.to_string(), at: now });
            }
            return Err(refusal);
        }
        if holds {
            return Ok(());
        }
        self.allowed = allowance.clone();
        self.served.insert(owner.to_owned(), now);
        self.reserved += 1;
        let held = Reservation { amount, owner: owner.to_owned(), since: now, cost: None, number: self.reserved };
        self.reservations.insert(attempt.to_owned(), held);
        Ok(())
    }

    /// Whether an attempt may go, as far as money is concerned.
    fn grants(&self, allowance: &Allowance, attempt: &str, amount: Usd, owner: &str) -> Result<(), Refusal> {
        if let Some(before) = self.refused.get(attempt) {
            return Err(Refusal::Before(before.why.clone()));
        }
        if let Some(frozen) = &self.frozen {
            return Err(Refusal::Frozen { why: frozen.why.clone(), since: frozen.since });
        }
        if self.reservations.contains_key(attempt) {
            return Ok(());
        }
        if let Some(most) = allowance.most_instances.filter(|most| self.reservations.len() >= *most) {
            return Err(Refusal::Instances(most));
        }
        if let Some((cap, left)) = over(self.cap_within(allowance), self.committed(), amount) {
            return Err(Refusal::Cap { cap, left, asked: amount });
        }
        if let Some((cap, left)) = over(self.owner_cap_within(allowance, owner), self.committed_by(owner), amount) {
            return Err(Refusal::OwnerCap { owner: owner.to_owned(), cap, left, asked: amount });
        }
        Ok(())
    }

    /// Lets go of refusals that nobody can ask about any more: those of a day ago, and of earlier attempts of this run, whose
    /// calls see that another attempt is the job's before they start anything. Those of later ones stay: who asks is late.
    fn forget_refusals(&mut self, attempt: &str, now: Timestamp) {
        let asked = numbered(attempt);
        self.refused.retain(|other, refused| {
            let other = numbered(other);
            let earlier = other.0 == asked.0 && other.1 < asked.1;
            !earlier && now < refused.at.plus_seconds(REFUSED)
        });
    }

    /// Decides what an attempt cost, all that it holds where nobody knows: what is uncertain counts as spent. The first
    /// decision stands. Its reservation, if it holds one: an attempt that holds none is settled, or was never started.
    pub fn decide(&mut self, attempt: &str, cost: Option<Usd>) -> Option<Reservation> {
        let held = self.reservations.get_mut(attempt)?;
        held.cost.get_or_insert(cost.unwrap_or(held.amount));
        Some(held.clone())
    }

    /// Turns a reservation, by its number, into what was decided that it cost. An attempt that does not hold it is settled
    /// already: what it holds then is another one, and this call is the repetition of one whose answer was lost.
    pub fn settle(&mut self, attempt: &str, number: u64, now: Timestamp) {
        self.turn_month(now);
        if let Some(held) = self.take(attempt, number) {
            let cost = held.cost.unwrap_or(held.amount);
            self.spent = self.spent.plus(cost);
            let of_owner = self.spent_by.entry(held.owner).or_default();
            *of_owner = of_owner.plus(cost);
        }
    }

    /// Takes the reservation of an attempt back for which nothing was started. One whose cost is decided stays.
    pub fn release(&mut self, attempt: &str, now: Timestamp) {
        self.turn_month(now);
        if let Some(number) = self.reservations.get(attempt).filter(|held| held.cost.is_none()).map(|held| held.number) {
            self.forget(attempt, number, now);
        }
    }

    /// Takes a reservation, by its number, back whose cost is counted already.
    pub fn forget(&mut self, attempt: &str, number: u64, now: Timestamp) {
        self.turn_month(now);
        self.take(attempt, number);
    }

    fn take(&mut self, attempt: &str, number: u64) -> Option<Reservation> {
        if self.reservations.get(attempt)?.number == number { self.reservations.remove(attempt) } else { None }
    }

    /// Stops all launches. Frozen already, it keeps its first reason.
    pub fn freeze(&mut self, why: &str, now: Timestamp) {
        self.turn_month(now);
        self.frozen.get_or_insert_with(|| Frozen { why: why.to_owned(), since: now });
    }

    /// Lets launches go again.
    pub fn thaw(&mut self, now: Timestamp) {
        self.turn_month(now);
        self.frozen = None;
    }

    /// Spent and reserved together: never over the cap.
    pub fn committed(&self) -> Usd {
        self.reservations.values().fold(self.spent, |sum, r| sum.plus(r.amount))
    }

    /// The same of one owner's runs.
    pub fn committed_by(&self, owner: &str) -> Usd {
        let held = self.reservations.values().filter(|r| r.owner == owner);
        held.fold(self.spent_by.get(owner).copied().unwrap_or_default(), |sum, r| sum.plus(r.amount))
    }

    /// The cap that holds: the lower of the document's and the deployment's.
    pub fn cap_within(&self, allowance: &Allowance) -> Option<Usd> {
        allowance.cap.into_iter().chain(self.cap).min()
    }

    /// The same for one owner.
    pub fn owner_cap_within(&self, allowance: &Allowance, owner: &str) -> Option<Usd> {
        allowance.owner_cap.into_iter().chain(self.owner_caps.get(owner).copied()).min()
    }

    /// Sets the most that may be spent and held in a month, by all or by one owner; none takes that cap away.
    pub fn set_cap(&mut self, owner: Option<&str>, cap: Option<Usd>) {
        match (owner, cap) {
            (None, cap) => self.cap = cap,
            (Some(owner), Some(cap)) => _ = self.owner_caps.insert(owner.to_owned(), cap),
            (Some(owner), None) => _ = self.owner_caps.remove(owner),
        }
    }

    fn turn_month(&mut self, now: Timestamp) {
        self.schema = 1;
        let month = now.month();
        if self.month < month {
            self.month = month;
            self.spent = Usd::ZERO;
            self.spent_by.clear();
            self.served.clear();
        }
    }
}

/// Run and number of an attempt, see [`attempt_id`].
fn numbered(attempt: &str) -> (&str, u32) {
    let (run, number) = attempt.rsplit_once('.').unwrap_or((attempt, ""));
    (run, number.parse().unwrap_or(0))
}

/// The cap that `asked` would pass on top of what is committed, and what it leaves.
fn over(cap: Option<Usd>, committed: Usd, asked: Usd) -> Option<(Usd, Usd)> {
    let cap = cap.filter(|cap| committed.plus(asked) > *cap)?;
    Some((cap, Usd::from_micros(cap.micros().saturating_sub(committed.micros()))))
}

/// The name of an attempt in the budget and the ledger.
pub fn attempt_id(run: &crate::RunId, attempt: u32) -> String {
    format!("{run}.{attempt}")
}

/// What one attempt cost, written once beside the budget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// Layout of this document.
    pub schema: u32,
    /// Run and attempt.
    pub attempt: String,
    /// Whose recording.
    pub owner: String,
    /// Which recording.
    pub key: String,
    /// What was reserved.
    pub reserved: Usd,
    /// What it cost.
    pub cost: Usd,
    /// When it was settled.
    pub settled_at: Timestamp,
    /// Number of the reservation that it settled.
    #[serde(default)]
    pub reservation: u64,
}

#[cfg(test)]
#[path = "budget_tests.rs"]
mod tests;
