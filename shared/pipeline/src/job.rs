//! The job of a run: its states, and which step may follow which.

use crate::manifest::Manifest;
use crate::market::{Market, Met, Scarce};
use crate::{ObjectKey, RunId, Settings, Timestamp, Upload, Usd};
use serde::{Deserialize, Serialize};

/// Instances that a run may lose before it is given up.
pub const MOST_INTERRUPTIONS: u32 = 3;

/// One run, from claim to end: one object, changed only by conditional writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Layout of this document.
    pub schema: u32,
    /// The run.
    pub run: RunId,
    /// What was uploaded.
    pub upload: Upload,
    /// Whose it is; empty for a recording without an owner's folder.
    pub owner: String,
    /// Settings found when the run was claimed.
    pub settings: Settings,
    /// Where the run stands.
    pub state: State,
    /// Launches so far: the fence. Only the newest attempt may commit; a number is never used twice, because a
    /// fleet answers a repeated token with what it answered before.
    pub attempt: u32,
    /// The most that an hour of the attempt's instance can cost.
    pub usd_per_hour: Usd,
    /// How the attempt's instance is paid.
    #[serde(default)]
    pub market: Market,
    /// What launches have met since the run last ran.
    #[serde(default)]
    pub met: Met,
    /// Instances lost so far.
    pub interruptions: u32,
    /// What the recording is; there once it is validated.
    pub manifest: Option<Manifest>,
    /// Everything that follows the end is done: mail sent, money settled.
    pub closed: bool,
    /// Whether its owner was told that it waits for money, and not yet that it goes on.
    #[serde(default)]
    pub told: bool,
    /// How often its owner was told that it goes on: each mail has a name of its own.
    #[serde(default)]
    pub tellings: u32,
    /// When the run was claimed.
    pub received_at: Timestamp,
    /// When the state last changed.
    pub since: Timestamp,
}

/// Where a run stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum State {
    /// Claimed, not yet looked at.
    Received,
    /// Not a recording that can be read.
    Rejected(Verdict),
    /// May be launched.
    Validated,
    /// May be launched later: no capacity, quota, cap or freeze.
    Waiting {
        /// In words.
        why: String,
    },
    /// An instance is being started.
    Launching,
    /// An instance works on it.
    Running {
        /// Which.
        instance: String,
    },
    /// The instance is gone before it was done.
    Interrupted {
        /// In words.
        why: String,
    },
    /// Committed.
    Done(Outcome),
    /// Given up.
    Failed(Verdict),
    /// Stopped by the budget.
    Stopped {
        /// In words.
        why: String,
    },
}

/// Why a recording was not accepted or a run failed, and what its owner can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// What is wrong.
    pub cause: String,
    /// What to do about it.
    pub remedy: String,
}

impl Verdict {
    /// The recording of this key is no longer the one that was uploaded.
    pub fn gone(recording: &ObjectKey) -> Self {
        if recording.as_str().ends_with('/') {
            return Self {
                cause: "a file of the recording was replaced or removed before it was read".into(),
                remedy: "put all its files into the folder, and recording.toml last: that begins a new run".into(),
            };
        }
        Self {
            cause: "the recording was replaced or removed before it was read".into(),
            remedy: "nothing, if it was replaced: the new one has a mail of its own; else upload it again".into(),
        }
    }
}

/// What a committed run found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Attempt that committed.
    pub attempt: u32,
    /// ROIs taken for cells, all planes.
    pub cells: usize,
    /// All ROIs, all planes.
    pub rois: usize,
    /// Clusters in use.
    pub clusters: usize,
    /// Largest shift that registration undid, pixels.
    pub largest_shift_px: f64,
    /// Frames kept out of detection.
    pub bad_frames: usize,
    /// What the owner should know, in words.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Time of work, seconds.
    pub seconds: f64,
    /// What it cost, as far as known at the commit.
    pub cost: Usd,
    /// Every result, by name.
    pub files: Vec<ResultFile>,
    /// Input, settings, version, machine, times: becomes provenance.json.
    pub provenance: serde_json::Value,
}

/// One committed result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultFile {
    /// Name below the run's folder.
    pub name: String,
    /// Size, bytes.
    pub bytes: u64,
    /// SHA-256, hex.
    pub sha256: String,
}

