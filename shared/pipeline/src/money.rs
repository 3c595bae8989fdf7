//! Money in whole micro-dollars: no sum ever rounds.

use serde::{Deserialize, Serialize};

/// US dollars, in millionths. Never negative here: what is spent or reserved is at least nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Usd {
    micros: u64,
}

impl Usd {
    /// Nothing.
    pub const ZERO: Self = Self { micros: 0 };

    /// From millionths of a dollar.
    pub const fn from_micros(micros: u64) -> Self {
        Self { micros }
    }

    /// Millionths of a dollar.
    pub const fn micros(self) -> u64 {
        self.micros
    }

    /// Reads `20`, `19.5` or `0.089250`, exactly; nothing else is an amount.
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(part) || part.len() > 6 {
            return None;
        }
        let micros = whole.parse::<u64>().ok()?.checked_mul(1_000_000)?;
        micros.checked_add(format!("{part:0<6}").parse().ok()?).map(Self::from_micros)
    }

    /// Price per hour for this many seconds, rounded up to the next millionth.
    pub fn per_hour_for(self, seconds: u64) -> Self {
        let micros = (u128::from(self.micros) * u128::from(seconds)).div_ceil(3600);
        Self { micros: u64::try_from(micros).unwrap_or(u64::MAX) }
    }

    /// The sum, at most what fits.
    pub fn plus(self, other: Self) -> Self {
        Self { micros: self.micros.saturating_add(other.micros) }
    }
}

impl std::fmt::Display for Usd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let cents = self.micros.div_ceil(10_000);
        write!(f, "${}.{:02}", cents / 100, cents % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_shown_in_cents_rounded_up() {
        assert_eq!(Usd::from_micros(1).to_string(), "$0.01");
        assert_eq!(Usd::ZERO.to_string(), "$0.00");
        assert_eq!(Usd::from_micros(12_345_678).to_string(), "$12.35");
    }

    #[test]
    fn an_amount_is_read_to_the_last_millionth_or_not_at_all() {
        for (text, micros) in [("20", 20_000_000), ("19.5", 19_500_000), ("0.089250", 89_250), ("0", 0)] {
            assert_eq!(Usd::parse(text), Some(Usd::from_micros(micros)), "{text}");
        }
        for text in ["", ".5", "5.", "-1", "1e3", "1,000", "$5", "0.0000001", "99999999999999999999", "nan", " 5"] {
            assert_eq!(Usd::parse(text), None, "{text}");
        }
    }

    #[test]
    fn an_hour_at_a_price_costs_the_price() {
        assert_eq!(Usd::from_micros(714_000).per_hour_for(3600), Usd::from_micros(714_000));
        assert_eq!(Usd::from_micros(u64::MAX).per_hour_for(u64::MAX), Usd::from_micros(u64::MAX));
    }
}
