//! Recordings in many files: when their run begins, of which files it is, and what becomes of those that come later.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use dropscope_pipeline::{Job, ObjectKey, State, Timestamp, event};
use dropscope_ports::{Objects, Select};
use dropscope_testkit::faults::{Faults, Moment};
use dropscope_tests::{Machine, Whole, alike_in_any_run, recordings};
use std::sync::Arc;

const FOLDER: &str = "recordings/ana/day 1/fish.rec/";
/// Longer than the functions' own ten minutes.
const QUIET: i64 = 600;

async fn put(machine: &Machine<'_>, name: &str, bytes: Vec<u8>) {
    machine.upload(&format!("{FOLDER}{name}"), bytes).await.unwrap();
}

/// Pieces of a recording: in the order of their numbers they are its frames.
async fn put_pieces(machine: &Machine<'_>) {
    for (number, piece) in recordings::pieces(1, 12).unwrap().into_iter().enumerate().rev() {
        put(machine, &format!("t_{}.tif", number + 1), piece).await;
    }
}

async fn turns(machine: &mut Machine<'_>, count: usize) {
    for _ in 0..count {
        machine.cloud.turn().await.unwrap();
    }
}

async fn only_job(machine: &Machine<'_>) -> Job {
    let mut jobs = machine.jobs().await.unwrap();
    assert_eq!(jobs.len(), 1, "{jobs:?}");
    jobs.remove(0)
}

