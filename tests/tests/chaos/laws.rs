//! What must hold after every call, and at the end, whatever the adversary did.

use crate::actors::{World, allowance};
use dropscope_pipeline::budget::{Budget, LedgerEntry, attempt_id};
use dropscope_pipeline::job::ResultFile;
use dropscope_pipeline::{Job, RunId, State, Usd, state_keys};
use dropscope_ports::{Clock, Objects, Select};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The laws, and what was seen so far.
pub(crate) struct Laws {
    pub(crate) uploads: usize,
    jobs: BTreeMap<RunId, Job>,
}

impl Laws {
    pub(crate) fn new(uploads: usize) -> Self {
        Self { uploads, jobs: BTreeMap::new() }
    }

    /// What must hold at any time.
    pub(crate) async fn hold(&mut self, world: &World) -> Result<(), String> {
        under_the_cap(world)?;
        let budget = budget(world);
        let (alive, most) = (world.fleet.alive(), allowance().most_instances.unwrap_or_default());
        law(alive.len() <= most, || format!("{} instances run, {most} may", alive.len()))?;
        for real in world.fleet.all() {
            let id = attempt_id(&real.instance.run, real.instance.attempt);
            let settled = ledger(world, &real.instance.run, real.instance.attempt);
            let held = budget.reservations.contains_key(&id);
            law(held || settled.is_some(), || format!("nothing is held for {id} on {}", real.instance.id))?;
        }
        for job in dropscope_jobs::list_jobs(&*world.store).await.map_err(|error| error.to_string())? {
            if let Some(before) = self.jobs.insert(job.run.clone(), job.clone()) {
                follows(&before, &job)?;
            }
        }
        Ok(())
    }

    /// What must hold once everything is over.
    pub(crate) async fn hold_at_the_end(&mut self, world: &World) -> Result<(), String> {
        self.hold(world).await?;
        law(self.jobs.len() == self.uploads, || format!("{} uploads have {} runs", self.uploads, self.jobs.len()))?;
        let (budget, mails) = (budget(world), world.post.all());
        law(budget.reservations.is_empty(), || format!("money is left reserved: {:?}", budget.reservations))?;
        for job in self.jobs.values() {
            let word = job.state.word();
            law(job.closed && job.state.is_final(), || format!("{} is left {word}", job.run))?;
            law(mails.iter().any(|mail| mail.id == format!("{}.{word}", job.run)), || format!("nobody heard of {}", job.run))?;
            if let State::Done(outcome) = &job.state {
                results(world, job, &outcome.files)?;
            }
            cleared(world, job).await?;
        }
        spent(world, &self.jobs)
    }

    /// The results of the runs that are done, by recording.
    pub(crate) fn files(&self) -> BTreeMap<String, Vec<ResultFile>> {
        let done = self.jobs.values().filter_map(|job| match &job.state {
            State::Done(outcome) => Some((job.upload.key.to_string(), outcome.files.clone())),
            _ => None,
        });
        done.collect()
    }
}

/// What is spent and reserved is never more than the cap, nor that of one owner more than the owner's.
pub(crate) fn under_the_cap(world: &World) -> Result<(), String> {
    let (money, allowance) = (budget(world), allowance());
    let within = |committed: Usd, cap: Option<Usd>, whose: &str| {
        let cap = cap.unwrap_or_default();
        law(committed <= cap, || format!("{committed} are committed {whose}, the cap is {cap}"))
    };
    within(money.committed(), allowance.cap, "by all")?;
    let mut owners = money.reservations.values().map(|held| &held.owner).chain(money.spent_by.keys());
    owners.try_for_each(|owner| within(money.committed_by(owner), allowance.owner_cap, owner))
}

fn law(holds: bool, broken: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(broken()) }
}

