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
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowance {
    /// Most that may be spent and reserved in a month; the lower of this and the document's cap holds.
    pub cap: Option<Usd>,
    /// Most attempts that may hold money at a time, which is the most instances there can be.
    pub most_instances: Option<usize>,
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
    /// As many instances run as may.
    #[error("{0} instances may run at a time, and so many do")]
    Instances(usize),
}

impl Budget {
    /// Reserves `amount` for an attempt. An attempt that holds a reservation keeps it, but does not pass a freeze with it.
    ///
    /// # Errors
    /// When launches are frozen, or the cap would be passed.
    pub fn reserve(&mut self, attempt: &str, amount: Usd, owner: &str, now: Timestamp) -> Result<(), Refusal> {
        self.reserve_within(&Allowance::default(), attempt, amount, owner, now)
    }

    /// The same, within what the deployment allows.
    ///
    /// # Errors
    /// When launches are frozen, a cap would be passed, or too many attempts hold money.
    pub fn reserve_within(
        &mut self,
        allowance: &Allowance,
        attempt: &str,
        amount: Usd,
        owner: &str,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.turn_month(now);
        if let Some(frozen) = &self.frozen {
            return Err(Refusal::Frozen { why: frozen.why.clone(), since: frozen.since });
        }
        if self.reservations.contains_key(attempt) {
            return Ok(());
        }
        if let Some(most) = allowance.most_instances.filter(|most| self.reservations.len() >= *most) {
            return Err(Refusal::Instances(most));
        }
        if let Some(cap) = allowance.cap.into_iter().chain(self.cap).min() {
            let committed = self.committed();
            if committed.plus(amount) > cap {
                let left = Usd::from_micros(cap.micros().saturating_sub(committed.micros()));
                return Err(Refusal::Cap { cap, left, asked: amount });
            }
        }
        self.served.insert(owner.to_owned(), now);
        self.reserved += 1;
        let held = Reservation { amount, owner: owner.to_owned(), since: now, cost: None, number: self.reserved };
        self.reservations.insert(attempt.to_owned(), held);
        Ok(())
    }

    /// Decides what an attempt cost, all that it holds where nobody knows: what is uncertain counts as spent. The first
    /// decision stands. Its reservation, if it holds one: an attempt that holds none is settled, or was never started.
    pub fn decide(&mut self, attempt: &str, cost: Option<Usd>) -> Option<Reservation> {
        let held = self.reservations.get_mut(attempt)?;
        held.cost.get_or_insert(cost.unwrap_or(held.amount));
        Some(held.clone())
    }

    /// Turns an attempt's reservation into what was decided that it cost. An attempt that holds none is settled already.
    pub fn settle(&mut self, attempt: &str, now: Timestamp) {
        self.turn_month(now);
        if let Some(held) = self.reservations.remove(attempt) {
            self.spent = self.spent.plus(held.cost.unwrap_or(held.amount));
        }
    }

    /// Takes the reservation of an attempt back for which nothing was started. One whose cost is decided stays.
    pub fn release(&mut self, attempt: &str, now: Timestamp) {
        self.turn_month(now);
        if self.reservations.get(attempt).is_some_and(|held| held.cost.is_none()) {
            self.forget(attempt, now);
        }
    }

