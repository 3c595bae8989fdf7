//! The texts of AWS Budgets, and what follows from one.
//!
//! The format is not documented; eight real messages of 2019 to 2026 agree on it. What it does not say in this form
//! freezes launches and asks a person: an unknown text destroys nothing.

use crate::money::Usd;
use serde::{Deserialize, Serialize};

/// One alert of AWS Budgets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Account that the budget belongs to, 12 digits.
    pub account: String,
    /// Name of the budget.
    pub budget: String,
    /// Whether the money is spent, or only expected to be.
    pub kind: AlertKind,
    /// The budget's limit.
    pub budgeted: Usd,
    /// The threshold that was passed; a percentage arrives as money.
    pub threshold: Usd,
    /// What is spent or forecast.
    pub amount: Usd,
}

/// Whether an alert tells of money that is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    /// Spent.
    Actual,
    /// Expected until the end of the period.
    Forecasted,
}

/// A text that is no alert in the known form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAnAlert {
    /// A line that must be there is not.
    #[error("the text has no line `{0}`")]
    Missing(&'static str),
    /// A line says something that cannot be read.
    #[error("`{line}` says `{value}`, which cannot be read")]
    Unreadable {
        /// Which line.
        line: &'static str,
        /// What it says.
        value: String,
    },
}

/// What follows from an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reaction {
    /// The limit is reached: no launch any more, and what runs is ended.
    FreezeAndEnd,
    /// A threshold below the limit, or a forecast: no launch any more. What runs has its money reserved and may finish.
    Freeze,
    /// So far over the limit that the alert itself is in doubt (AWS sent trillions in July 2026): no launch any more,
    /// nothing is destroyed, a person decides.
    FreezeAndAsk,
}

/// Alerts beyond this many limits are in doubt.
const IMPLAUSIBLE: u64 = 20;

impl Alert {
    /// Reads the body of an alert, line by line.
    ///
    /// # Errors
    /// When a line is missing or cannot be read.
    pub fn parse(text: &str) -> Result<Self, NotAnAlert> {
        let kind = match line(text, "Alert Type: ")? {
            "ACTUAL" => AlertKind::Actual,
            "FORECASTED" => AlertKind::Forecasted,
            other => return Err(NotAnAlert::Unreadable { line: "Alert Type", value: other.into() }),
        };
        let amount = match kind {
            AlertKind::Actual => money("ACTUAL Amount", line(text, "ACTUAL Amount: ")?)?,
            AlertKind::Forecasted => money("FORECASTED Amount", line(text, "FORECASTED Amount: ")?)?,
        };
        let threshold = line(text, "Alert Threshold: ")?.trim_start_matches(['<', '>', '=']).trim_start();
        let account = line(text, "AWS Account ")?;
        if account.len() != 12 || !account.bytes().all(|b| b.is_ascii_digit()) {
            return Err(NotAnAlert::Unreadable { line: "AWS Account", value: account.into() });
        }
        Ok(Self {
            account: account.into(),
            budget: line(text, "Budget Name: ")?.into(),
            kind,
            budgeted: money("Budgeted Amount", line(text, "Budgeted Amount: ")?)?,
            threshold: money("Alert Threshold", threshold)?,
            amount,
        })
    }

    /// What follows.
    pub fn reaction(&self) -> Reaction {
        let doubtful = self.budgeted.micros().saturating_mul(IMPLAUSIBLE);
        if self.amount.micros() > doubtful {
            Reaction::FreezeAndAsk
        } else if self.kind == AlertKind::Actual && self.amount >= self.budgeted {
            Reaction::FreezeAndEnd
        } else {
            Reaction::Freeze
        }
    }
}

impl std::fmt::Display for Alert {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let word = match self.kind {
            AlertKind::Actual => "spent",
            AlertKind::Forecasted => "forecast",
        };
        write!(f, "AWS Budgets: {} {word} of {} in budget {}", self.amount, self.budgeted, self.budget)
    }
}

fn line<'a>(text: &'a str, start: &'static str) -> Result<&'a str, NotAnAlert> {
    let found = text.lines().find_map(|line| line.strip_prefix(start));
    found.map(str::trim).filter(|value| !value.is_empty()).ok_or(NotAnAlert::Missing(start))
}

/// `$1,234.56`, exactly; the separators only where thousands have them.
fn money(line: &'static str, text: &str) -> Result<Usd, NotAnAlert> {
    let unreadable = || NotAnAlert::Unreadable { line, value: text.to_owned() };
    let figure = text.strip_prefix('$').unwrap_or(text);
    let dollars = figure.split('.').next().unwrap_or_default();
    let mut groups = dollars.split(',');
    let first_fits = groups.next().is_some_and(|first| first.len() <= 3 || !dollars.contains(','));
    if !first_fits || !groups.all(|group| group.len() == 3) || figure[dollars.len()..].contains(',') {
        return Err(unreadable());
    }
    Usd::parse(&figure.replace(',', "")).ok_or_else(unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message(name: &str) -> String {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events").join(name);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let event: serde_json::Value = serde_json::from_str(&text).unwrap();
        event["Records"][0]["Sns"]["Message"].as_str().unwrap().to_owned()
    }

    fn cents(c: u64) -> Usd {
        Usd::from_micros(c * 10_000)
    }

    #[test]
    fn every_known_text_is_read_to_the_cent_and_has_its_reaction() {
        use AlertKind::{Actual, Forecasted};
        for (name, kind, budgeted, amount, reaction) in [
            ("sns-budget-actual.json", Actual, 5000, 5231, Reaction::FreezeAndEnd),
            ("sns-budget-subject-null.json", Actual, 5000, 5231, Reaction::FreezeAndEnd),
            ("sns-budget-actual-80pct.json", Actual, 5000, 4107, Reaction::Freeze),
            ("sns-budget-forecasted.json", Forecasted, 5000, 7190, Reaction::Freeze),
            ("sns-budget-daily-old-link.json", Actual, 500, 170, Reaction::Freeze),
            ("sns-budget-thousands-separator.json", Actual, 150_000, 123_456, Reaction::Freeze),
            ("sns-budget-name-with-spaces.json", Actual, 200, 52, Reaction::Freeze),
            ("sns-budget-implausible-amount.json", Forecasted, 10_000, 18_396_581_215_754, Reaction::FreezeAndAsk),
        ] {
            let alert = Alert::parse(&message(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!((alert.kind, alert.budgeted, alert.amount), (kind, cents(budgeted), cents(amount)), "{name}");
            assert_eq!(alert.account, "111122223333", "{name}");
            assert_eq!(alert.reaction(), reaction, "{name}");
        }
        assert_eq!(Alert::parse(&message("sns-budget-name-with-spaces.json")).unwrap().budget, "My Monthly Cost Budget");
    }

    #[test]
    fn a_text_in_no_known_form_is_no_alert() {
        for name in ["sns-budget-unparseable.json", "sns-cost-anomaly.json"] {
            assert!(Alert::parse(&message(name)).is_err(), "{name}");
        }
    }

    #[test]
    fn money_is_read_strictly() {
        for (text, micros) in [("$0.5", 500_000), ("$100", 100_000_000), ("80", 80_000_000), ("$1,234.56", 1_234_560_000)] {
            assert_eq!(money("x", text), Ok(Usd::from_micros(micros)), "{text}");
        }
        for text in ["", "$", "$-5", "$1,23", "$1,2345.00", "1e9", "$1.2.3", "$99999999999999999999", "€5", "$1 000"] {
            assert!(money("x", text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "(\\PC|\n){0,300}") {
            let _ = Alert::parse(&text);
        }
    }
}
