//! What goes wrong around a run, and how it is put right.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use dropscope_pipeline::budget::Budget;
use dropscope_pipeline::{ObjectKey, RunId, State, Upload, Usd, event};
use dropscope_ports::{Condition, Fleet, InstanceState, LaunchRequest, Objects};
use dropscope_segment::Assignment;
use dropscope_testkit::faults::Faults;
use dropscope_tests::{Machine, Whole, recordings};

const KEY: &str = "recordings/ana/x.tif";
/// A quarter of an hour at ten cents an hour: what an attempt at a small recording holds.
const ATTEMPT: u64 = 25_000;

async fn put(machine: &Machine<'_>, key: &str, bytes: &[u8]) {
    machine.store.put(&ObjectKey::raw(key), bytes.to_vec(), &Condition::Always).await.unwrap();
}

async fn cap(machine: &Machine<'_>, micros: u64) {
    dropscope_jobs::set_cap(&machine.store, None, Some(Usd::from_micros(micros))).await.unwrap();
}

async fn money(machine: &Machine<'_>) -> Budget {
    dropscope_jobs::load_budget(&machine.store).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_money_of_a_lost_attempt_counts_as_spent_and_blocks_nothing_more() {
    let whole = Whole::new().unwrap();
    let mut machine = whole.on(Faults::never()).unwrap();
    cap(&machine, 2 * ATTEMPT + 1000).await;
    machine.upload(KEY, recordings::small(1).unwrap()).await.unwrap();
    machine.cloud.turn().await.unwrap();
    assert_eq!(money(&machine).await.committed(), Usd::from_micros(ATTEMPT));
    whole.fleet.end_all();
    machine.walk().await.unwrap();
    let outcome = machine.check_done(&machine.jobs().await.unwrap()[0]).await.unwrap();
    assert_eq!(outcome.attempt, 2);
    let money = money(&machine).await;
    assert_eq!(money.spent, Usd::from_micros(ATTEMPT).plus(outcome.cost));
    assert!(money.committed() <= money.cap.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_cannot_be_paid_asks_once_and_waits_quietly() {
    let whole = Whole::new().unwrap();
    let mut machine = whole.on(Faults::never()).unwrap();
    cap(&machine, ATTEMPT - 1).await;
    machine.upload(KEY, recordings::small(1).unwrap()).await.unwrap();
    for minute in 0..20 {
        machine.cloud.turn().await.unwrap();
        whole.clock.advance(60);
        assert_eq!(machine.mails().unwrap().len(), usize::from(minute >= 10), "the owner is told after ten minutes, once");
    }
    let job = machine.jobs().await.unwrap().remove(0);
    assert!(matches!(&job.state, State::Waiting { why } if why.contains("cap")), "{:?}", job.state);
    assert_eq!((job.attempt, whole.fleet.started()), (1, 0));
    assert_eq!(money(&machine).await.committed(), Usd::ZERO);
    cap(&machine, ATTEMPT).await;
    machine.walk().await.unwrap();
    machine.check_done(&machine.jobs().await.unwrap()[0]).await.unwrap();
    assert_eq!(machine.mails().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_who_was_told_that_a_run_waits_hears_once_that_it_goes_on() {
    let whole = Whole::new().unwrap();
    let mut machine = whole.on(Faults::never()).unwrap();
    cap(&machine, ATTEMPT - 1).await;
    machine.upload(KEY, recordings::small(1).unwrap()).await.unwrap();
    let turns = async |machine: &mut Machine<'_>, turns: usize| {
        for _ in 0..turns {
            machine.cloud.turn().await.unwrap();
            whole.clock.advance(60);
        }
    };
    turns(&mut machine, 12).await;
    assert_eq!(machine.mails().unwrap().len(), 1);
    cap(&machine, ATTEMPT).await;
    turns(&mut machine, 2).await;
    let (instance, job) = (whole.fleet.alive().remove(0), machine.jobs().await.unwrap().remove(0));
    let begin = |job: &dropscope_pipeline::Job| job.running(instance.attempt, &instance.id, machine.world().clock.now());
    dropscope_jobs::update_job(&machine.store, &job.run, begin).await.unwrap();
    turns(&mut machine, 3).await;
    let mails = machine.mails().unwrap();
    assert_eq!(mails.iter().filter(|mail| mail.contains("x.tif goes on")).count(), 1, "{mails:?}");
    let assignment = Assignment { run: instance.run, attempt: instance.attempt, instance: instance.id };
    machine.work(&assignment).await;
    whole.fleet.end_all();
    machine.walk().await.unwrap();
    machine.check_done(&machine.jobs().await.unwrap()[0]).await.unwrap();
    assert_eq!(machine.mails().unwrap().len(), 3, "waits, goes on, done");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_launch_reserved_for_a_closed_run_is_settled() {
    let whole = Whole::new().unwrap();
    let mut machine = whole.on(Faults::never()).unwrap();
    machine.upload(KEY, recordings::small(1).unwrap()).await.unwrap();
    machine.walk().await.unwrap();
    let job = machine.jobs().await.unwrap().remove(0);
    let spent = money(&machine).await.spent;
    // A call of launch that stalled since before the run was done, and died after this.
    let now = machine.world().clock.now();
    let amount = Usd::from_micros(ATTEMPT);
    dropscope_jobs::reserve(&machine.store, &job, amount, &Default::default(), now).await.unwrap().unwrap();
    assert_eq!(money(&machine).await.committed(), spent.plus(amount));
    for _ in 0..5 {
        machine.cloud.turn().await.unwrap();
        whole.clock.advance(60);
    }
    assert_eq!(money(&machine).await.committed(), spent, "its attempt is in the ledger, and nothing was spent again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_removed_after_it_was_accepted_fails_at_once_with_the_cause() {
    let whole = Whole::new().unwrap();
    let mut machine = whole.on(Faults::never()).unwrap();
    machine.upload(KEY, recordings::small(1).unwrap()).await.unwrap();
    machine.cloud.turn().await.unwrap();
    machine.store.delete(&ObjectKey::raw(KEY)).await.unwrap();
    machine.walk().await.unwrap();
    let job = machine.jobs().await.unwrap().remove(0);
    let State::Failed(verdict) = &job.state else { panic!("{:?}", job.state) };
    assert!(verdict.cause.contains("replaced or removed"), "{verdict:?}");
    assert_eq!((whole.fleet.started(), machine.mails().unwrap().len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn uploading_the_same_again_after_a_rejection_is_another_try_and_its_event_twice_is_not() {
    let whole = Whole::new().unwrap();
    let mut machine = whole.on(Faults::never()).unwrap();
    let bytes = recordings::small(1).unwrap();
    put(&machine, "recordings/ana/dropscope.toml", b"taus = 1").await;
    let upload = machine.upload(KEY, bytes.clone()).await.unwrap();
    machine.walk().await.unwrap();
    let first = machine.jobs().await.unwrap().remove(0);
    assert!(matches!(first.state, State::Rejected(_)));
    machine.cloud.validate(&event::object_created(&upload, "again", first.since)).await.unwrap();
    put(&machine, "recordings/ana/dropscope.toml", b"tau_s = 1").await;
    machine.upload(KEY, bytes.clone()).await.unwrap();
    machine.walk().await.unwrap();
    let jobs = machine.jobs().await.unwrap();
    assert_eq!(jobs.len(), 2, "{jobs:?}");
    let second = jobs.iter().find(|job| job.run == first.run.again(2)).unwrap();
    machine.check_done(second).await.unwrap();
    // What is done is done: the same bytes again change nothing.
    machine.upload(KEY, bytes).await.unwrap();
    machine.walk().await.unwrap();
    assert_eq!((machine.jobs().await.unwrap().len(), machine.mails().unwrap().len()), (2, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_broken_document_keeps_nothing_else_waiting() {
    let whole = Whole::new().unwrap();
    let mut machine = whole.on(Faults::never()).unwrap();
    put(&machine, "state/jobs/0000000000000000.json", b"{").await;
    put(&machine, "state/open/0000000000000000.json", b"{").await;
    put(&machine, "state/open/no-run", b"{").await;
    put(&machine, "state/outbox/pending/zz.json", b"{").await;
    machine.upload(KEY, recordings::small(1).unwrap()).await.unwrap();
    machine.walk().await.unwrap();
    let job = machine.jobs().await.unwrap().remove(0);
    assert!(matches!(job.state, State::Done(_)) && job.closed, "{job:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_that_cannot_be_read_lets_nothing_go() {
    let whole = Whole::new().unwrap();
    let mut machine = whole.on(Faults::never()).unwrap();
    put(&machine, "state/budget.json", b"{").await;
    machine.upload(KEY, recordings::small(1).unwrap()).await.unwrap();
    for _ in 0..5 {
        machine.cloud.turn().await.unwrap();
        whole.clock.advance(60);
    }
    assert_eq!(whole.fleet.started(), 0);
    put(&machine, "state/budget.json", &serde_json::to_vec(&Budget::default()).unwrap()).await;
    machine.walk().await.unwrap();
    machine.check_done(&machine.jobs().await.unwrap()[0]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_that_nobody_could_check_is_told_in_the_end() {
    let whole = Whole::new().unwrap();
    let machine = whole.on(Faults::never()).unwrap();
    let upload = machine.upload(KEY, recordings::small(1).unwrap()).await.unwrap();
    // Claimed, and then validate was gone for good: its event is not delivered any more.
    let run = RunId::of_upload(&upload.bucket, &upload.key, None, &upload.etag);
    let job = dropscope_pipeline::Job::claim(run, upload, "ana".into(), Default::default(), machine.world().clock.now());
    dropscope_jobs::mark_open(&machine.store, &job.run, job.received_at).await.unwrap();
    put(&machine, &format!("state/jobs/{}.json", job.run), &serde_json::to_vec(&job).unwrap()).await;
    machine.store.delete(&job.upload.key).await.unwrap();
    whole.clock.advance(7200);
    let (_, deaf) = tokio::sync::mpsc::unbounded_channel();
    let mut cloud = dropscope_cli::cloud::Cloud::new(machine.world(), deaf);
    cloud.turn().await.unwrap();
    let job = machine.jobs().await.unwrap().remove(0);
    assert!(matches!(job.state, State::Failed(_)) && job.closed, "{job:?}");
    assert_eq!(machine.mails().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_works_on_nothing_is_ended() {
    let whole = Whole::new().unwrap();
    let mut machine = whole.on(Faults::never()).unwrap();
    let request = LaunchRequest {
        token: "lost".into(),
        run: "0123456789abcdef".parse().unwrap(),
        attempt: 1,
        owner: "ana".into(),
        market: dropscope_pipeline::Market::Spot,
        offers: Vec::new(),
        lifetime_seconds: 60,
    };
    whole.fleet.launch(&request).await.unwrap();
    machine.cloud.turn().await.unwrap();
    assert_eq!(whole.fleet.alive().len(), 1, "it may just be about to begin");
    whole.clock.advance(60);
    machine.cloud.turn().await.unwrap();
    assert_eq!(whole.fleet.alive().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_somebody_stopped_is_ended_and_its_run_goes_on() {
    let whole = Whole::new().unwrap();
    let mut machine = whole.on(Faults::never()).unwrap();
    machine.upload(KEY, recordings::small(1).unwrap()).await.unwrap();
    machine.cloud.turn().await.unwrap();
    let instance = whole.fleet.alive().remove(0);
    let job = machine.jobs().await.unwrap().remove(0);
    let begin = |job: &dropscope_pipeline::Job| job.running(1, &instance.id, machine.world().clock.now());
    dropscope_jobs::update_job(&machine.store, &job.run, begin).await.unwrap();
    whole.fleet.rest(&instance.id);
    machine.walk().await.unwrap();
    let outcome = machine.check_done(&machine.jobs().await.unwrap()[0]).await.unwrap();
    assert_eq!(outcome.attempt, 2);
    let seen = whole.fleet.list().await.unwrap();
    assert!(seen.iter().all(|instance| instance.state == InstanceState::Ended), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_is_not_looked_at_again() {
    let whole = Whole::new().unwrap();
    let mut machine = whole.on(Faults::never()).unwrap();
    machine.upload(KEY, recordings::small(1).unwrap()).await.unwrap();
    machine.upload("recordings/ana/broken.tif", b"no tiff".to_vec()).await.unwrap();
    machine.walk().await.unwrap();
    assert!(machine.jobs().await.unwrap().iter().all(|job| job.closed));
    assert!(machine.store.list("state/open/", None).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_came_to_nothing_is_forgotten_after_a_day() {
    let whole = Whole::new().unwrap();
    let mut machine = whole.on(Faults::never()).unwrap();
    let run = "0123456789abcdef".parse().unwrap();
    dropscope_jobs::mark_open(&machine.store, &run, machine.world().clock.now()).await.unwrap();
    machine.cloud.turn().await.unwrap();
    assert_eq!(machine.store.list("state/open/", None).await.unwrap().len(), 1, "its event may come again");
    whole.clock.advance(25 * 3600);
    machine.cloud.turn().await.unwrap();
    assert!(machine.store.list("state/open/", None).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_does_not_end_itself_is_ended_after_its_lifetime() {
    let whole = Whole::new().unwrap();
    let machine = whole.on(Faults::never()).unwrap();
    let upload = machine.upload(KEY, recordings::small(1).unwrap()).await.unwrap();
    let run = RunId::of_upload(&upload.bucket, &upload.key, None, &upload.etag);
    let (_, deaf) = tokio::sync::mpsc::unbounded_channel();
    let mut cloud = dropscope_cli::cloud::Cloud::new(machine.world(), deaf);
    let event = event::object_created(&upload, "id", machine.world().clock.now());
    cloud.validate(&event).await.unwrap();
    let manifest = machine.jobs().await.unwrap().remove(0).results().unwrap().child("manifest.json");
    let created = Upload { key: manifest, ..upload };
    let event = event::object_created(&created, "id", machine.world().clock.now());
    cloud.launch(&event).await.unwrap();
    // It was started, and never says a word: its first script did not run.
    let lifetime = machine.jobs().await.unwrap()[0].manifest.as_ref().unwrap().needs.lifetime_seconds();
    whole.clock.advance(i64::try_from(lifetime).unwrap() - 10);
    cloud.turn().await.unwrap();
    assert_eq!(whole.fleet.alive().len(), 1, "it may still be at work");
    whole.clock.advance(600);
    cloud.turn().await.unwrap();
    assert_eq!(whole.fleet.alive().len(), 0);
    cloud.turn().await.unwrap();
    let job = dropscope_jobs::find_job(&machine.store, &run).await.unwrap().unwrap();
    assert!(matches!(job.state, State::Interrupted { .. } | State::Launching), "{:?}", job.state);
    assert_eq!(job.interruptions, 1);
}