    /// Takes the reservation of an attempt back whose cost is counted already.
    pub fn forget(&mut self, attempt: &str, now: Timestamp) {
        self.turn_month(now);
        self.reservations.remove(attempt);
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

    fn turn_month(&mut self, now: Timestamp) {
        self.schema = 1;
        let month = now.month();
        if self.month < month {
            self.month = month;
            self.spent = Usd::ZERO;
            self.served.clear();
        }
    }
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: i64 = 1_790_000_000_000;

    fn dollars(d: u64) -> Usd {
        Usd::from_micros(d * 1_000_000)
    }

    #[test]
    fn a_repeated_reserve_or_settle_changes_nothing() {
        let now = Timestamp::from_millis(NOW);
        let mut budget = Budget { cap: Some(dollars(3)), ..Budget::default() };
        budget.reserve("r.1", dollars(2), "ana", now).unwrap();
        budget.reserve("r.1", dollars(2), "ana", now).unwrap();
        assert_eq!(budget.committed(), dollars(2));
        assert_eq!(budget.decide("r.1", Some(dollars(1))).unwrap().cost, Some(dollars(1)));
        assert_eq!(budget.decide("r.1", None).unwrap().cost, Some(dollars(1)), "the first decision stands");
        budget.release("r.1", now);
        assert_eq!(budget.committed(), dollars(2), "until it is settled, all that it holds counts");
        budget.settle("r.1", now);
        budget.settle("r.1", now);
        assert_eq!(budget.committed(), dollars(1));
        assert_eq!(budget.decide("r.1", None), None);
    }

    #[test]
    fn what_nobody_decided_costs_all_that_it_holds_and_what_was_not_started_nothing() {
        let now = Timestamp::from_millis(NOW);
        let mut budget = Budget::default();
        ["r.1", "s.1", "t.1"].iter().for_each(|attempt| budget.reserve(attempt, dollars(2), "ana", now).unwrap());
        budget.settle("r.1", now);
        budget.release("s.1", now);
        budget.decide("t.1", None);
        budget.settle("t.1", now);
        assert_eq!((budget.spent, budget.reservations.len()), (dollars(4), 0));
    }

    #[test]
    fn frozen_refuses_and_says_why() {
        let now = Timestamp::from_millis(NOW);
        let mut budget = Budget { frozen: Some(Frozen { why: "alert".into(), since: now }), ..Budget::default() };
        assert!(matches!(budget.reserve("r.1", Usd::ZERO, "ana", now), Err(Refusal::Frozen { .. })));
    }

    #[test]
    fn an_older_reservation_does_not_pass_a_freeze() {
        let now = Timestamp::from_millis(NOW);
        let mut budget = Budget::default();
        budget.reserve("r.1", dollars(1), "ana", now).unwrap();
        budget.freeze("alert", now);
        budget.freeze("another alert", now);
        assert!(matches!(budget.reserve("r.1", dollars(1), "ana", now), Err(Refusal::Frozen { why, .. }) if why == "alert"));
        budget.thaw(now);
        assert_eq!(budget.reserve("r.1", dollars(1), "ana", now), Ok(()));
    }

    #[test]
    fn the_lower_cap_holds() {
        let now = Timestamp::from_millis(NOW);
        for (document, stack) in [(Some(3), Some(5)), (Some(5), Some(3)), (None, Some(3)), (Some(3), None)] {
            let mut budget = Budget { cap: document.map(dollars), ..Budget::default() };
            let allowance = Allowance { cap: stack.map(dollars), most_instances: None };
            assert_eq!(budget.reserve_within(&allowance, "r.1", dollars(3), "ana", now), Ok(()));
            let refusal = budget.reserve_within(&allowance, "r.2", dollars(1), "ana", now).unwrap_err();
            assert_eq!(refusal, Refusal::Cap { cap: dollars(3), left: Usd::ZERO, asked: dollars(1) });
        }
    }

    #[test]
    fn no_more_attempts_hold_money_than_instances_may_run() {
        let now = Timestamp::from_millis(NOW);
        let mut budget = Budget::default();
        let allowance = Allowance { cap: None, most_instances: Some(2) };
        let mut reserve = |attempt: &str| budget.reserve_within(&allowance, attempt, Usd::ZERO, "ana", now);
        let told = ["r.1", "s.1", "r.1"].map(&mut reserve);
        assert_eq!(told, [Ok(()), Ok(()), Ok(())]);
        assert_eq!(reserve("t.1"), Err(Refusal::Instances(2)));
        budget.release("r.1", now);
        assert_eq!(budget.reserve_within(&allowance, "t.1", Usd::ZERO, "ana", now), Ok(()));
    }

    #[test]
    fn a_new_month_starts_at_nothing_but_keeps_what_is_reserved() {
        let mut budget = Budget { month: "2026-01".into(), spent: dollars(5), ..Budget::default() };
        budget.reserve("r.1", dollars(1), "ana", Timestamp::from_millis(NOW)).unwrap();
        assert_eq!((budget.spent, budget.committed()), (Usd::ZERO, dollars(1)));
    }

    proptest! {
        #[test]
        fn committed_money_never_passes_the_cap(cap in 0u64..50, steps in prop::collection::vec((0u8..6, 0u64..20, any::<bool>()), 0..60)) {
            let now = Timestamp::from_millis(NOW);
            let mut budget = Budget { cap: Some(dollars(cap)), ..Budget::default() };
            for (attempt, amount, settle) in steps {
                let id = format!("r.{attempt}");
                if settle {
                    let held = budget.reservations.get(&id).map_or(Usd::ZERO, |r| r.amount);
                    budget.decide(&id, Some(held.min(dollars(amount))));
                    budget.settle(&id, now);
                } else {
                    let _ = budget.reserve(&id, dollars(amount), "ana", now);
                }
                prop_assert!(budget.committed() <= dollars(cap));
            }
        }
    }
}
