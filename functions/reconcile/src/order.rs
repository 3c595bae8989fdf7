//! Whose run is next: owners in turn, and the oldest run of each.

use dropscope_pipeline::{Job, State, Timestamp};
use std::collections::{BTreeMap, HashMap};

/// The open runs in the order in which they may start: the owner whose last start (`served`) is longest ago goes first,
/// then the next, round by round; each owner's runs go in the order in which they came.
pub fn in_turn(mut jobs: Vec<Job>, served: &BTreeMap<String, Timestamp>) -> Vec<Job> {
    jobs.sort_by(|a, b| (a.received_at, &a.run).cmp(&(b.received_at, &b.run)));
    let mut rounds: HashMap<String, usize> = HashMap::new();
    let mut placed: Vec<_> = jobs
        .into_iter()
        .map(|job| {
            let round = rounds.entry(job.owner.clone()).or_default();
            let place = (*round, served.get(&job.owner).copied(), job.received_at, job.run.clone());
            *round += usize::from(may_start(&job));
            (place, job)
        })
        .collect();
    placed.sort_by(|(a, _), (b, _)| a.cmp(b));
    placed.into_iter().map(|(_, job)| job).collect()
}

fn may_start(job: &Job) -> bool {
    matches!(job.state, State::Validated | State::Waiting { .. } | State::Interrupted { .. } | State::Stopped { .. })
}

#[cfg(test)]
mod tests {
    use super::*;
    use dropscope_pipeline::{ObjectKey, RunId, Settings, Upload};

    fn job(owner: &str, number: u64, state: State) -> Job {
        let key = ObjectKey::raw(format!("recordings/{owner}/{number}.tif"));
        let run = RunId::of_upload("b", &key, None, "e");
        let upload = Upload { bucket: "b".into(), key, version: None, etag: "e".into(), size: None, sequencer: None };
        let at = Timestamp::from_millis(i64::try_from(number).unwrap());
        Job { state, ..Job::claim(run, upload, owner.into(), Settings::default(), at) }
    }

    fn names(jobs: Vec<Job>, served: &[(&str, i64)]) -> Vec<String> {
        let served = served.iter().map(|(owner, at)| ((*owner).to_owned(), Timestamp::from_millis(*at))).collect();
        let waiting = in_turn(jobs, &served).into_iter().filter(may_start);
        waiting.map(|job| job.upload.key.as_str().trim_start_matches("recordings/").replace(".tif", "")).collect()
    }

    #[test]
    fn owners_take_turns_and_each_owners_oldest_goes_first() {
        let mut jobs: Vec<Job> = (0..4).rev().map(|n| job("ana", n, State::Validated)).collect();
        jobs.extend((10..12).map(|n| job("bo", n, State::Waiting { why: "full".into() })));
        assert_eq!(names(jobs, &[]), ["ana/0", "bo/10", "ana/1", "bo/11", "ana/2", "ana/3"]);
    }

    #[test]
    fn who_was_served_last_goes_last() {
        let jobs = || vec![job("ana", 1, State::Validated), job("bo", 2, State::Validated)];
        assert_eq!(names(jobs(), &[("ana", 50)]), ["bo/2", "ana/1"]);
        assert_eq!(names(jobs(), &[("bo", 50)]), ["ana/1", "bo/2"]);
        assert_eq!(names(jobs(), &[("ana", 50), ("bo", 60)]), ["ana/1", "bo/2"]);
    }
}
