//! The walk of recordings from upload to mail.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use dropscope_pipeline::budget::{Budget, Frozen};
use dropscope_pipeline::{ObjectKey, State, Timestamp, Usd, event};
use dropscope_ports::{Clock, Condition, Objects, Select};
use dropscope_testkit::conformance::ODD_NAMES;
use dropscope_testkit::faults::Faults;
use dropscope_tests::{Machine, Whole, recordings};

async fn finished(machine: &mut Machine<'_>) {
    machine.walk().await.unwrap();
    for job in machine.jobs().await.unwrap() {
        if !matches!(job.state, State::Rejected(_)) {
            machine.check_done(&job).await.unwrap_or_else(|error| panic!("{}: {error}", job.upload.key));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_event_three_times_at_once_and_later_is_one_run_and_one_mail() {
    let whole = Whole::new().unwrap();
    let mut machine = whole.on(Faults::never()).unwrap();
    let upload = machine.upload("recordings/ana/x.tif", recordings::small(1).unwrap()).await.unwrap();
    let event = event::object_created(&upload, "again", Timestamp::from_millis(0));
    let cloud = &machine.cloud;
    let (a, b, c) = tokio::join!(cloud.validate(&event), cloud.validate(&event), cloud.validate(&event));
    a.and(b).and(c).unwrap();
    finished(&mut machine).await;
    machine.cloud.validate(&event).await.unwrap();
    finished(&mut machine).await;
    assert_eq!(machine.jobs().await.unwrap().len(), 1);
    assert_eq!(machine.mails().unwrap().len(), 1);
    assert_eq!(whole.fleet.started(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn three_launches_at_once_start_one_instance() {
    let whole = Whole::new().unwrap();
    let machine = whole.on(Faults::never()).unwrap();
    let upload = machine.upload("recordings/ana/x.tif", recordings::small(1).unwrap()).await.unwrap();
    machine.cloud.validate(&event::object_created(&upload, "1", Timestamp::from_millis(0))).await.unwrap();
    let results = machine.jobs().await.unwrap()[0].results().unwrap();
    let manifest = machine.store.head(&results.child("manifest.json"), &Select::default()).await.unwrap();
    let upload = dropscope_pipeline::Upload { key: manifest.key, etag: manifest.etag, ..upload };
    let event = event::object_created(&upload, "2", Timestamp::from_millis(0));
    let cloud = &machine.cloud;
    let (a, b, c) = tokio::join!(cloud.launch(&event), cloud.launch(&event), cloud.launch(&event));
    a.and(b).and(c).unwrap();
    cloud.launch(&event).await.unwrap();
    assert_eq!(whole.fleet.started(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_version_under_the_same_key_is_a_new_run() {
    let whole = Whole::new().unwrap();
    let mut machine = whole.on(Faults::never()).unwrap();
    for seed in [1, 2] {
        machine.upload("recordings/ana/x.tif", recordings::small(seed).unwrap()).await.unwrap();
        finished(&mut machine).await;
    }
    assert_eq!(machine.jobs().await.unwrap().len(), 2);
    assert_eq!(machine.mails().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_replaced_before_it_was_read_is_told_so_and_the_new_one_runs() {
    let whole = Whole::new().unwrap();
    let mut machine = whole.on(Faults::never()).unwrap();
    machine.upload("recordings/ana/x.tif", recordings::small(1).unwrap()).await.unwrap();
    machine.upload("recordings/ana/x.tif", recordings::small(2).unwrap()).await.unwrap();
    finished(&mut machine).await;
    let jobs = machine.jobs().await.unwrap();
    let done = jobs.iter().filter(|job| matches!(job.state, State::Done(_))).count();
    assert_eq!((jobs.len(), done), (2, 1));
    assert_eq!(machine.mails().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_names_walk_through_like_any_other() {
    let whole = Whole::new().unwrap();
    let mut machine = whole.on(Faults::never()).unwrap();
    let bytes = recordings::small(1).unwrap();
    let longest = format!("recordings/ana/{}.tif", "n".repeat(800 - "recordings/ana/.tif".len()));
    let keys: Vec<String> = ODD_NAMES.iter().map(|name| format!("recordings/ana/{name}")).chain([longest]).collect();
    for key in &keys {
        machine.upload(key, bytes.clone()).await.unwrap();
    }
    finished(&mut machine).await;
    let mut done: Vec<String> = machine.jobs().await.unwrap().iter().map(|job| job.upload.key.to_string()).collect();
    let mut keys = keys;
    done.sort();
    keys.sort();
    assert_eq!(done, keys);
    assert_eq!(machine.mails().unwrap().len(), keys.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_801_bytes_is_rejected_with_the_remedy() {
    let whole = Whole::new().unwrap();
    let mut machine = whole.on(Faults::never()).unwrap();
    let key = format!("recordings/ana/{}.tif", "n".repeat(801 - "recordings/ana/.tif".len()));
    machine.upload(&key, recordings::small(1).unwrap()).await.unwrap();
    machine.walk().await.unwrap();
    assert!(machine.mails().unwrap()[0].contains("shorter name"));
    assert_eq!(whole.fleet.started(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_recording_is_left_alone() {
    let whole = Whole::new().unwrap();
    let mut machine = whole.on(Faults::never()).unwrap();
    for key in ["recordings/ana/notes.txt", "recordings/ana/dropscope.toml", "recordings/ana/folder/", "elsewhere/x.tif"] {
        machine.upload(key, b"".to_vec()).await.unwrap();
    }
    machine.walk().await.unwrap();
    assert!(machine.jobs().await.unwrap().is_empty());
    assert!(machine.mails().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_nearest_settings_hold_and_broken_ones_are_told() {
    let whole = Whole::new().unwrap();
    let mut machine = whole.on(Faults::never()).unwrap();
    machine.upload("recordings/dropscope.toml", b"tau_s = 0.3".to_vec()).await.unwrap();
    machine.upload("recordings/ana/dropscope.toml", b"tau_s = 0.7\nframe_rate_hz = 12.5".to_vec()).await.unwrap();
    machine.upload("recordings/bo/dropscope.toml", b"tau = 1".to_vec()).await.unwrap();
    for owner in ["ana", "bo"] {
        machine.upload(&format!("recordings/{owner}/day/x.tif"), recordings::small(1).unwrap()).await.unwrap();
    }
    finished(&mut machine).await;
    let jobs = machine.jobs().await.unwrap();
    let of = |owner: &str| jobs.iter().find(|job| job.owner == owner).unwrap();
    let plan = &of("ana").manifest.as_ref().unwrap().plan;
    assert_eq!((plan.tau_s.value, plan.frame_rate_hz.value, plan.tau_s.source.as_str()), (0.7, 12.5, "settings"));
    let State::Rejected(verdict) = &of("bo").state else { panic!("{:?}", of("bo").state) };
    assert!(verdict.cause.contains("recordings/bo/dropscope.toml") && verdict.cause.contains("tau"), "{}", verdict.cause);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_capacity_waits_with_the_reason_and_goes_on() {
    let whole = Whole::new().unwrap();
    whole.fleet.refuse_next(2);
    let mut machine = whole.on(Faults::never()).unwrap();
    machine.upload("recordings/ana/x.tif", recordings::small(1).unwrap()).await.unwrap();
    machine.cloud.turn().await.unwrap();
    let job = machine.jobs().await.unwrap().remove(0);
    assert!(matches!(&job.state, State::Waiting { why } if why.contains("no spot capacity")), "{:?}", job.state);
    finished(&mut machine).await;
    assert_eq!(whole.fleet.started(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn frozen_launches_wait_until_thawed_and_the_cap_is_never_passed() {
    let whole = Whole::new().unwrap();
    let mut machine = whole.on(Faults::never()).unwrap();
    let set = async |machine: &Machine<'_>, cap: u64, frozen: bool| {
        let why = Frozen { why: "the budget alert".into(), since: whole.clock.now() };
        let budget = Budget { cap: Some(Usd::from_micros(cap)), frozen: frozen.then_some(why), ..Budget::default() };
        let text = serde_json::to_vec(&budget).unwrap();
        machine.store.put(&ObjectKey::raw("state/budget.json"), text, &Condition::Always).await.unwrap();
    };
    let waits = async |machine: &mut Machine<'_>, word: &str| {
        for _ in 0..3 {
            machine.cloud.turn().await.unwrap();
            whole.clock.advance(10);
        }
        let job = machine.jobs().await.unwrap().remove(0);
        assert!(matches!(&job.state, State::Waiting { why } if why.contains(word)), "{:?}", job.state);
        assert_eq!(whole.fleet.started(), 0);
    };
    set(&machine, 1_000_000, true).await;
    machine.upload("recordings/ana/x.tif", recordings::small(1).unwrap()).await.unwrap();
    waits(&mut machine, "budget alert").await;
    set(&machine, 100, false).await;
    waits(&mut machine, "cap").await;
    set(&machine, 1_000_000, false).await;
    finished(&mut machine).await;
    assert_eq!(whole.fleet.started(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_of_an_older_attempt_writes_nothing() {
    let whole = Whole::new().unwrap();
    let mut machine = whole.on(Faults::never()).unwrap();
    machine.upload("recordings/ana/x.tif", recordings::small(1).unwrap()).await.unwrap();
    machine.cloud.turn().await.unwrap();
    let old = whole.fleet.alive().remove(0);
    whole.fleet.end(&old.id);
    finished(&mut machine).await;
    let before = machine.jobs().await.unwrap();
    let late = dropscope_segment::Assignment { run: old.run, attempt: old.attempt, instance: old.id };
    machine.work(&late).await;
    assert_eq!(machine.jobs().await.unwrap(), before);
    assert_eq!(before[0].attempt, 2);
}
