//! `dropscope status`: what runs, what waits and why, and what has ended.

use crate::args::Status;
use crate::failure::Failure;
use crate::place::Place;
use crate::text;
use dropscope_pipeline::{Job, State, Usd};
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
    text::say(&screen(jobs, if args.all { usize::MAX } else { ENDED_SHOWN }))
}

/// Runs that have ended which are shown, the last ones, unless all are asked for.
const ENDED_SHOWN: usize = 20;

/// Everything that goes on, and the last runs that ended: a screen, whatever has been before.
fn screen(mut jobs: Vec<Job>, most_ended: usize) -> String {
    if jobs.is_empty() {
        return "no recording has arrived yet".to_owned();
    }
    jobs.sort_by(|a, b| (a.received_at, &a.run).cmp(&(b.received_at, &b.run)));
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    jobs.iter().for_each(|job| *counts.entry(job.state.word()).or_default() += 1);
    let counts: Vec<String> = counts.iter().map(|(state, n)| format!("{n} {state}")).collect();
    let ended = jobs.iter().filter(|job| job.state.is_final()).count();
    let hidden = ended.saturating_sub(most_ended);
    let (mut lines, mut passed) = (Vec::new(), 0);
    for job in &jobs {
        passed += usize::from(job.state.is_final());
        if !job.state.is_final() || passed > hidden {
            lines.push(line(job));
        }
    }
    // Last, where a long list leaves a terminal.
    lines.push(format!("\n{}", counts.join(", ")));
    if hidden > 0 {
        lines.push(format!("{hidden} that ended earlier are left out: --all shows them"));
    }
    lines.join("\n")
}

fn line(job: &Job) -> String {
    let (run, state, cost) = (job.run.as_str(), job.state.word(), cost(job).to_string());
    format!("{run:<18} {state:<12} {cost:>8}  {}{}", shown(job), why(job))
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

#[cfg(test)]
mod tests {
    use super::*;
    use dropscope_pipeline::job::Verdict;
    use dropscope_pipeline::{ObjectKey, Settings, Timestamp, Upload};

    fn job(n: i64) -> Job {
        let key = ObjectKey::raw(format!("recordings/ana/{n}.tif"));
        let upload = Upload { bucket: "b".into(), key, version: None, etag: "e".into(), size: Some(1), sequencer: None };
        Job::claim(format!("{n:016x}").parse().unwrap(), upload, "ana".into(), Settings::default(), Timestamp::from_millis(n))
    }

    fn rejected(n: i64) -> Job {
        let verdict = Verdict { cause: "it ends early".into(), remedy: "copy it again".into() };
        job(n).rejected(verdict, Timestamp::from_millis(n)).unwrap()
    }

    #[test]
    fn what_goes_on_is_always_shown_and_of_what_ended_the_last() {
        let jobs = vec![rejected(3), job(1), rejected(2), rejected(4)];
        assert_eq!(
            screen(jobs.clone(), 2),
            "0000000000000001   received        $0.00  recordings/ana/1.tif\n\
             0000000000000003   rejected        $0.00  recordings/ana/3.tif\n                   it ends early: copy it again\n\
             0000000000000004   rejected        $0.00  recordings/ana/4.tif\n                   it ends early: copy it again\n\n\
             1 received, 3 rejected\n1 that ended earlier are left out: --all shows them"
        );
        assert!(screen(jobs, usize::MAX).contains("2.tif"));
    }
}
