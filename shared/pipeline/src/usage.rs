//! What a run uses besides its instance: functions, requests, storage, a download. Estimates, on the generous side: nobody
//! meters them before the bill, and no cap counts them.

use crate::{Job, State, Usd};
use serde::Serialize;

/// What a run is likely to cost besides its instance, at the list prices of us-east-1 (AWS Lambda and Amazon S3, autumn 2026).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// Lambda, for the whole run.
    pub functions: Usd,
    /// Requests to S3, for the whole run.
    pub requests: Usd,
    /// Recording and results in S3, for one month.
    pub storage: Usd,
    /// Its results, downloaded once; what its instance moves to and from the bucket of its region costs nothing. The first
    /// 100 GB that an account downloads in a month are free, and are not taken off: nobody here knows what else it downloads.
    pub transfer: Usd,
}

/// A gigabyte of a function's memory for an hour, in millionths of a dollar ($0.0000166667 a second, x86_64).
const GB_HOUR: Usd = Usd::from_micros(60_001);
/// A thousand requests that write or list, and a thousand that read.
const WRITES: u64 = 5_000;
const READS: u64 = 400;
/// A GiB of S3 Standard for a month.
const GIB_MONTH: u64 = 23_000;
const GIB: u64 = 1 << 30;
/// A GB to the internet.
const GB_OUT: u64 = 90_000;
const GB: u64 = 1_000_000_000;

/// Memory of validate, of gif and summary together, and of launch, MB: as template.yaml has it.
const VALIDATE_MB: u64 = 1024;
const LOOKS_MB: u64 = 2 * 1769;
const LAUNCH_MB: u64 = 512;
/// Seconds that validate and launch take, with their start.
const MOMENT: u64 = 5;
/// Bytes a second that gif and summary read of S3, with a margin of two or three, and the seconds after which they sample.
const LOOK_RATE: u64 = 30_000_000;
const LONGEST_LOOK: u64 = 840;
/// Size of a ranged read, and how often a recording is read in all: gif, summary, and the passes of segmentation.
const RANGE: u64 = 8 << 20;
const READINGS: u64 = 6;
/// Writes of state and results that every run makes, those of one more attempt, and reads of state for each write.
const STEPS: u64 = 60;
const STEPS_OF_ATTEMPT: u64 = 30;
const LOOKS_PER_STEP: u64 = 4;

impl Usage {
    /// Estimates from the size of the recording, the attempts and the results of a run, as far as it has come.
    pub fn of(job: &Job) -> Self {
        let recording = job.manifest.as_ref().map(|manifest| manifest.size).or(job.upload.size).unwrap_or(0);
        let accepted = job.manifest.is_some();
        let look = (recording / LOOK_RATE + MOMENT).min(LONGEST_LOOK) * u64::from(accepted);
        let (attempts, results) = (u64::from(job.attempt), results(job));
        let mb_seconds = VALIDATE_MB * MOMENT + LOOKS_MB * look + LAUNCH_MB * MOMENT * attempts;
        let writes = STEPS + STEPS_OF_ATTEMPT * attempts;
        let reads = writes * LOOKS_PER_STEP + recording.div_ceil(RANGE) * READINGS * u64::from(accepted);
        Self {
            functions: GB_HOUR.per_hour_for(mb_seconds.div_ceil(1000)),
            requests: thousandth(writes.saturating_mul(WRITES).saturating_add(reads.saturating_mul(READS))),
            storage: share(recording.saturating_add(results), GIB_MONTH, GIB),
            transfer: share(results, GB_OUT, GB),
        }
    }

    /// All of it, with a month of storage and one download.
    pub fn sum(self) -> Usd {
        self.functions.plus(self.requests).plus(self.storage).plus(self.transfer)
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            functions: self.functions.plus(other.functions),
            requests: self.requests.plus(other.requests),
            storage: self.storage.plus(other.storage),
            transfer: self.transfer.plus(other.transfer),
        }
    }
}

fn results(job: &Job) -> u64 {
    match &job.state {
        State::Done(outcome) => outcome.files.iter().fold(0, |sum, file| sum.saturating_add(file.bytes)),
        _ => 0,
    }
}

fn thousandth(micros: u64) -> Usd {
    Usd::from_micros(micros.div_ceil(1000))
}

/// What `bytes` cost of which `unit` cost so many micros.
fn share(bytes: u64, micros: u64, unit: u64) -> Usd {
    let micros = (u128::from(bytes) * u128::from(micros)).div_ceil(u128::from(unit));
    Usd::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::ResultFile;
    use crate::manifest::tests::manifest;
    use crate::{ObjectKey, Settings, Timestamp, Upload};
    use proptest::prelude::*;

    fn job(bytes: u64) -> Job {
        let key = ObjectKey::raw("recordings/ana/x.tif");
        let upload = Upload { bucket: "b".into(), key, version: None, etag: "e".into(), size: Some(bytes), sequencer: None };
        let run = "0123456789abcdef".parse().unwrap();
        Job::claim(run, upload, "ana".into(), Settings::default(), Timestamp::from_millis(0))
    }

    fn accepted(bytes: u64) -> Job {
        let manifest = crate::Manifest { size: bytes, ..manifest() };
        let now = Timestamp::from_millis(1);
        job(bytes).validated(manifest, now).unwrap().launching(Usd::ZERO, now).unwrap()
    }

    /// docs/COST.md has the same recording: two to five cents of functions, 23 cents of storage a month.
    #[test]
    fn a_recording_of_ten_gigabytes_costs_what_the_cost_page_says() {
        let usage = Usage::of(&accepted(10_000_000_000));
        let cents = |usd: Usd| usd.micros() as f64 / 10_000.0;
        assert!((2.0..5.0).contains(&cents(usage.functions)), "{usage:?}");
        assert!((0.1..1.0).contains(&cents(usage.requests)), "{usage:?}");
        assert!((21.0..23.0).contains(&cents(usage.storage)), "{usage:?}");
    }

    #[test]
    fn what_was_not_accepted_costs_its_check_and_its_storage() {
        let usage = Usage::of(&job(1 << 30));
        assert_eq!(usage.storage, Usd::from_micros(GIB_MONTH));
        assert!(usage.functions.micros() < 200 && usage.requests.micros() < 500, "{usage:?}");
    }

    #[test]
    fn results_cost_their_download_and_a_recording_does_not() {
        let now = Timestamp::from_millis(2);
        let files = vec![ResultFile { name: "segmentation.nwb".into(), bytes: 1_000_000_000, sha256: String::new() }];
        let outcome = crate::mail::tests::outcome(files);
        let done = accepted(10_000_000_000).running(1, "i", now).unwrap().done(outcome, now).unwrap();
        assert_eq!(Usage::of(&done).transfer, Usd::from_micros(90_000));
        assert_eq!(Usage::of(&accepted(10_000_000_000)).transfer, Usd::ZERO);
    }

    proptest! {
        #[test]
        fn more_costs_more_and_nothing_overflows(bytes in any::<u64>(), more in any::<u64>()) {
            let (small, large) = (Usage::of(&accepted(bytes.min(more))), Usage::of(&accepted(bytes.max(more))));
            prop_assert!(small.functions <= large.functions && small.requests <= large.requests);
            prop_assert!(small.storage <= large.storage && small.sum() <= large.sum());
        }
    }
}
