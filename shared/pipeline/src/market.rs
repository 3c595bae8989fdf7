//! Spot or on demand, any size or the smallest: what the next launch of a run asks for, from what the last ones met.

use crate::instance::Offer;
use crate::job::MOST_INTERRUPTIONS;
use crate::{Job, Usd};
use serde::{Deserialize, Serialize};

/// How an instance is paid.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Market {
    /// Spot: cheap, and taken away at any time.
    #[default]
    Spot,
    /// On demand: at the published price, and kept.
    OnDemand,
}

/// What launches of a run have met since it last ran.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Met {
    /// Launches in a row for which there was no spot capacity or no quota.
    pub refusals: u32,
    /// Whether a quota was among it: then a smaller machine may fit below it.
    pub quota: bool,
}

/// Why a launch started nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scarce {
    /// No capacity.
    Capacity,
    /// The account allows no more.
    Quota,
    /// The budget does not let it go, or a permission is missing: nothing that another machine would mend.
    Leave,
}

/// Refusals of spot in a row after which a run is worth its price on demand.
pub const PATIENT_REFUSALS: u32 = 3;
/// No region passes this multiple of the published price of us-east-1 for the types on offer; spot has a ceiling instead.
const DEAREST_REGION: u64 = 2;

impl Met {
    /// The same after a launch that started nothing. A cap that holds spot but not the dearer one gives spot its turn again,
    /// also where it is the last chance.
    #[must_use]
    pub fn after(self, why: Scarce, market: Market) -> Self {
        match (why, market) {
            (Scarce::Leave, Market::Spot) => self,
            (Scarce::Leave, Market::OnDemand) => Self { refusals: 1, ..self },
            (Scarce::Capacity | Scarce::Quota, _) => {
                Self { refusals: self.refusals.saturating_add(1), quota: self.quota || why == Scarce::Quota }
            }
        }
    }
}

impl Market {
    /// Where the next launch of a run asks: on demand only where the deployment `allows` it, once spot was refused again and
    /// again, or when one more lost instance would end the run.
    pub fn of(job: &Job, allows: bool) -> Self {
        let last_chance = job.interruptions + 1 >= MOST_INTERRUPTIONS && job.met.refusals == 0;
        let refused = job.met.refusals >= PATIENT_REFUSALS;
        if allows && (last_chance || refused) { Self::OnDemand } else { Self::Spot }
    }

    /// The most that an hour can cost here, in any region.
    pub fn most(self, usd_per_hour: Usd) -> Usd {
        match self {
            Self::Spot => usd_per_hour,
            Self::OnDemand => Usd::from_micros(usd_per_hour.micros().saturating_mul(DEAREST_REGION)),
        }
    }

    /// What spot would cost where this costs `most`.
    pub fn as_spot(self, most: Usd) -> Usd {
        match self {
            Self::Spot => most,
            Self::OnDemand => Usd::from_micros(most.micros() / DEAREST_REGION),
        }
    }
}

/// Of these types those with the fewest cores: what fits below a small quota of cores.
pub fn smallest(mut offers: Vec<Offer>) -> Vec<Offer> {
    let fewest = offers.iter().map(|offer| offer.cores).min().unwrap_or(0);
    offers.retain(|offer| offer.cores == fewest);
    offers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ObjectKey, Settings, Timestamp, Upload};
    use proptest::prelude::*;

    fn job(refusals: u32, interruptions: u32) -> Job {
        let key = ObjectKey::raw("recordings/ana/x.tif");
        let upload = Upload { bucket: "b".into(), key, version: None, etag: "e".into(), size: None, sequencer: None };
        let run = "0123456789abcdef".parse().unwrap();
        let claim = Job::claim(run, upload, "ana".into(), Settings::default(), Timestamp::from_millis(0));
        Job { interruptions, met: Met { refusals, quota: false }, ..claim }
    }

    #[test]
    fn spot_is_asked_until_it_was_refused_three_times_or_could_end_the_run() {
        let markets =
            [(0, 0), (2, 0), (3, 0), (0, 1), (0, 2), (1, 2)].map(|(refusals, lost)| Market::of(&job(refusals, lost), true));
        use Market::{OnDemand, Spot};
        assert_eq!(markets, [Spot, Spot, OnDemand, Spot, OnDemand, Spot]);
    }

    #[test]
    fn a_cap_that_holds_only_the_dearer_one_gives_spot_its_turn_again() {
        let met = Met { refusals: 3, quota: true };
        assert_eq!(met.after(Scarce::Leave, Market::OnDemand), Met { refusals: 1, quota: true });
        for lost in 0..MOST_INTERRUPTIONS {
            let next = Job { met: met.after(Scarce::Leave, Market::OnDemand), ..job(3, lost) };
            assert_eq!(Market::of(&next, true), Market::Spot, "after {lost} lost");
        }
        assert_eq!(met.after(Scarce::Leave, Market::Spot), met);
        assert_eq!(met.after(Scarce::Capacity, Market::OnDemand).refusals, 4);
        assert!(Met::default().after(Scarce::Quota, Market::Spot).quota);
    }

    #[test]
    fn after_a_quota_only_the_smallest_machines_are_asked_for() {
        let offer = |name: &str, cores| Offer { instance_type: name.into(), cores, memory_mib: 1, usd_per_hour: Usd::ZERO };
        let small = smallest(vec![offer("a", 8), offer("b", 2), offer("c", 4), offer("d", 2)]);
        assert_eq!(small.iter().map(|offer| offer.instance_type.as_str()).collect::<Vec<_>>(), ["b", "d"]);
        assert!(smallest(Vec::new()).is_empty());
    }

    proptest! {
        #[test]
        fn nothing_is_paid_on_demand_where_that_is_not_allowed(refusals in any::<u32>(), lost in 0u32..100) {
            prop_assert_eq!(Market::of(&job(refusals, lost), false), Market::Spot);
        }

        #[test]
        fn the_bound_of_either_market_holds_the_price(micros in any::<u64>()) {
            let price = Usd::from_micros(micros);
            prop_assert!(Market::Spot.most(price) == price && Market::OnDemand.most(price) >= price);
            prop_assert!(Market::OnDemand.as_spot(Market::OnDemand.most(price)) <= price);
        }
    }
}
