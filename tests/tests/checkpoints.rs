//! Checkpoints in the bucket: kept by the attempt whose job it is, used by the next, gone when the run is.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use dropscope_pipeline::job::ResultFile;
use dropscope_pipeline::{Job, ObjectKey, Outcome};
use dropscope_ports::{Condition, Objects, Select};
use dropscope_segment::{Assignment, Deps, Ending, Keeping, Notice, RunProgress};
use dropscope_segmentation::Stage;
use dropscope_testkit::faults::{Faults, Moment};
use dropscope_tests::{Machine, Whole, alike, recordings};
use std::sync::Arc;
use tokio::runtime::Handle;

const KEY: &str = "recordings/ana/fish.tif";

/// One whenever it is asked.
fn always() -> Keeping {
    Keeping { every_seconds: 0, ..Keeping::default() }
}

fn whole(keeping: Keeping) -> Whole {
    Whole { keeping, ..Whole::new().unwrap() }
}

fn is_checkpoint(write: &str) -> bool {
    write.contains("/checkpoint/")
}

/// Walks to the end, and looks whether all is as it must be.
async fn finished(machine: &mut Machine<'_>) -> (Job, Outcome) {
    machine.walk().await.unwrap();
    let job = machine.jobs().await.unwrap().remove(0);
    let outcome = machine.check_done(&job).await.unwrap();
    let left = dropscope_jobs::list_checkpoints(&machine.store, &job).await.unwrap();
    assert!(left.is_empty(), "{left:?}");
    (job, outcome)
}

/// A run that nobody stops, and what its worker wrote.
async fn calm(keeping: Keeping) -> (Vec<ResultFile>, Vec<String>) {
    let (whole, faults) = (whole(keeping), Faults::never());
    let mut machine = whole.on_with_failing_workers(faults.clone()).unwrap();
    machine.upload_for_all(KEY, recordings::small(1).unwrap()).await.unwrap();
    let (_, outcome) = finished(&mut machine).await;
    assert!(outcome.provenance.get("resumed").is_none(), "nobody was stopped");
    (outcome.files, faults.writes())
}

