//! `dropscope budget`: who spent what on which recording, what is left, and what is frozen or waits, and why.

use crate::args::{Budget, BudgetChange};
use crate::failure::Failure;
use crate::place::Place;
use crate::text::{self, shown};
use dropscope_pipeline::budget::{Budget as Money, LedgerEntry};
use dropscope_pipeline::mail::counted;
use dropscope_pipeline::{Job, State, Usage, Usd};
use dropscope_ports::Clock;
use dropscope_ports::clock::SystemClock;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn budget(args: &Budget) -> Result<(), Failure> {
    super::runtime()?.block_on(async {
        let place = Place::open(&args.place).await?;
        let (store, unreadable) = (&**place.objects(), |error| place.unreadable(error));
        match &args.change {
            Some(BudgetChange::Set { usd, owner }) => {
                dropscope_jobs::set_cap(store, owner.as_deref(), cap(usd)?).await.map_err(unreadable)?;
            }
            Some(BudgetChange::Thaw) => dropscope_jobs::thaw(store, SystemClock.now()).await.map_err(unreadable)?,
            None => {}
        }
        let money = dropscope_jobs::load_budget(store).await.map_err(unreadable)?;
        let jobs = dropscope_jobs::list_jobs(store).await.map_err(unreadable)?;
        let settled = dropscope_jobs::settled_in(store, &money.month).await.map_err(unreadable)?;
        let view = View { money: &money, jobs: &jobs, settled: &settled };
        text::say(&if args.json { view.json().to_string() } else { view.screen() })
    })
}

/// `none` takes the cap away; anything else is dollars.
fn cap(text: &str) -> Result<Option<Usd>, Failure> {
    if text == "none" {
        return Ok(None);
    }
    let dollars = Usd::parse(text).filter(|usd| *usd <= Usd::from_micros(MOST_MICROS));
    dollars.map(Some).ok_or_else(|| {
        Failure::input(format!("`{text}` is no amount"), "give dollars such as 20 or 19.50, up to a billion, or none")
    })
}

/// A billion dollars: more is a slip.
const MOST_MICROS: u64 = 1_000_000_000_000_000;
/// Recordings that are named, the dearest; a principal investigator reads one screen.
const NAMED: usize = 12;

/// The money and what it was spent on.
struct View<'a> {
    money: &'a Money,
    jobs: &'a [Job],
    settled: &'a [LedgerEntry],
}

/// What one owner's runs spent and hold this month.
#[derive(Default)]
struct Share {
    spent: Usd,
    held: Usd,
    waiting: usize,
}

