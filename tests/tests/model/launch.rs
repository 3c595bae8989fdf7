//! The calls of launch and of the worker, in the order of their code.

use crate::actors::{Actor, Op};
use crate::world::{Instance, Model, PRICE, Planted, SPENT, World, now};
use dropscope_pipeline::job::Verdict;
use dropscope_pipeline::{Job, Outcome, State, budget};
use std::sync::Arc;

/// Carries out one call of launch; false when there is no such outcome.
pub(crate) fn launch(model: &Model, world: &mut World, actor: &mut Actor, run: usize, op: &Op, choice: usize) -> bool {
    let attempt = actor.attempt;
    match op {
        Op::Take => {
            let at = actor.now();
            if let Ok(job) = world.runs[run].update(|job| job.launching(PRICE, at)) {
                actor.attempt = job.attempt;
                let first = if model.planted == Some(Planted::ReservesNothing) { Op::Check } else { Op::Reserve };
                actor.then(run, [first]);
            }
        }
        Op::Reserve => {
            let id = budget::attempt_id(&world.runs[run].id, attempt);
            let next = match world.budget.reserve_within(&model.allowance(), &id, PRICE, "ana", actor.now()) {
                Ok(()) => Op::Check,
                Err(_) => Op::Refused,
            };
            actor.then(run, [next]);
        }
        Op::Refused => {
            let id = budget::attempt_id(&world.runs[run].id, attempt);
            if !world.budget.reservations.contains_key(&id) {
                actor.then(run, [Op::PutOff]);
            }
        }
        Op::PutOff => _ = world.runs[run].update(|job| job.waiting(attempt, "refused".into(), now())),
        Op::Check => {
            let job = world.runs[run].job.clone().unwrap();
            if job.attempt == attempt && matches!(job.state, State::Launching | State::Running { .. }) {
                actor.then(run, [Op::Start]);
            } else if job.closed {
                actor.then(run, [Op::Release]);
            }
        }
        Op::Release => {
            let id = budget::attempt_id(&world.runs[run].id, attempt);
            world.budget.release(&id, now());
        }
        Op::Start => return start(world, actor, run, choice),
        Op::Look => {
            let ours = |instance: &&Instance| instance.attempt == attempt && instance.alive;
            if world.runs[run].instances.iter().find(ours).is_none() {
                actor.then(run, [Op::PutBack]);
            }
        }
        Op::PutBack => {
            if world.runs[run].update(|job| job.waiting(attempt, "no capacity".into(), now())).is_ok() {
                actor.then(run, [Op::Release]);
            }
        }
        Op::Lose => _ = world.runs[run].update(|job| job.interrupted(attempt, "its token is spent".into(), now())),
        _ => return false,
    }
    choice == 0
}

/// The same token gives the same instance, or the same refusal, or is spent.
fn start(world: &mut World, actor: &mut Actor, run: usize, choice: usize) -> bool {
    let attempt = actor.attempt;
    let known = world.runs[run].instances.iter().find(|instance| instance.attempt == attempt).map(|instance| instance.alive);
    match (known, choice) {
        (Some(true), 0) => {}
        (Some(false), 0) => actor.then(run, [Op::Lose]),
        (None, 0) if world.runs[run].refused.contains(&attempt) => actor.then(run, [Op::Look]),
        (None, 0) => {
            world.runs[run].instances.push(Instance { attempt, alive: true, launched_at: now(), booted: false });
        }
        (None, 1) if world.left.refusals > 0 && !world.runs[run].refused.contains(&attempt) => {
            world.left.refusals -= 1;
            world.runs[run].refused.insert(attempt);
            actor.then(run, [Op::Look]);
        }
        _ => return false,
    }
    true
}

/// Carries out one call of a worker; false when there is no such outcome.
pub(crate) fn segment(model: &Model, world: &mut World, actor: &mut Actor, run: usize, op: &Op, choice: usize) -> bool {
    let (attempt, run_at) = (actor.attempt, run);
    if *op == Op::Work {
        return work(model, world, actor, run_at, choice);
    }
    let run = &mut world.runs[run_at];
    let instance = format!("i-{run_at}-{attempt}");
    match op {
        Op::Begin => match run.update(|job| job.running(attempt, &instance, now())) {
            Ok(_) => actor.then(run_at, [Op::Work]),
            Err(job) => late(actor, run_at, job),
        },
        Op::Commit => {
            let current = run.job.as_ref().unwrap().attempt;
            let named = if model.planted == Some(Planted::IgnoresTheFence) { current } else { attempt };
            match run.update(|job| job.done(outcome(named), now())) {
                Ok(job) => {
                    run.committed.push(attempt);
                    late(actor, run_at, job);
                }
                Err(job) => late(actor, run_at, job),
            }
        }
        Op::BreakOff => _ = run.update(|job| job.interrupted(attempt, "broken off".into(), now())),
        Op::GiveUp => {
            let verdict = Verdict { cause: "cause".into(), remedy: "remedy".into() };
            let (Ok(job) | Err(job)) = run.update(|job| job.failed(attempt, verdict, now()));
            late(actor, run_at, job);
        }
        _ => return false,
    }
    choice == 0
}

/// How the work ends.
fn work(model: &Model, world: &mut World, actor: &mut Actor, run: usize, choice: usize) -> bool {
    let left = &mut world.left;
    let op = match choice {
        0 => Op::Commit,
        1 if left.interruptions > 0 => {
            left.interruptions -= 1;
            Op::BreakOff
        }
        2 if left.failures > 0 => {
            left.failures -= 1;
            Op::GiveUp
        }
        _ => return false,
    };
    segment(model, world, actor, run, &op, 0)
}

/// What a worker does with a job that is over: tells its owner. It may not write the budget.
fn late(actor: &mut Actor, run: usize, job: Arc<Job>) {
    actor.jobs[run] = Some(job);
    actor.then(run, [Op::Close { settles: false }]);
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
        cost: SPENT,
        files: Vec::new(),
        provenance: serde_json::Value::Null,
    }
}