async fn text(machine: &Machine<'_>, job: &Job, name: &str) -> String {
    let object = machine.store.get(&job.results().unwrap().child(name), &Select::default()).await.unwrap();
    String::from_utf8(object.bytes).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_shorter_than_ten_minutes_writes_none() {
    let (_, writes) = calm(Keeping::default()).await;
    assert!(!writes.iter().any(|write| is_checkpoint(write)), "{writes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn word_of_the_end_makes_one_due_at_once() {
    let notice = Notice::default();
    notice.give();
    let (files, writes) = calm(Keeping { notice, ..Keeping::default() }).await;
    assert!(writes.iter().any(|write| write.starts_with("put ") && is_checkpoint(write)), "{writes:?}");
    let (calm, _) = calm(Keeping::default()).await;
    assert_eq!(alike(&files), alike(&calm));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_dies_at_any_checkpoint_is_gone_on_from_there() {
    let (files, _) = calm(Keeping::default()).await;
    let (kept, writes) = calm(always()).await;
    assert_eq!(alike(&kept), alike(&files), "keeping changes nothing");
    let own = writes.iter().enumerate().filter(|(_, write)| write.starts_with("put ") && is_checkpoint(write));
    let mut sources = Vec::new();
    for (number, write) in own {
        for moment in [Moment::Before, Moment::After] {
            let what = format!("{moment:?} {number} `{write}`");
            let whole = whole(always());
            let mut machine = whole.on_with_failing_workers(Faults::at(number, moment)).unwrap();
            machine.upload_for_all(KEY, recordings::small(1).unwrap()).await.unwrap();
            let (job, outcome) = finished(&mut machine).await;
            assert_eq!(alike(&outcome.files), alike(&files), "{what}");
            let resumed = outcome.provenance.get("resumed");
            let log = text(&machine, &job, "log.txt").await;
            assert_eq!(resumed.is_some(), log.contains("goes on from checkpoint"), "{what}: {log}");
            if let Some(resumed) = resumed {
                assert!(job.attempt > 1 && resumed["frames_spared"].as_u64().unwrap() > 0, "{what}: {resumed}");
                sources.push(resumed["from"].as_str().unwrap().to_owned());
            }
        }
    }
    for record in ["seen-0", "registered", "detected", "traces-0", "finished"] {
        assert!(sources.iter().any(|from| from.contains(record)), "{record}: {sources:?}");
    }
}

/// The world of a worker that is watched.
fn deps(machine: &Machine<'_>, whole: &Whole) -> Deps {
    let world = machine.world();
    Deps {
        objects: world.objects.clone(),
        mailer: world.mailer.clone(),
        clock: world.clock.clone(),
        place: world.place.clone(),
        door: None,
        mail_lease_seconds: 0,
        scratch: whole.folder.path().join(".dropscope").join("work"),
        threads: 2,
        keeping: whole.keeping.clone(),
    }
}

/// Takes the job away from its attempt when extraction begins: detection is found, and not kept yet.
struct TakenAway {
    objects: Arc<dyn Objects>,
    job: Job,
    runtime: Handle,
}

impl RunProgress for TakenAway {
    fn step(&self, _: usize, _: usize, stage: Stage, done: usize, _: usize) {
        if stage == Stage::Detection && done == 0 {
            let now = self.job.since.plus_seconds(1);
            let lost = |job: &Job| job.interrupted(job.attempt, "its instance is gone".into(), now);
            self.runtime.block_on(dropscope_jobs::update_job(&*self.objects, &self.job.run, lost)).unwrap();
        }
    }
}

/// Launches, lets the worker come as far as detection, and takes the job away from it.
async fn taken_away(machine: &mut Machine<'_>, whole: &Whole) -> Job {
    machine.upload_for_all(KEY, recordings::small(1).unwrap()).await.unwrap();
    machine.cloud.turn().await.unwrap();
    let (instance, job) = (whole.fleet.alive().remove(0), machine.jobs().await.unwrap().remove(0));
    let assignment = Assignment { run: instance.run, attempt: instance.attempt, instance: instance.id.clone() };
    let deps = deps(machine, whole);
    let progress = TakenAway { objects: deps.objects.clone(), job: job.clone(), runtime: Handle::current() };
    let ending = dropscope_segment::handle(&assignment, &deps, Arc::new(progress)).await.unwrap();
    assert!(matches!(ending, Ending::Superseded(_)), "{ending:?}");
    whole.fleet.end(&instance.id);
    job
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_lost_its_job_keeps_nothing_more_and_the_next_goes_on_from_what_it_had() {
    let (files, _) = calm(Keeping::default()).await;
    let whole = whole(always());
    let mut machine = whole.on(Faults::never()).unwrap();
    let job = taken_away(&mut machine, &whole).await;
    let kept = dropscope_jobs::list_checkpoints(&machine.store, &job).await.unwrap();
    assert_eq!(kept, ["input", "plane0/reference.0", "plane0/registered.0", "plane0/seen-0.0"]);
    let (_, outcome) = finished(&mut machine).await;
    assert_eq!(alike(&outcome.files), alike(&files));
    let resumed = &outcome.provenance["resumed"];
    assert_eq!(resumed["from"], "plane0/registered: registration, 90 of 90 frames");
    // 90 frames are the sample, too; detection, extraction and the movie are left.
    assert_eq!((resumed["frames_spared"].as_u64(), resumed["frames_read"].as_u64()), (Some(180), Some(270)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_checkpoint_is_not_used_and_said_so() {
    let (files, _) = calm(Keeping::default()).await;
    for name in ["input", "plane0/registered.0"] {
        let whole = whole(always());
        let mut machine = whole.on(Faults::never()).unwrap();
        let job = taken_away(&mut machine, &whole).await;
        let key: ObjectKey = dropscope_jobs::checkpoint(&job, name).unwrap();
        let mut bytes = machine.store.get(&key, &Select::default()).await.unwrap().bytes;
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        machine.store.put(&key, bytes, &Condition::Always).await.unwrap();
        let (job, outcome) = finished(&mut machine).await;
        assert_eq!(alike(&outcome.files), alike(&files), "{name}");
        let log = text(&machine, &job, "log.txt").await;
        assert!(log.contains(&format!("checkpoint `{}` is not used", name.trim_end_matches(".0"))), "{log}");
    }
}