impl View<'_> {
    fn shares(&self) -> BTreeMap<&str, Share> {
        let mut shares: BTreeMap<&str, Share> = BTreeMap::new();
        // Entries and not the document's own sums: months before there were such sums had entries.
        for entry in self.settled {
            let spent = &mut shares.entry(&entry.owner).or_default().spent;
            *spent = spent.plus(entry.cost);
        }
        for held in self.money.reservations.values() {
            let sum = &mut shares.entry(&held.owner).or_default().held;
            *sum = sum.plus(held.amount);
        }
        for (job, _) in self.waiting() {
            shares.entry(&job.owner).or_default().waiting += 1;
        }
        for owner in self.money.owner_caps.keys() {
            shares.entry(owner).or_default();
        }
        shares
    }

    fn waiting(&self) -> impl Iterator<Item = (&Job, &str)> {
        self.jobs.iter().filter_map(|job| match &job.state {
            State::Waiting { why } | State::Interrupted { why } | State::Stopped { why } => Some((job, why.as_str())),
            _ => None,
        })
    }

    /// What each recording cost this month, all attempts of all its runs together, dearest first.
    fn recordings(&self) -> Vec<(&str, Usd, usize)> {
        let mut sums: BTreeMap<&str, (Usd, usize)> = BTreeMap::new();
        for entry in self.settled {
            let (sum, attempts) = sums.entry(&entry.key).or_default();
            (*sum, *attempts) = (sum.plus(entry.cost), *attempts + 1);
        }
        let mut recordings: Vec<_> = sums.into_iter().map(|(key, (sum, attempts))| (key, sum, attempts)).collect();
        recordings.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        recordings
    }

    fn reserved(&self) -> Usd {
        self.money.reservations.values().fold(Usd::ZERO, |sum, held| sum.plus(held.amount))
    }

    /// What this month's recordings are likely to cost besides their instances.
    fn besides(&self) -> Usage {
        let this_month = self.jobs.iter().filter(|job| job.received_at.month() == self.money.month);
        this_month.fold(Usage::default(), |sum, job| sum.plus(Usage::of(job)))
    }

    fn screen(&self) -> String {
        let mut lines = self.totals();
        lines.extend(self.owners());
        lines.extend(self.dearest());
        lines.extend(self.reasons());
        lines.join("\n")
    }

    fn totals(&self) -> Vec<String> {
        let money = self.money;
        let month = if money.month.is_empty() { "nothing yet" } else { &money.month };
        let runs: BTreeSet<&str> = money.reservations.keys().filter_map(|attempt| attempt.split('.').next()).collect();
        let cap = money.cap_within(&money.allowed);
        let left = |cap: Usd| Usd::from_micros(cap.micros().saturating_sub(money.committed().micros()));
        let mut lines = vec![
            format!("month      {month}"),
            format!("spent      {}", money.spent),
            match runs.len() {
                0 => "reserved   nothing".to_owned(),
                n => format!("reserved   {}, the most that {} may still cost", self.reserved(), counted(n, "run")),
            },
            format!("cap        {}", cap.map_or("none".into(), |cap| format!("{cap}, which leaves {}", left(cap)))),
        ];
        let besides = self.besides().sum();
        if besides > Usd::ZERO {
            lines.push(format!(
                "besides    about {besides}, estimated and under no cap: functions, requests, a month of storage, one download"
            ));
        }
        lines.extend(match &money.frozen {
            Some(frozen) => vec![
                format!("frozen     since {}: {}", frozen.since, shown(&frozen.why)),
                "           to go on: dropscope budget thaw".to_owned(),
            ],
            None => vec!["frozen     no".to_owned()],
        });
        lines
    }

    fn owners(&self) -> Vec<String> {
        let line = |(owner, share): (&str, Share)| {
            let cap = self.money.owner_cap_within(&self.money.allowed, owner);
            let cap = cap.map_or_else(|| "none".to_owned(), |cap| cap.to_string());
            let owner = if owner.is_empty() { "(no owner)".to_owned() } else { shown(owner) };
            let Share { spent, held, waiting } = share;
            format!("{owner:<24} {:>10} {:>10} {cap:>10} {waiting:>8}", spent.to_string(), held.to_string())
        };
        let lines: Vec<String> = self.shares().into_iter().map(line).collect();
        let head = format!("\n{:<24} {:>10} {:>10} {:>10} {:>8}", "owner", "spent", "reserved", "cap", "waiting");
        if lines.is_empty() { lines } else { std::iter::once(head).chain(lines).collect() }
    }

    fn dearest(&self) -> Vec<String> {
        let recordings = self.recordings();
        let line = |(key, cost, attempts): &(&str, Usd, usize)| {
            let attempts = if *attempts > 1 { format!("  ({attempts} attempts)") } else { String::new() };
            format!("{:>10}  {}{attempts}", cost.to_string(), shown(key))
        };
        let mut lines: Vec<String> = recordings.iter().take(NAMED).map(line).collect();
        if recordings.len() > NAMED {
            let rest = recordings[NAMED..].iter().fold(Usd::ZERO, |sum, (_, cost, _)| sum.plus(*cost));
            lines.push(format!("{:>10}  for {} more", rest.to_string(), recordings.len() - NAMED));
        }
        let head = "\n      cost  recording, this month".to_owned();
        if lines.is_empty() { lines } else { std::iter::once(head).chain(lines).collect() }
    }

    fn reasons(&self) -> Vec<String> {
        let mut reasons: BTreeMap<&str, Vec<&Job>> = BTreeMap::new();
        self.waiting().for_each(|(job, why)| reasons.entry(why).or_default().push(job));
        let lines = reasons.into_iter().flat_map(|(why, jobs)| {
            let first = jobs.first().map(|job| shown(job.upload.key.as_str())).unwrap_or_default();
            let more = if jobs.len() > 1 { format!(" and {} more", jobs.len() - 1) } else { String::new() };
            [format!("\nwaiting    {first}{more}"), format!("           {}", shown(why))]
        });
        lines.collect()
    }

    fn json(&self) -> serde_json::Value {
        let owners: BTreeMap<&str, serde_json::Value> = self
            .shares()
            .into_iter()
            .map(|(owner, share)| {
                let cap = self.money.owner_cap_within(&self.money.allowed, owner);
                let Share { spent, held, waiting } = share;
                (owner, serde_json::json!({ "spent": spent, "reserved": held, "cap": cap, "waiting": waiting }))
            })
            .collect();
        let recordings: Vec<_> = self
            .recordings()
            .into_iter()
            .map(|(key, cost, attempts)| serde_json::json!({ "recording": key, "cost": cost, "attempts": attempts }))
            .collect();
        let waiting: Vec<_> = self.waiting().map(|(job, why)| serde_json::json!({ "run": job.run, "why": why })).collect();
        serde_json::json!({ "budget": self.money, "besides": self.besides(), "owners": owners, "recordings": recordings, "waiting": waiting })
    }
}

#[cfg(test)]
#[path = "budget_tests.rs"]
mod tests;
