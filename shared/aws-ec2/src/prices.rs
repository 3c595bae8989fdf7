//! Instance types, and the most that this deployment pays for an hour of each.

use dropscope_pipeline::Usd;
use dropscope_pipeline::instance::Offer;

/// Instruction set of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    /// Intel and AMD.
    X86,
    /// Graviton.
    Arm,
}

impl Architecture {
    /// That of this program: an instance runs the very program that launches it.
    pub const OWN: Self = if cfg!(target_arch = "aarch64") { Self::Arm } else { Self::X86 };
}

/// Family, GiB of memory per core, millionths of a US dollar per core and hour.
type Family = (&'static str, u64, u64);

/// On-demand prices of the region us-east-1, Linux, as of autumn 2026. Each is asked for as the highest price of a spot
/// instance, so what is reserved is a bound in every region and at every moment; spot is usually a third of it.
const X86: [Family; 12] = [
    ("c6a", 2, 38_250),
    ("c6i", 2, 42_500),
    ("c7a", 2, 51_320),
    ("c7i", 2, 44_625),
    ("m6a", 4, 43_200),
    ("m6i", 4, 48_000),
    ("m7a", 4, 57_960),
    ("m7i", 4, 50_400),
    ("r6a", 8, 56_700),
    ("r6i", 8, 63_000),
    ("r7a", 8, 76_075),
    ("r7i", 8, 66_150),
];
const ARM: [Family; 6] =
    [("c7g", 2, 36_250), ("c8g", 2, 39_880), ("m7g", 4, 40_800), ("m8g", 4, 44_880), ("r7g", 8, 53_550), ("r8g", 8, 58_910)];
/// Sizes and their cores; memory and price follow in proportion.
const SIZES: [(&str, u32); 5] = [("large", 2), ("xlarge", 4), ("2xlarge", 8), ("4xlarge", 16), ("8xlarge", 32)];
/// What the system itself needs of an instance's memory, MiB.
const SYSTEM: u64 = 512;

/// Every type on offer.
pub fn offers(architecture: Architecture) -> Vec<Offer> {
    let families: &[Family] = match architecture {
        Architecture::X86 => &X86,
        Architecture::Arm => &ARM,
    };
    let of = |(family, gib, micros): &Family| {
        SIZES.map(|(size, cores)| Offer {
            instance_type: format!("{family}.{size}"),
            cores,
            memory_mib: gib * u64::from(cores) * 1024 - SYSTEM,
            usd_per_hour: Usd::from_micros(micros * u64::from(cores)),
        })
    };
    families.iter().flat_map(of).collect()
}

/// A price as EC2 reads it.
pub(crate) fn ceiling(price: Usd) -> String {
    format!("{}.{:06}", price.micros() / 1_000_000, price.micros() % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offer_has_the_published_size_and_price() {
        let offers = offers(Architecture::X86);
        let of = |name: &str| offers.iter().find(|o| o.instance_type == name).unwrap();
        assert_eq!(of("c7i.large").usd_per_hour, Usd::from_micros(89_250));
        assert_eq!(of("m7i.4xlarge").usd_per_hour, Usd::from_micros(806_400));
        assert_eq!((of("r7i.4xlarge").cores, of("r7i.4xlarge").memory_mib), (16, 128 * 1024 - SYSTEM));
    }

    #[test]
    fn a_ceiling_is_written_to_the_last_millionth() {
        assert_eq!(ceiling(Usd::from_micros(89_250)), "0.089250");
        assert_eq!(ceiling(Usd::from_micros(1_000_001)), "1.000001");
    }
}
