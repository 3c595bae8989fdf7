//! `dropscope status` and `dropscope budget`: what runs, what waits and why, and the money.

use crate::args::{Budget, BudgetChange, Status};
use crate::failure::Failure;
use crate::place::Place;
use crate::text;
use dropscope_pipeline::budget::Budget as Money;
use dropscope_pipeline::{Job, State, Usd};
use dropscope_ports::Clock;
use dropscope_ports::clock::SystemClock;
use std::collections::BTreeMap;

pub(super) fn status(args: &Status) -> Result<(), Failure> {
    let jobs = super::runtime()?.block_on(async {
        let place = Place::open(&args.place).await?;
        dropscope_jobs::list_jobs(&**place.objects()).await.map_err(|error| place.unreadable(error))
    })?;
    if args.json {
        text::say(&serde_json::Value::Array(jobs.iter().map(line_json).collect()).to_string())?;
        return Ok(());
    }
    if jobs.is_empty() {
        text::say("no recording has arrived yet")?;
    }
    for job in by_age(jobs) {
        text::say(&format!(
            "{:<18} {:<12} {:>8}  {}{}",
            job.run.as_str(),
            job.state.word(),
            cost(&job).to_string(),
            shown(&job),
            why(&job)
        ))?;
    }
    Ok(())
}

fn by_age(mut jobs: Vec<Job>) -> Vec<Job> {
    jobs.sort_by(|a, b| (a.received_at, &a.run).cmp(&(b.received_at, &b.run)));
    jobs
}

/// What the run's committed attempt cost; nothing yet while it goes on.
fn cost(job: &Job) -> Usd {
    match &job.state {
        State::Done(outcome) => outcome.cost,
        _ => Usd::ZERO,
    }
}

/// A key may hold anything; a terminal must not obey it.
fn shown(job: &Job) -> String {
    text::shown(job.upload.key.as_str())
}

fn why(job: &Job) -> String {
    match &job.state {
        State::Waiting { why } | State::Interrupted { why } | State::Stopped { why } => format!("\n{:18} {why}", ""),
        State::Rejected(verdict) | State::Failed(verdict) => format!("\n{:18} {}: {}", "", verdict.cause, verdict.remedy),
        State::Done(outcome) => {
            let notes = outcome.notes.iter().map(|note| format!("\n{:18} {}", "", text::shown(note)));
            format!("  {} cells{}", outcome.cells, notes.collect::<String>())
        }
        _ => String::new(),
    }
}

fn line_json(job: &Job) -> serde_json::Value {
    serde_json::json!({
        "run": job.run, "recording": job.upload.key, "owner": job.owner, "attempt": job.attempt, "state": job.state,
        "since": job.since, "cost_usd": cost(job).micros() as f64 / 1e6, "results": job.results(),
    })
}

pub(super) fn budget(args: &Budget) -> Result<(), Failure> {
    super::runtime()?.block_on(async {
        let place = Place::open(&args.place).await?;
        let (store, unreadable) = (&**place.objects(), |error| place.unreadable(error));
        match &args.change {
            Some(BudgetChange::Set { usd }) => dropscope_jobs::set_cap(store, cap(usd)?).await.map_err(unreadable)?,
            Some(BudgetChange::Thaw) => dropscope_jobs::thaw(store, SystemClock.now()).await.map_err(unreadable)?,
            None => {}
        }
        let money = dropscope_jobs::load_budget(store).await.map_err(unreadable)?;
        let jobs = dropscope_jobs::list_jobs(store).await.map_err(unreadable)?;
        let owners = owners(&jobs, &money);
        if args.json {
            text::say(&serde_json::json!({ "budget": money, "owners": owners }).to_string())
        } else {
            show(&money, &owners)
        }
    })
}

/// `none` takes the cap away; anything else is dollars.
fn cap(text: &str) -> Result<Option<Usd>, Failure> {
    if text == "none" {
        return Ok(None);
    }
    let dollars: Option<f64> = text.parse().ok().filter(|d: &f64| d.is_finite() && (0.0..=1e9).contains(d));
    let dollars =
        dollars.ok_or_else(|| Failure::input(format!("`{text}` is no amount"), "give dollars, 0 to 1000000000, or none"))?;
    Ok(Some(Usd::from_micros((dollars * 1e6).round() as u64)))
}

/// What each owner's committed runs cost, and what their running ones hold, in dollars.
fn owners(jobs: &[Job], money: &Money) -> BTreeMap<String, (Usd, Usd)> {
    let mut owners: BTreeMap<String, (Usd, Usd)> = BTreeMap::new();
    for job in jobs {
        let spent = &mut owners.entry(job.owner.clone()).or_default().0;
        *spent = spent.plus(cost(job));
    }
    for reservation in money.reservations.values() {
        let held = &mut owners.entry(reservation.owner.clone()).or_default().1;
        *held = held.plus(reservation.amount);
    }
    owners
}

fn show(money: &Money, owners: &BTreeMap<String, (Usd, Usd)>) -> Result<(), Failure> {
    let reserved = money.reservations.values().fold(Usd::ZERO, |sum, r| sum.plus(r.amount));
    let frozen = match &money.frozen {
        Some(frozen) => {
            format!("since {}: {}\n           to go on: dropscope budget thaw", frozen.since, text::shown(&frozen.why))
        }
        None => "no".to_owned(),
    };
    text::say(&format!("month      {}", if money.month.is_empty() { "nothing yet" } else { &money.month }))?;
    text::say(&format!("spent      {}", money.spent))?;
    text::say(&format!("reserved   {reserved}"))?;
    text::say(&format!("cap        {}", money.cap.map_or_else(|| "none".to_owned(), |cap| cap.to_string())))?;
    text::say(&format!("frozen     {frozen}"))?;
    for (owner, (spent, held)) in owners {
        let owner = if owner.is_empty() { "(no owner)".to_owned() } else { text::shown(owner) };
        text::say(&format!("  {owner:<20} spent {spent} in all, reserved {held}"))?;
    }
    Ok(())
}