async fn nothing_gathers(machine: &Machine<'_>) {
    assert_eq!(machine.store.list("state/folders/", None).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_with_a_statement_begins_at_once_and_once_only_and_equals_the_whole_recording() {
    let whole = Whole::new().unwrap();
    let mut machine = whole.on(Faults::never()).unwrap();
    put_pieces(&machine).await;
    put(&machine, "recording.toml", b"frame_rate_hz = 7.5\npixel_size_um = 1.0".to_vec()).await;
    machine.upload("recordings/ana/dropscope.toml", b"tau_s = 0.3\nframe_rate_hz = 1".to_vec()).await.unwrap();
    turns(&mut machine, 1).await;
    let job = only_job(&machine).await;
    assert_eq!(job.upload.key.as_str(), FOLDER);
    assert_eq!(job.results().unwrap().as_str(), format!("results/ana/day 1/fish/{}/", job.run));
    machine.walk().await.unwrap();
    let job = only_job(&machine).await;
    let outcome = machine.check_done(&job).await.unwrap();
    let manifest = job.manifest.as_ref().unwrap();
    assert_eq!((manifest.recording.files, manifest.recording.frames, manifest.name.as_str()), (12, 90, "fish"));
    assert_eq!((manifest.plan.frame_rate_hz.value, manifest.plan.tau_s.value), (7.5, 0.3));
    // The same frames in one file, with the same settings.
    machine
        .upload("recordings/ana/one/dropscope.toml", b"tau_s = 0.3\nframe_rate_hz = 7.5\npixel_size_um = 1.0".to_vec())
        .await
        .unwrap();
    machine.upload("recordings/ana/one/fish.tif", recordings::small(1).unwrap()).await.unwrap();
    machine.walk().await.unwrap();
    let jobs = machine.jobs().await.unwrap();
    let one = jobs.iter().find(|job| job.upload.key.as_str().ends_with("fish.tif")).unwrap();
    assert_eq!(alike_in_any_run(&machine.check_done(one).await.unwrap().files), alike_in_any_run(&outcome.files), "bit for bit");
    assert_eq!((machine.mails().unwrap().len(), whole.fleet.started()), (2, 2));
    nothing_gathers(&machine).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_without_a_statement_begins_after_ten_quiet_minutes_and_not_before() {
    let whole = Whole::new().unwrap();
    let mut machine = whole.on(Faults::never()).unwrap();
    put_pieces(&machine).await;
    turns(&mut machine, 1).await;
    whole.clock.advance(QUIET - 1);
    turns(&mut machine, 2).await;
    assert!(machine.jobs().await.unwrap().is_empty(), "it may still grow");
    whole.clock.advance(1);
    turns(&mut machine, 2).await;
    assert_eq!(only_job(&machine).await.manifest.unwrap().recording.files, 12);
    machine.walk().await.unwrap();
    machine.check_done(&only_job(&machine).await).await.unwrap();
    nothing_gathers(&machine).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_still_grows_is_waited_for() {
    let whole = Whole::new().unwrap();
    let mut machine = whole.on(Faults::never()).unwrap();
    for (number, piece) in recordings::pieces(1, 4).unwrap().into_iter().enumerate() {
        put(&machine, &format!("t_{number}.tif"), piece).await;
        turns(&mut machine, 2).await;
        assert!(machine.jobs().await.unwrap().is_empty(), "{number}");
        whole.clock.advance(QUIET - 60);
    }
    turns(&mut machine, 2).await;
    whole.clock.advance(QUIET);
    turns(&mut machine, 2).await;
    assert_eq!(only_job(&machine).await.manifest.unwrap().recording.files, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_event_of_a_statement_or_of_a_ripe_folder_is_made_up_for() {
    let whole = Whole::new().unwrap();
    let machine = whole.on(Faults::never()).unwrap();
    put_pieces(&machine).await;
    put(&machine, "recording.toml", Vec::new()).await;
    let (_, deaf) = tokio::sync::mpsc::unbounded_channel();
    let mut cloud = dropscope_cli::cloud::Cloud::new(machine.world(), deaf);
    // Of all events one arrives: that of some file.
    let some = machine.store.head(&ObjectKey::raw(format!("{FOLDER}t_3.tif")), &Select::default()).await.unwrap();
    cloud.validate(&created(some.key.clone(), &some.etag)).await.unwrap();
    cloud.turn().await.unwrap();
    assert_eq!(machine.store.list("state/ripe/", None).await.unwrap().len(), 1);
    let first = machine.store.list("state/ripe/", None).await.unwrap().remove(0);
    whole.clock.advance(60);
    cloud.turn().await.unwrap();
    let second = machine.store.list("state/ripe/", None).await.unwrap().remove(0);
    assert_ne!(first.etag, second.etag, "announced again, since nothing followed");
    cloud.validate(&created(second.key, &second.etag)).await.unwrap();
    assert_eq!(only_job(&machine).await.state, State::Validated);
    nothing_gathers(&machine).await;
}

fn created(key: ObjectKey, etag: &str) -> serde_json::Value {
    let upload = dropscope_pipeline::Upload {
        bucket: "dropscope".into(),
        key,
        version: None,
        etag: etag.to_owned(),
        size: None,
        sequencer: None,
    };
    event::object_created(&upload, "id", Timestamp::from_millis(0))
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_come_again_at_once_or_late_change_nothing() {
    let whole = Whole::new().unwrap();
    let mut machine = whole.on(Faults::never()).unwrap();
    put_pieces(&machine).await;
    put(&machine, "recording.toml", Vec::new()).await;
    let mut events = Vec::new();
    for meta in machine.store.list(FOLDER, None).await.unwrap() {
        events.push(created(meta.key, &meta.etag));
    }
    let statement = events.iter().find(|event| event.to_string().contains("recording.toml")).unwrap();
    let cloud = &machine.cloud;
    let (a, b, c) = tokio::join!(cloud.validate(statement), cloud.validate(statement), cloud.validate(statement));
    a.and(b).and(c).unwrap();
    machine.walk().await.unwrap();
    let done = machine.check_done(&only_job(&machine).await).await.unwrap();
    for event in events.iter().chain(&events) {
        machine.cloud.validate(event).await.unwrap();
    }
    turns(&mut machine, 2).await;
    whole.clock.advance(2 * QUIET);
    turns(&mut machine, 3).await;
    assert_eq!(machine.check_done(&only_job(&machine).await).await.unwrap(), done);
    assert_eq!((machine.mails().unwrap().len(), whole.fleet.started()), (1, 1));
    nothing_gathers(&machine).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_come_late_are_told_of_once_and_change_nothing_until_a_statement_is_written() {
    let whole = Whole::new().unwrap();
    let mut machine = whole.on(Faults::never()).unwrap();
    put_pieces(&machine).await;
    put(&machine, "recording.toml", Vec::new()).await;
    machine.walk().await.unwrap();
    let done = machine.check_done(&only_job(&machine).await).await.unwrap();
    let pieces = recordings::pieces(2, 12).unwrap();
    for number in 13..=15 {
        put(&machine, &format!("t_{number}.tif"), pieces[0].clone()).await;
    }
    put(&machine, "t_2.tif", pieces[1].clone()).await;
    for _ in 0..3 {
        turns(&mut machine, 2).await;
        whole.clock.advance(QUIET);
    }
    put(&machine, "t_16.tif", pieces[0].clone()).await;
    for _ in 0..3 {
        turns(&mut machine, 2).await;
        whole.clock.advance(QUIET);
    }
    assert_eq!(machine.check_done(&only_job(&machine).await).await.unwrap(), done);
    let late: Vec<String> = machine.mails().unwrap().into_iter().filter(|mail| mail.contains("came late")).collect();
    assert_eq!(late.len(), 1, "{late:?}");
    for name in ["t_13.tif", "t_15.tif", "t_2.tif", "recording.toml"] {
        assert!(late[0].contains(name), "{name}: {}", late[0]);
    }
    nothing_gathers(&machine).await;
    put(&machine, "recording.toml", b"# whole\n".to_vec()).await;
    machine.walk().await.unwrap();
    let jobs = machine.jobs().await.unwrap();
    assert_eq!(jobs.len(), 2);
    assert!(jobs.iter().any(|job| job.manifest.as_ref().unwrap().recording.files == 16));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_replaced_before_it_was_read_is_noticed() {
    let whole = Whole::new().unwrap();
    let mut machine = whole.on(Faults::never()).unwrap();
    machine.cloud.wait_for_files(9);
    put_pieces(&machine).await;
    put(&machine, "recording.toml", Vec::new()).await;
    let event = machine.store.head(&ObjectKey::raw(format!("{FOLDER}recording.toml")), &Select::default()).await.unwrap();
    machine.cloud.validate(&created(event.key, &event.etag)).await.unwrap();
    put(&machine, "t_5.tif", recordings::pieces(2, 12).unwrap().remove(4)).await;
    machine.walk().await.unwrap();
    let mails = machine.mails().unwrap();
    assert!(mails.len() == 2 && mails.iter().any(|mail| mail.contains("1 file came late") && mail.contains("t_5.tif")));
    let State::Failed(verdict) = only_job(&machine).await.state else { panic!("{:?}", machine.jobs().await) };
    assert!(verdict.cause.contains("replaced") && verdict.remedy.contains("recording.toml"), "{verdict:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_or_does_not_fit_is_rejected_by_name_with_a_mail() {
    let pieces = recordings::pieces(1, 6).unwrap();
    for (statement, without, words) in [
        ("members = [\"t_1.tif\", \"t_9.tif\"]", 7, vec!["t_9.tif"]),
        ("", 3, vec!["missing", "t_2.tif"]),
        ("members = [1]", 7, vec!["recording.toml"]),
        ("rate = 3", 7, vec!["recording.toml", "rate"]),
    ] {
        let whole = Whole::new().unwrap();
        let mut machine = whole.on(Faults::never()).unwrap();
        for (number, piece) in pieces.iter().enumerate().filter(|(number, _)| number + 1 != without) {
            put(&machine, &format!("t_{}.tif", number + 1), piece.clone()).await;
        }
        put(&machine, "recording.toml", statement.as_bytes().to_vec()).await;
        machine.walk().await.unwrap();
        let State::Rejected(verdict) = only_job(&machine).await.state else { panic!("{statement}") };
        assert!(words.iter().all(|word| verdict.cause.contains(word)), "{statement}: {verdict:?}");
        assert_eq!((machine.mails().unwrap().len(), whole.fleet.started()), (1, 0), "{statement}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_is_there_first_waits_for_the_files() {
    let whole = Whole::new().unwrap();
    let mut machine = whole.on(Faults::never()).unwrap();
    put(&machine, "recording.toml", b"members = [\"t_2.tif\", \"t_1.tif\", \"t_3.tif\"]".to_vec()).await;
    put(&machine, ".DS_Store", b"x".to_vec()).await;
    turns(&mut machine, 2).await;
    assert!(machine.jobs().await.unwrap().is_empty());
    put_pieces(&machine).await;
    machine.walk().await.unwrap();
    let job = only_job(&machine).await;
    let info = &job.manifest.as_ref().unwrap().recording;
    assert_eq!(info.files, 3);
    assert!(info.notes.iter().any(|note| note.contains("does not name")), "{info:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_files_that_land_write_one_marker() {
    let whole = Whole::new().unwrap();
    let faults = Faults::never();
    let mut machine = whole.on(faults.clone()).unwrap();
    for number in 0..100 {
        put(&machine, &format!("sub/t_{number}.tif"), vec![0; 10]).await;
    }
    while machine.cloud.is_behind() || faults.writes().is_empty() {
        turns(&mut machine, 1).await;
    }
    let writes = faults.writes();
    let markers = writes.iter().filter(|write| write.contains("state/folders/")).count();
    // One to make it, one to keep what a look found for each turn of the functions.
    assert!(markers <= 6 && writes.len() == markers, "{writes:?}");
}

/// The walk of one folder, in which life is made hard at one write.
async fn struck(faults: Arc<Faults>, what: &str) -> Vec<dropscope_pipeline::job::ResultFile> {
    let whole = Whole::new().unwrap();
    let mut machine = whole.on(faults.clone()).unwrap();
    machine.cloud.wait_for_files(9);
    for (number, piece) in recordings::pieces(1, 2).unwrap().into_iter().enumerate() {
        put(&machine, &format!("t_{number}.tif"), piece).await;
    }
    machine.walk().await.unwrap_or_else(|error| panic!("{what}: {error}"));
    drop(machine);
    whole.fleet.end_all();
    let mut machine = whole.on(Faults::never()).unwrap();
    machine.cloud.wait_for_files(9);
    machine.walk().await.unwrap_or_else(|error| panic!("{what}, switched on again: {error}"));
    let jobs = machine.jobs().await.unwrap();
    assert_eq!(jobs.len(), 1, "{what}: one run");
    let outcome = machine.check_done(&jobs[0]).await.unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(machine.mails().unwrap().len(), 1, "{what}: one mail");
    nothing_gathers(&machine).await;
    alike_in_any_run(&outcome.files)
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_write_fails_or_kills_a_folder_is_one_run_with_the_same_results() {
    let faults = Faults::never();
    let calm = struck(faults.clone(), "calm").await;
    let writes = faults.writes();
    for write in ["put state/folders/", "put state/ripe/", "put state/members/", "put state/begun/", "delete state/folders/"] {
        assert!(writes.iter().any(|w| w.starts_with(write)), "{write} is not among {writes:?}");
    }
    // From the manifest on a folder is like any other recording, see tests/crash.rs.
    let own = writes.iter().position(|write| write.ends_with("/manifest.json")).unwrap() + 3;
    for (number, write) in writes.iter().enumerate().take(own) {
        for moment in [Moment::Before, Moment::After, Moment::AnswerLost, Moment::Refused] {
            let what = format!("{moment:?} {number} `{write}`");
            assert_eq!(struck(Faults::at(number, moment), &what).await, calm, "{what}");
        }
    }
}
