//! What owner and operator read about money.

use super::*;
use crate::manifest::tests::manifest;
use crate::{ObjectKey, Settings, Timestamp, Upload, Usd};

fn job() -> Job {
    let key = ObjectKey::raw("recordings/ana/x.tif");
    let upload = Upload { bucket: "b".into(), key, version: None, etag: "e".into(), size: Some(1), sequencer: None };
    let run = "0123456789abcdef".parse().unwrap();
    Job::claim(run, upload, "ana".into(), Settings::default(), Timestamp::from_millis(0))
}

fn budget() -> Budget {
    let mut budget = Budget { cap: Some(Usd::from_micros(20_000_000)), spent: Usd::from_micros(19_900_000), ..Budget::default() };
    budget.spent_by.insert("ana".into(), Usd::from_micros(3_000_000));
    budget.set_cap(Some("ana"), Some(Usd::from_micros(5_000_000)));
    budget
}

#[test]
fn a_run_that_waits_for_money_says_why_how_much_and_that_nothing_is_lost() {
    let why = "the cap of $20.00 a month leaves $0.10, and this run may cost $0.60";
    let mail = waiting(&job(), why, &budget());
    assert_eq!((mail.subject.as_str(), mail.id.as_str()), ("dropscope: x.tif waits for money", "0123456789abcdef.waiting"));
    assert_eq!(
        mail.body,
        "Cause       the cap of $20.00 a month leaves $0.10, and this run may cost $0.60\n\
         What to do  nothing: it starts by itself when it may, at the latest when a new month\n            \
         begins or the operator has let launches go again. If it cannot wait,\n            \
         ask the operator: dropscope budget set USD, dropscope budget thaw\n\n\
         Your recording was checked and waits to be segmented. Nothing is lost: it is\n\
         untouched, and its previews are there.\n\n\
         Recording   recordings/ana/x.tif\n\
         This month  $19.90 spent or reserved of $20.00, by all\n            \
         $3.00 of $5.00, by ana\n\
         Run         0123456789abcdef\n"
    );
}

#[test]
fn a_run_that_goes_on_says_so_once_for_each_time_that_it_waited() {
    let now = Timestamp::from_millis(5);
    let waits = job().validated(manifest(), now).unwrap().owner_told().unwrap();
    let runs = waits.launching(Usd::ZERO, now).unwrap().running(1, "i-1", now).unwrap();
    let mail = resumed(&runs, &budget());
    assert_eq!((mail.subject.as_str(), mail.id.as_str()), ("dropscope: x.tif goes on", "0123456789abcdef.resumed"));
    assert!(mail.body.contains("Attempt     1\n") && mail.body.contains("$19.90 spent"), "{}", mail.body);
    let heard = runs.owner_heard().unwrap();
    assert_eq!(heard.owner_heard(), Ok(heard.clone()), "heard once");
    let again = heard.stopped(1, "frozen".into(), now).unwrap();
    assert_eq!(waiting(&again, "frozen", &budget()).id, "0123456789abcdef.waiting-2");
    assert_eq!(resumed(&again, &budget()).id, "0123456789abcdef.resumed-2");
}
