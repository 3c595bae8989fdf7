//! What is wrong with one run: pure decisions over what was seen.

use dropscope_pipeline::budget::{Allowance, Budget, attempt_id};
use dropscope_pipeline::{Job, Quiet, RunId, State, Timestamp};
use dropscope_ports::{Instance, InstanceState};

/// How long things may take before they count as wrong, seconds.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// A launch, before an instance that nobody sees counts as gone (EC2 describes an instance some seconds late).
    pub launch: u64,
    /// A run that may be launched, before it is announced again.
    pub wake: u64,
    /// A verdict, before the check of a recording counts as given up.
    pub verdict: u64,
    /// An instance whose run is over, before it is ended.
    pub leave: u64,
    /// An instance beyond its lifetime, before it counts as one that does not end itself: its own watchdog failed.
    pub overtime: u64,
    /// A run that a cap or a freeze keeps waiting, before its owner is told: many a one goes on within minutes.
    pub tell: u64,
    /// The folder of a recording in many files without a new one, before it counts as whole.
    pub quiet: Quiet,
}

/// Why the job's instance counts as gone; none while it lives, or may still appear.
pub fn lost(job: &Job, instances: &[Instance], patience: Patience, now: Timestamp) -> Option<String> {
    let seen = instance_of(job, instances);
    let late = now >= job.since.plus_seconds(patience.launch);
    let gone = seen.map_or(late, |instance| instance.state != InstanceState::Alive);
    match (&job.state, seen) {
        (State::Running { instance }, _) if gone => Some(format!("instance {instance} ended before the run was done")),
        (State::Launching, Some(instance)) if gone => Some(format!("instance {} ended before it began", instance.id)),
        _ => None,
    }
}

/// Whether a launch was cut short before it started anything: announced again it goes on with the same attempt, whose
/// money is reserved and whose token starts one instance at most. Nothing is counted against the run.
pub fn not_started(job: &Job, instances: &[Instance], patience: Patience, now: Timestamp) -> bool {
    job.state == State::Launching && instance_of(job, instances).is_none() && now >= job.since.plus_seconds(patience.launch)
}

/// Whether the run may be announced now, once nothing refuses it.
pub fn may_go(job: &Job, patience: Patience, now: Timestamp) -> bool {
    match job.state {
        State::Validated | State::Waiting { .. } => now >= job.since.plus_seconds(patience.wake),
        State::Interrupted { .. } | State::Stopped { .. } => true,
        _ => false,
    }
}

/// Why the budget would refuse what the last launch asked for; asking in vain every minute would cost money itself.
pub fn refusal(job: &Job, budget: &Budget, allowance: &Allowance, now: Timestamp) -> Option<String> {
    let lifetime = job.manifest.as_ref().map_or(0, |manifest| manifest.needs.lifetime_seconds());
    // On demand is asked for only where spot was not to be had: whether spot may go, the next launch finds out.
    let asked = job.market.as_spot(job.usd_per_hour).per_hour_for(lifetime);
    // How many may run is told by the instances themselves: a run that has just ended holds its money a moment longer.
    let allowance = Allowance { most_instances: None, ..allowance.clone() };
    budget.clone().reserve_within(&allowance, "asked", asked, &job.owner, now).err().map(|refusal| refusal.to_string())
}

/// Whether the owner should be told that the run waits for money: at once of one that was stopped.
pub fn untold(job: &Job, patience: Patience, now: Timestamp) -> bool {
    let stopped = matches!(job.state, State::Stopped { .. });
    !job.told && !job.state.is_final() && (stopped || now >= job.since.plus_seconds(patience.tell))
}

/// Attempts that hold money and have nothing to spend it on: another attempt is the job's, or nothing runs. What was just
/// started is not seen at once, and what runs spends, whatever it works on.
pub fn idle_reservations(job: &Job, budget: &Budget, instances: &[Instance], patience: Patience, now: Timestamp) -> Vec<u32> {
    if now < job.since.plus_seconds(patience.launch) {
        return Vec::new();
    }
    let busy = matches!(job.state, State::Launching | State::Running { .. });
    let idle = |attempt: &u32| *attempt < job.attempt || !busy;
    let holds = |attempt: &u32| budget.reservations.contains_key(&attempt_id(&job.run, *attempt));
    let runs = |attempt: &u32| instances.iter().any(|i| i.attempt == *attempt && is_alive(i, job));
    (1..=job.attempt).filter(idle).filter(holds).filter(|attempt| !runs(attempt)).collect()
}

/// Attempts that hold money although no open run is theirs: a launch that was cut short may have reserved for a run that was
/// closed meanwhile. Just reserved, its own call may still give it back.
pub fn unowned(open: &[Job], budget: &Budget, patience: Patience, now: Timestamp) -> Vec<(RunId, u32)> {
    let held = budget.reservations.iter().filter(|(_, held)| now >= held.since.plus_seconds(patience.launch));
    let parsed = held.filter_map(|(attempt, _)| {
        let (run, attempt) = attempt.rsplit_once('.')?;
        Some((run.parse::<RunId>().ok()?, attempt.parse().ok()?))
    });
    parsed.filter(|(run, _)| open.iter().all(|job| job.run != *run)).collect()
}

/// Whether an instance of the run is still there: its place and its money are not free yet.
pub fn lingers(job: &Job, instances: &[Instance]) -> bool {
    instances.iter().any(|instance| is_alive(instance, job))
}

/// Whether an ended run leaves nothing behind that runs: its instance was seen to have ended, or is not seen although there was
/// time enough. One that was done before its instance was listed keeps its place and its money until then.
pub fn is_gone(job: &Job, instances: &[Instance], patience: Patience, now: Timestamp) -> bool {
    let seen = job.attempt == 0 || instance_of(job, instances).is_some();
    !lingers(job, instances) && (seen || now >= job.since.plus_seconds(patience.launch))
}

fn is_alive(instance: &Instance, job: &Job) -> bool {
    instance.run == job.run && instance.state != InstanceState::Ended
}

/// Whether an instance works on nothing: its run is over, or another attempt's.
pub fn idle_instance<'a>(
    instance: &Instance,
    mut jobs: impl Iterator<Item = &'a Job>,
    patience: Patience,
    now: Timestamp,
) -> bool {
    // Those that ended outnumber the others after a while, and need no look at any job; one that somebody stopped works on
    // nothing, whatever its job says.
    match instance.state {
        InstanceState::Ended => return false,
        InstanceState::Resting => return true,
        InstanceState::Alive => {}
    }
    let late = |since: Timestamp| now >= since.plus_seconds(patience.leave);
    match jobs.find(|job| job.run == instance.run) {
        // A newer attempt than the job's is one that began after the job was read: it is looked at next time.
        Some(job) if job.state.is_final() || instance.attempt < job.attempt => late(job.since),
        Some(job) => job.manifest.as_ref().is_some_and(|manifest| {
            let lifetime = manifest.needs.lifetime_seconds().saturating_add(patience.overtime);
            now >= instance.launched_at.plus_seconds(lifetime)
        }),
        None => late(instance.launched_at),
    }
}

fn instance_of<'a>(job: &Job, instances: &'a [Instance]) -> Option<&'a Instance> {
    instances.iter().find(|i| i.run == job.run && i.attempt == job.attempt)
}
