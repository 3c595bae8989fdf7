use super::*;
use crate::manifest::tests::manifest;

const NOW: i64 = 1_790_000_000_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(NOW + second * 1000)
}

fn fresh() -> Job {
    let upload = Upload {
        bucket: "b".into(),
        key: ObjectKey::raw("recordings/ana/day 1/x.tif"),
        version: None,
        etag: "e".into(),
        size: Some(1),
        sequencer: None,
    };
    let run = RunId::of_upload("b", &upload.key, None, "e");
    Job::claim(run, upload, "ana".into(), Settings::default(), at(0))
}

fn outcome(attempt: u32) -> Outcome {
    Outcome {
        attempt,
        cells: 1,
        rois: 1,
        clusters: 1,
        largest_shift_px: 0.0,
        bad_frames: 0,
        notes: Vec::new(),
        seconds: 1.0,
        cost: Usd::ZERO,
        files: Vec::new(),
        provenance: serde_json::Value::Null,
    }
}

fn launched() -> Job {
    fresh().validated(manifest(), at(1)).unwrap().launching(Usd::ZERO, at(2)).unwrap()
}

#[test]
fn a_recording_walks_from_received_to_done() {
    let running = launched().running(1, "i-1", at(3)).unwrap();
    let done = running.done(outcome(1), at(4)).unwrap();
    assert!(done.state.is_final() && !done.closed);
    assert!(done.closing().unwrap().closed);
}

#[test]
fn a_verdict_is_given_once() {
    let validated = fresh().validated(manifest(), at(1)).unwrap();
    let verdict = Verdict { cause: "c".into(), remedy: "r".into() };
    assert_eq!(validated.rejected(verdict, at(2)), Err(Refused::Past("validated")));
    assert_eq!(validated.validated(manifest(), at(2)), Err(Refused::Past("validated")));
}

#[test]
fn a_repeated_launch_is_the_same_attempt() {
    let launching = launched();
    assert_eq!(launching.launching(Usd::ZERO, at(9)).unwrap(), launching);
}

#[test]
fn a_second_instance_of_the_same_attempt_is_turned_away() {
    let running = launched().running(1, "i-1", at(3)).unwrap();
    assert_eq!(running.running(1, "i-1", at(9)).unwrap(), running);
    assert_eq!(running.running(1, "i-2", at(4)), Err(Refused::Past("running")));
}

#[test]
fn a_worker_that_lost_its_attempt_commits_nothing() {
    let second = launched()
        .running(1, "i-1", at(3))
        .unwrap()
        .interrupted(1, "gone".into(), at(4))
        .unwrap()
        .launching(Usd::ZERO, at(5))
        .unwrap();
    assert_eq!(second.attempt, 2);
    let second = second.running(2, "i-2", at(6)).unwrap();
    assert_eq!(second.done(outcome(1), at(7)), Err(Refused::Superseded { asked: 1, current: 2 }));
    assert!(second.done(outcome(2), at(8)).is_ok());
}

#[test]
fn a_result_is_committed_once() {
    let done = launched().running(1, "i-1", at(3)).unwrap().done(outcome(1), at(4)).unwrap();
    assert_eq!(done.done(outcome(1), at(5)), Err(Refused::Past("done")));
    assert_eq!(done.launching(Usd::ZERO, at(5)), Err(Refused::Past("done")));
    assert_eq!(done.interrupted(1, "late".into(), at(5)), Err(Refused::Past("done")));
}

#[test]
fn an_attempt_number_is_never_used_twice() {
    let waiting = launched().waiting(1, "no capacity".into(), at(3)).unwrap();
    let again = waiting.launching(Usd::ZERO, at(4)).unwrap();
    assert_eq!((again.attempt, again.interruptions), (2, 0));
    assert!(matches!(again.running(1, "i-1", at(5)), Err(Refused::Superseded { .. })));
}

#[test]
fn a_run_that_never_finishes_is_given_up() {
    let mut job = launched();
    for attempt in 1..MOST_INTERRUPTIONS {
        job = job.interrupted(attempt, "gone".into(), at(3)).unwrap().launching(Usd::ZERO, at(4)).unwrap();
    }
    let over = job.interrupted(MOST_INTERRUPTIONS, "gone".into(), at(5)).unwrap();
    assert_eq!(over.state.word(), "failed");
}

#[test]
fn a_job_survives_its_json() {
    let job = launched().running(1, "i-1", at(3)).unwrap();
    for job in [fresh(), job.done(outcome(1), at(4)).unwrap()] {
        let text = serde_json::to_string(&job).unwrap();
        assert_eq!(serde_json::from_str::<Job>(&text).unwrap(), job);
    }
}

#[test]
fn results_lie_beside_the_recordings_path() {
    let job = fresh();
    assert_eq!(job.results().unwrap().as_str(), format!("results/ana/day 1/x/{}/", job.run));
    let mut alone = fresh();
    alone.upload.key = ObjectKey::raw("recordings/x.tif");
    assert_eq!(alone.results().unwrap().as_str(), format!("results/x/{}/", alone.run));
}