/// A step that the job's state does not allow. What the caller does: nothing, or stop working.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Another attempt is the job's: the caller must stop.
    #[error("attempt `{asked}` is not the job's, which is at `{current}`")]
    Superseded {
        /// Attempt that asked.
        asked: u32,
        /// Attempt of the job.
        current: u32,
    },
    /// The step was taken before, or the run is past it.
    #[error("the job is `{0}` already")]
    Past(&'static str),
    /// The step cannot be taken yet.
    #[error("the job is only `{0}`")]
    NotYet(&'static str),
}

impl State {
    /// The state in one word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Rejected(_) => "rejected",
            Self::Validated => "validated",
            Self::Waiting { .. } => "waiting",
            Self::Launching => "launching",
            Self::Running { .. } => "running",
            Self::Interrupted { .. } => "interrupted",
            Self::Done(_) => "done",
            Self::Failed(_) => "failed",
            Self::Stopped { .. } => "stopped",
        }
    }

    /// Whether the recording came to nothing, so that its owner may want to try the same again.
    pub fn is_unsuccessful(&self) -> bool {
        matches!(self, Self::Rejected(_) | Self::Failed(_))
    }

    /// Whether nothing can follow.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Rejected(_) | Self::Done(_) | Self::Failed(_))
    }
}

impl Job {
    /// A fresh claim on an upload.
    pub fn claim(run: RunId, upload: Upload, owner: String, settings: Settings, now: Timestamp) -> Self {
        let state = State::Received;
        Self {
            schema: 1,
            run,
            upload,
            owner,
            settings,
            state,
            attempt: 0,
            usd_per_hour: Usd::ZERO,
            market: Market::Spot,
            met: Met::default(),
            interruptions: 0,
            manifest: None,
            closed: false,
            told: false,
            tellings: 0,
            received_at: now,
            since: now,
        }
    }

    /// received → validated.
    ///
    /// # Errors
    /// When the verdict was given before.
    pub fn validated(&self, manifest: Manifest, now: Timestamp) -> Result<Self, Refused> {
        match self.state {
            State::Received => Ok(Self { manifest: Some(manifest), ..self.to(State::Validated, now) }),
            _ => Err(Refused::Past(self.state.word())),
        }
    }

    /// received → rejected.
    ///
    /// # Errors
    /// When the verdict was given before.
    pub fn rejected(&self, verdict: Verdict, now: Timestamp) -> Result<Self, Refused> {
        match self.state {
            State::Received => Ok(self.to(State::Rejected(verdict), now)),
            _ => Err(Refused::Past(self.state.word())),
        }
    }

    /// received → failed, when the check itself was given up.
    ///
    /// # Errors
    /// When the verdict was given.
    pub fn unchecked(&self, verdict: Verdict, now: Timestamp) -> Result<Self, Refused> {
        match self.state {
            State::Received => Ok(self.to(State::Failed(verdict), now)),
            _ => Err(Refused::Past(self.state.word())),
        }
    }

    /// The step to an instance on spot.
    ///
    /// # Errors
    /// See [`Self::launching_in`].
    pub fn launching(&self, usd_per_hour: Usd, now: Timestamp) -> Result<Self, Refused> {
        self.launching_in(Market::Spot, usd_per_hour, now)
    }

    /// validated, waiting, interrupted, stopped → launching, with the next attempt. A job that is launching stays as it is:
    /// whoever repeats the step asks the fleet for the same with the same token, and gets the same instance.
    ///
    /// # Errors
    /// When the job has no verdict, runs already or is over.
    pub fn launching_in(&self, market: Market, usd_per_hour: Usd, now: Timestamp) -> Result<Self, Refused> {
        match self.state {
            State::Validated | State::Waiting { .. } | State::Interrupted { .. } | State::Stopped { .. } => {
                Ok(Self { attempt: self.attempt + 1, market, usd_per_hour, ..self.to(State::Launching, now) })
            }
            State::Launching => Ok(self.clone()),
            State::Received => Err(Refused::NotYet(self.state.word())),
            _ => Err(Refused::Past(self.state.word())),
        }
    }

    /// launching → waiting for money: nothing was started.
    ///
    /// # Errors
    /// When another attempt is the job's, or an instance has it.
    pub fn waiting(&self, attempt: u32, why: String, now: Timestamp) -> Result<Self, Refused> {
        self.waiting_since(Scarce::Leave, attempt, why, now)
    }

    /// launching → waiting for what is scarce: nothing was started.
    ///
    /// # Errors
    /// When another attempt is the job's, or an instance has it.
    pub fn waiting_since(&self, scarce: Scarce, attempt: u32, why: String, now: Timestamp) -> Result<Self, Refused> {
        self.fenced(attempt)?;
        match self.state {
            State::Launching => Ok(Self { met: self.met.after(scarce, self.market), ..self.to(State::Waiting { why }, now) }),
            _ => Err(Refused::Past(self.state.word())),
        }
    }

    /// waiting → waiting, for another reason.
    ///
    /// # Errors
    /// When the job does not wait.
    pub fn waiting_for(&self, why: String) -> Result<Self, Refused> {
        match self.state {
            State::Waiting { .. } => Ok(Self { state: State::Waiting { why }, ..self.clone() }),
            _ => Err(Refused::Past(self.state.word())),
        }
    }

