//! A machine that dies between any two writes, and a store that loses answers: the recording is finished once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use dropscope_pipeline::job::ResultFile;
use dropscope_testkit::faults::{Faults, Moment};
use dropscope_tests::{Whole, alike, recordings};
use std::sync::Arc;

const KEY: &str = "recordings/ana/day 1/fish.tif";

/// The calm run: its results, and the writes it takes.
async fn calm() -> (Vec<ResultFile>, Vec<String>) {
    let whole = Whole::new().unwrap();
    let faults = Faults::never();
    let mut machine = whole.on(faults.clone()).unwrap();
    machine.upload_dated(KEY, recordings::small(1).unwrap()).await.unwrap();
    machine.walk().await.unwrap();
    let outcome = machine.check_done(&machine.jobs().await.unwrap()[0]).await.unwrap();
    (outcome.files, faults.writes())
}

/// Strikes once, switches the machine on again if it died, and looks whether all is as in the calm run.
async fn struck(faults: Arc<Faults>, workers_only: bool, calm: &[ResultFile], what: &str) {
    let whole = Whole::new().unwrap();
    let boot = |faults| if workers_only { whole.on_with_failing_workers(faults) } else { whole.on(faults) };
    let mut machine = boot(faults.clone()).unwrap();
    machine.upload_dated(KEY, recordings::small(1).unwrap()).await.unwrap();
    machine.walk().await.unwrap_or_else(|error| panic!("{what}: {error}"));
    drop(machine);
    whole.fleet.end_all();
    let mut machine = whole.on(Faults::never()).unwrap();
    machine.walk().await.unwrap_or_else(|error| panic!("{what}, switched on again: {error}"));
    let jobs = machine.jobs().await.unwrap();
    assert_eq!(jobs.len(), 1, "{what}: one run");
    let outcome = machine.check_done(&jobs[0]).await.unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(alike(&outcome.files), alike(calm), "{what}: the same results, bit for bit");
    assert_eq!(machine.mails().unwrap().len(), 1, "{what}: one mail");
}

/// Where to strike: before every write, and after the last one, since to die after one is to die before the next. Results are
/// written alike, and two of three are left out; `DROPSCOPE_CRASH=all` strikes at each.
fn places(writes: &[String]) -> Vec<(usize, Moment)> {
    let all = std::env::var("DROPSCOPE_CRASH").is_ok_and(|all| all == "all");
    let mut results = 0;
    let mut places = Vec::new();
    for (number, write) in writes.iter().enumerate() {
        results += usize::from(write.starts_with("put results/"));
        if all || !write.starts_with("put results/") || results % 3 == 1 {
            places.push((number, Moment::Before));
        }
    }
    places.push((writes.len() - 1, Moment::After));
    places
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_dies_at_any_write_finishes_the_recording_once() {
    let (files, writes) = calm().await;
    assert!(writes.len() > 20, "every write is a place to die at: {writes:?}");
    for (number, moment) in places(&writes) {
        struck(Faults::at(number, moment), false, &files, &format!("dead {moment:?} {number} `{}`", writes[number])).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_dies_at_any_write_is_replaced() {
    let (files, writes) = calm().await;
    let begin = writes.iter().position(|write| write.starts_with("launch ")).unwrap() + 1;
    let own = &writes[begin..];
    for (number, moment) in places(own) {
        struck(Faults::at(number, moment), true, &files, &format!("worker dead {moment:?} {number} `{}`", own[number])).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_or_a_refused_write_changes_nothing() {
    let (files, writes) = calm().await;
    for (number, _) in places(&writes) {
        for moment in [Moment::AnswerLost, Moment::Refused] {
            struck(Faults::at(number, moment), false, &files, &format!("{moment:?} {number} `{}`", writes[number])).await;
        }
    }
}
