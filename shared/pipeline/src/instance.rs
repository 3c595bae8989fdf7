//! Which instance a run gets.

use crate::money::Usd;
use crate::needs::Needs;
use serde::{Deserialize, Serialize};

/// An instance type that a fleet has on offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Name of the type.
    pub instance_type: String,
    /// Virtual cores.
    pub cores: u32,
    /// Memory, MiB.
    pub memory_mib: u64,
    /// Price of an hour on demand: the most that it can cost.
    pub usd_per_hour: Usd,
}

/// No instance on offer is large enough.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NothingFits {
    /// None has the memory.
    #[error("the recording needs `{needed_mib}` MiB of memory, the largest instance on offer has `{largest_mib}`")]
    Memory {
        /// What the run needs.
        needed_mib: u64,
        /// What there is.
        largest_mib: u64,
    },
    /// None has the disk.
    #[error("the recording needs `{needed_gib}` GiB of scratch, an instance has `{disk_gib}`")]
    Disk {
        /// What the run needs.
        needed_gib: u64,
        /// What there is.
        disk_gib: u64,
    },
}

/// At most this many types go into one launch request.
const TYPES_PER_LAUNCH: usize = 10;

/// Chooses the types to ask for: those with enough memory, cheapest first.
///
/// # Errors
/// When none is large enough.
pub fn choose(needs: &Needs, offers: &[Offer]) -> Result<Vec<Offer>, NothingFits> {
    let mut fit: Vec<Offer> = offers.iter().filter(|o| o.memory_mib >= needs.memory_mib).cloned().collect();
    if fit.is_empty() {
        let largest_mib = offers.iter().map(|o| o.memory_mib).max().unwrap_or(0);
        return Err(NothingFits::Memory { needed_mib: needs.memory_mib, largest_mib });
    }
    fit.sort_by(|a, b| (a.usd_per_hour, &a.instance_type).cmp(&(b.usd_per_hour, &b.instance_type)));
    fit.truncate(TYPES_PER_LAUNCH);
    Ok(fit)
}

/// The most that an hour of any of these can cost: what a reservation counts with.
pub fn dearest(offers: &[Offer]) -> Usd {
    offers.iter().map(|o| o.usd_per_hour).max().unwrap_or(Usd::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(name: &str, memory_mib: u64, cents: u64) -> Offer {
        Offer { instance_type: name.into(), cores: 2, memory_mib, usd_per_hour: Usd::from_micros(cents * 10_000) }
    }

    fn needs(memory_mib: u64) -> Needs {
        Needs { cores: 2, memory_mib, scratch_gib: 1, hours: 0.5 }
    }

    #[test]
    fn the_cheapest_that_fits_comes_first() {
        let offers = [offer("big", 8000, 30), offer("small", 1000, 5), offer("middle", 4000, 20)];
        let names: Vec<String> = choose(&needs(2000), &offers).unwrap().into_iter().map(|o| o.instance_type).collect();
        assert_eq!(names, ["middle", "big"]);
    }

    #[test]
    fn what_fits_nowhere_is_said_with_both_figures() {
        let error = choose(&needs(9000), &[offer("big", 8000, 30)]).unwrap_err();
        assert_eq!(error, NothingFits::Memory { needed_mib: 9000, largest_mib: 8000 });
    }

    #[test]
    fn the_reservation_covers_the_dearest() {
        let offers = [offer("a", 1, 10), offer("b", 1, 36)];
        assert_eq!(dearest(&offers).per_hour_for(1800), Usd::from_micros(180_000));
    }
}