    /// A run that has not ended, whose owner was told that it waits.
    ///
    /// # Errors
    /// When it has ended: then another mail says so.
    pub fn owner_told(&self) -> Result<Self, Refused> {
        if self.state.is_final() { Err(Refused::Past(self.state.word())) } else { Ok(Self { told: true, ..self.clone() }) }
    }

    /// A run that is at work, whose owner was told that it goes on.
    ///
    /// # Errors
    /// When it is not at work: then another mail says how it stands.
    pub fn owner_heard(&self) -> Result<Self, Refused> {
        match self.state {
            State::Running { .. } if self.told => Ok(Self { told: false, tellings: self.tellings + 1, ..self.clone() }),
            State::Running { .. } => Ok(self.clone()),
            _ => Err(Refused::Past(self.state.word())),
        }
    }

    /// launching → running, by the worker itself. The same worker may say so again.
    ///
    /// # Errors
    /// When another attempt or another instance has the job.
    pub fn running(&self, attempt: u32, instance: &str, now: Timestamp) -> Result<Self, Refused> {
        self.fenced(attempt)?;
        match &self.state {
            State::Launching => {
                Ok(Self { met: Met::default(), ..self.to(State::Running { instance: instance.to_owned() }, now) })
            }
            State::Running { instance: same } if same == instance => Ok(self.clone()),
            _ => Err(Refused::Past(self.state.word())),
        }
    }

    /// launching, running → interrupted; failed once too many instances were lost.
    ///
    /// # Errors
    /// When another attempt is the job's, or it is over.
    pub fn interrupted(&self, attempt: u32, why: String, now: Timestamp) -> Result<Self, Refused> {
        self.fenced(attempt)?;
        if !matches!(self.state, State::Launching | State::Running { .. }) {
            return Err(Refused::Past(self.state.word()));
        }
        let interruptions = self.interruptions + 1;
        let state = if interruptions < MOST_INTERRUPTIONS {
            State::Interrupted { why }
        } else {
            let cause = format!("the run was interrupted {interruptions} times; the last time: {why}");
            let remedy = "look at log.txt beside the results; upload the recording again once the cause is gone".to_owned();
            State::Failed(Verdict { cause, remedy })
        };
        Ok(Self { interruptions, ..self.to(state, now) })
    }

    /// launching, running → stopped: the instance was ended on purpose, so nothing is counted against the run.
    ///
    /// # Errors
    /// When another attempt is the job's, or it is over.
    pub fn stopped(&self, attempt: u32, why: String, now: Timestamp) -> Result<Self, Refused> {
        self.fenced(attempt)?;
        match self.state {
            State::Launching | State::Running { .. } => Ok(self.to(State::Stopped { why }, now)),
            _ => Err(Refused::Past(self.state.word())),
        }
    }

    /// running → done: the commit. It names the attempt, so a worker that lost its attempt cannot.
    ///
    /// # Errors
    /// When another attempt is the job's, or the job is over.
    pub fn done(&self, outcome: Outcome, now: Timestamp) -> Result<Self, Refused> {
        self.fenced(outcome.attempt)?;
        match &self.state {
            State::Running { .. } => Ok(self.to(State::Done(outcome), now)),
            _ => Err(Refused::Past(self.state.word())),
        }
    }

    /// launching, running → failed, for a cause that another attempt would meet again.
    ///
    /// # Errors
    /// When another attempt is the job's, or the job is over.
    pub fn failed(&self, attempt: u32, verdict: Verdict, now: Timestamp) -> Result<Self, Refused> {
        self.fenced(attempt)?;
        match self.state {
            State::Launching | State::Running { .. } => Ok(self.to(State::Failed(verdict), now)),
            _ => Err(Refused::Past(self.state.word())),
        }
    }

    /// Marks that everything after the end is done.
    ///
    /// # Errors
    /// When the run has not ended.
    pub fn closing(&self) -> Result<Self, Refused> {
        if self.state.is_final() { Ok(Self { closed: true, ..self.clone() }) } else { Err(Refused::NotYet(self.state.word())) }
    }

    /// The folder of the run's results, ending in `/`; none for an upload that has no such folder.
    pub fn results(&self) -> Option<ObjectKey> {
        let key = crate::RecordingKey::parse(&self.upload.key).ok()?;
        let owner = if key.owner.is_empty() { String::new() } else { format!("{}/", key.owner) };
        Some(ObjectKey::raw(format!("results/{owner}{}{}/{}/", key.path, key.name, self.run)))
    }

    fn fenced(&self, attempt: u32) -> Result<(), Refused> {
        if attempt == self.attempt { Ok(()) } else { Err(Refused::Superseded { asked: attempt, current: self.attempt }) }
    }

    fn to(&self, state: State, now: Timestamp) -> Self {
        Self { state, since: now, ..self.clone() }
    }
}

#[cfg(test)]
#[path = "job_tests.rs"]
mod tests;