/// Whether a job may have become what it is.
fn follows(before: &Job, after: &Job) -> Result<(), String> {
    let run = &before.run;
    law(after.attempt >= before.attempt, || format!("{run} went back to attempt {}", after.attempt))?;
    if let State::Done(outcome) = &after.state {
        law(outcome.attempt == after.attempt, || {
            format!("attempt {} of {run} committed, not {}", outcome.attempt, after.attempt)
        })?;
    }
    law(after.closed || !before.closed, || format!("{run} was opened again"))?;
    law(!before.state.is_final() || before.state == after.state, || {
        format!("{run} was {:?} and is {:?}", before.state, after.state)
    })
}

/// Every committed result is there, to the byte.
fn results(world: &World, job: &Job, files: &[ResultFile]) -> Result<(), String> {
    let folder = job.results().ok_or("no folder of results")?;
    for file in files {
        let bytes = world.store.bytes(folder.child(&file.name).as_str());
        let digest = bytes.map(|bytes| hex::encode(Sha256::digest(bytes)));
        law(digest.as_ref() == Some(&file.sha256), || format!("{} of {} is not the committed one", file.name, job.run))?;
    }
    for name in ["manifest.json", "provenance.json", "log.txt"] {
        law(world.store.bytes(folder.child(name).as_str()).is_some(), || format!("{name} of {} is missing", job.run))?;
    }
    Ok(())
}

/// No checkpoint outlives its run. One that was on its way when the run ended may come after it, and its writer clears it away
/// when it hears that the run is over: what is left then is what that writer died with.
async fn cleared(world: &World, job: &Job) -> Result<(), String> {
    for name in dropscope_jobs::list_checkpoints(&*world.store, job).await.map_err(|error| error.to_string())? {
        let key = dropscope_jobs::checkpoint(job, &name).ok_or("no folder of results")?;
        let meta = world.store.head(&key, &Select::default()).await.map_err(|error| error.to_string())?;
        law(meta.modified.is_some_and(|modified| modified >= job.since), || format!("{key} is left"))?;
    }
    Ok(())
}

/// What instances really cost is in the ledger, attempt by attempt.
fn spent(world: &World, jobs: &BTreeMap<RunId, Job>) -> Result<(), String> {
    let now = world.clock.now();
    for real in world.fleet.all() {
        let (run, attempt) = (&real.instance.run, real.instance.attempt);
        let entry = ledger(world, run, attempt).ok_or_else(|| format!("no entry for {run}.{attempt}"))?;
        law(real.cost(now) <= entry.reserved, || {
            format!("{run}.{attempt} cost {} and had reserved {}", real.cost(now), entry.reserved)
        })?;
        let committed = matches!(&jobs[run].state, State::Done(outcome) if outcome.attempt == attempt);
        law(committed || entry.cost == entry.reserved, || format!("{run}.{attempt} is settled below what it may have cost"))?;
    }
    let entries = jobs.values().flat_map(|job| (1..=job.attempt).filter_map(|attempt| ledger(world, &job.run, attempt)));
    let month = now.month();
    let sum = entries.filter(|entry| entry.settled_at.month() == month).fold(Usd::ZERO, |sum, entry| sum.plus(entry.cost));
    let told = budget(world);
    law(told.month != month || told.spent == sum, || format!("{} are spent by the budget, {sum} by the ledger", told.spent))
}

fn budget(world: &World) -> Budget {
    let bytes = world.store.bytes(state_keys::budget().as_str());
    bytes.map(|bytes| serde_json::from_slice(&bytes).unwrap()).unwrap_or_default()
}

/// The entry of an attempt, whichever month it is in.
fn ledger(world: &World, run: &RunId, attempt: u32) -> Option<LedgerEntry> {
    ["2026-11", "2026-12", "2027-01", "2027-02"].iter().find_map(|month| {
        let bytes = world.store.bytes(state_keys::ledger_entry(month, run, attempt).as_str())?;
        Some(serde_json::from_slice(&bytes).unwrap())
    })
}
