//! What waits in a bucket, and why: pure decisions on its state.

use super::report::Finding;
use super::state::BucketState;
use dropscope_pipeline::budget::Refusal;
use dropscope_pipeline::{Job, State, Usd};
use dropscope_ports::Clock;
use dropscope_ports::clock::SystemClock;
use std::collections::BTreeMap;

/// Recordings, reasons and documents that are told one by one; a person reads no more.
const TOLD: usize = 5;

/// Every check of what is pending. `lies` tells whether a recording is still there.
pub(super) fn all(state: &BucketState, watched: bool, lies: &dyn Fn(&str) -> bool) -> Vec<(String, Finding)> {
    let mut found = vec![("launches", launches(state)), ("mails", mails(&state.unsent, watched))];
    found.extend(waiting(&state.jobs, watched).into_iter().map(|finding| ("waiting", finding)));
    found.extend(rejected(&state.jobs, lies).into_iter().map(|finding| ("recordings", finding)));
    found.extend(broken(state).into_iter().map(|finding| ("state", finding)));
    found.into_iter().map(|(name, finding)| (name.to_owned(), finding)).collect()
}

/// How many runs are not finished.
pub(super) fn open(state: &BucketState) -> usize {
    state.jobs.iter().filter(|job| !job.closed).count()
}

/// Asks the rule that every launch asks, for nothing: a freeze or a passed cap refuses even that.
fn launches(state: &BucketState) -> Finding {
    match state.budget.clone().reserve("", Usd::ZERO, "", SystemClock.now()) {
        Ok(()) => Finding::fine("they may go ahead"),
        Err(Refusal::Cap { cap, .. }) => {
            let cause = format!("more than the cap of {cap} a month is spent and reserved, so no run is started");
            Finding::missing(
                "over the cap",
                cause,
                "raise it with `dropscope budget --at DIR set USD`, or wait for the next month",
            )
        }
        Err(refusal) => Finding::missing(
            "frozen",
            refusal.to_string(),
            "let them go once the reason is gone, with `dropscope budget --at DIR thaw`",
        ),
    }
}

fn mails(unsent: &[String], watched: bool) -> Finding {
    if unsent.is_empty() {
        return Finding::fine("all sent");
    }
    let names: Vec<&str> = unsent.iter().take(TOLD).map(|name| name.trim_end_matches(".json")).collect();
    let more = if unsent.len() > TOLD { " and more" } else { "" };
    let cause = format!("mails that are not sent: {}, as {}{more}", unsent.len(), names.join(", "));
    let remedy = if watched {
        "see that the folder's mail/ can be written"
    } else {
        "start `dropscope watch` on the folder: it sends them"
    };
    Finding::warning(unsent.len().to_string(), cause, remedy)
}

/// One finding for each reason that runs wait for.
fn waiting(jobs: &[Job], watched: bool) -> Vec<Finding> {
    let mut reasons: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for job in jobs {
        if let State::Waiting { why } | State::Interrupted { why } | State::Stopped { why } = &job.state {
            *reasons.entry((job.state.word(), why)).or_default() += 1;
        }
    }
    let remedy = if watched {
        "nothing, if the reason passes by itself: `watch` tries again"
    } else {
        "start `dropscope watch` on the folder: it tries again"
    };
    let told = reasons
        .iter()
        .map(|((word, why), n)| Finding::warning(n.to_string(), format!("runs that are {word}: {n}, {why}"), remedy));
    rest(told.collect(), "reasons", "see `dropscope status`")
}

/// Recordings that came to nothing and still lie there, unless a later run of them came to something.
fn rejected(jobs: &[Job], lies: &dyn Fn(&str) -> bool) -> Vec<Finding> {
    let mut last: BTreeMap<&str, &Job> = BTreeMap::new();
    for job in jobs {
        let newest = last.entry(job.upload.key.as_str()).or_insert(job);
        if (newest.received_at, &newest.run) < (job.received_at, &job.run) {
            *newest = job;
        }
    }
    let told = last.into_iter().filter(|(key, _)| lies(key)).filter_map(|(key, job)| match &job.state {
        State::Rejected(verdict) | State::Failed(verdict) => {
            let cause = format!("{key} was {}, {}", if job.attempt == 0 { "rejected" } else { "given up" }, verdict.cause);
            Some(Finding::warning(job.state.word(), cause, verdict.remedy.clone()))
        }
        _ => None,
    });
    rest(told.collect(), "recordings", "see `dropscope status`")
}

/// Documents that no program can read, and what was not looked at.
fn broken(state: &BucketState) -> Vec<Finding> {
    let told = state.broken.iter().map(|(key, why)| {
        let cause = format!("{key} cannot be read, {why}");
        Finding::missing("unreadable", cause, "end `watch`, put the file back from a backup, or move it away and upload again")
    });
    let mut found = rest(told.collect(), "documents", "look at the folder's state/");
    if state.partial {
        let cause = format!("there are so many runs that only {} were looked at", state.jobs.len());
        found.push(Finding::warning("too many", cause, "see `dropscope status` for all"));
    }
    found
}

/// The first few findings, and how many more there are.
fn rest(mut found: Vec<Finding>, what: &str, remedy: &str) -> Vec<Finding> {
    let more = found.len().saturating_sub(TOLD);
    if let (1.., Some(status)) = (more, found.get(TOLD).map(|finding| finding.status)) {
        found.truncate(TOLD);
        let said = Finding::warning(more.to_string(), format!("{more} more {what} are not shown"), remedy);
        found.push(Finding { status, ..said });
    }
    found
}

#[cfg(test)]
#[path = "pending_tests.rs"]
mod tests;
