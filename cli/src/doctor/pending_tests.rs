use super::super::report::Status::{Missing, Ok as Fine, Warning};
use super::*;
use dropscope_pipeline::{ObjectKey, RunId, Settings, Timestamp, Upload, Verdict};

const THERE: &dyn Fn(&str) -> bool = &|_| true;

fn job(name: &str, at: i64, state: State) -> Job {
    let key = ObjectKey::raw(format!("recordings/ana/{name}"));
    let run = RunId::of_upload("dropscope", &key, None, &at.to_string());
    let upload = Upload { bucket: "dropscope".into(), key, version: None, etag: String::new(), size: None, sequencer: None };
    Job { state, ..Job::claim(run, upload, "ana".into(), Settings::default(), Timestamp::from_millis(at)) }
}

fn refused(cause: &str) -> State {
    State::Rejected(Verdict { cause: cause.into(), remedy: "convert it".into() })
}

#[test]
fn a_freeze_and_a_passed_cap_stop_launches_and_say_why() {
    let mut state = BucketState::default();
    assert_eq!(launches(&state).status, Fine);
    state.budget.freeze("the alert of July", SystemClock.now());
    let frozen = launches(&state);
    assert_eq!(frozen.status, Missing);
    assert!(frozen.cause.unwrap().contains("the alert of July") && frozen.remedy.unwrap().contains("thaw"));
    state.budget.thaw(SystemClock.now());
    state.budget.spent = Usd::from_micros(2);
    state.budget.cap = Some(Usd::from_micros(1));
    assert!(launches(&state).remedy.unwrap().contains("set USD"));
    state.budget.month = "2026-01".into();
    assert_eq!(launches(&state).status, Fine, "a new month begins with nothing spent");
}

#[test]
fn runs_that_wait_are_counted_by_reason() {
    let wait = |why: &str| State::Waiting { why: why.into() };
    let jobs =
        [job("a", 1, wait("no room")), job("b", 2, wait("no room")), job("c", 3, wait("the cap")), job("d", 4, State::Validated)];
    let causes: Vec<String> = waiting(&jobs, true).into_iter().filter_map(|finding| finding.cause).collect();
    assert_eq!(causes, ["runs that are waiting: 2, no room", "runs that are waiting: 1, the cap"]);
}

#[test]
fn a_rejected_recording_is_told_until_it_is_replaced_or_removed() {
    let jobs =
        [job("a", 1, refused("cut")), job("b", 1, refused("cut")), job("b", 2, State::Validated), job("c", 1, State::Received)];
    let found = rejected(&jobs, THERE);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].cause.as_deref(), Some("recordings/ana/a was rejected, cut"));
    assert_eq!(found[0].remedy.as_deref(), Some("convert it"));
    assert_eq!(rejected(&jobs, &|_| false), []);
}

#[test]
fn a_report_stays_readable_however_much_is_wrong() {
    let jobs: Vec<Job> = (0..1000).map(|n| job(&n.to_string(), n, refused("cut"))).collect();
    let found = rejected(&jobs, THERE);
    assert_eq!(found.len(), TOLD + 1);
    assert_eq!(found[TOLD].cause.as_deref(), Some("995 more recordings are not shown"));
    let broken_documents = (0..20).map(|n| (n.to_string(), "no JSON".to_owned())).collect();
    let state = BucketState { broken: broken_documents, ..BucketState::default() };
    assert!(broken(&state).iter().all(|finding| finding.status == Missing));
}

#[test]
fn unsent_mails_and_unread_runs_are_no_hindrance() {
    assert_eq!([mails(&[], true).status, mails(&["x.json".into()], false).status], [Fine, Warning]);
    assert_eq!(broken(&BucketState { partial: true, ..BucketState::default() })[0].status, Warning);
}
