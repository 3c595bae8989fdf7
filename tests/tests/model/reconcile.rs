//! The calls of reconcile, in the order of its code, with its own decisions.

use crate::actors::{Actor, Op};
use crate::world::{Instance, Model, World, earlier};
use dropscope_pipeline::job::Verdict;
use dropscope_pipeline::{Job, Quiet, State};
use dropscope_ports as ports;
use dropscope_reconcile::{Patience, look, order};

/// Shorter than a leap of time, all of it but the lifetime of an instance: one that outlives it ends itself here.
const PATIENCE: Patience = Patience {
    launch: 100,
    wake: 100,
    verdict: 100,
    leave: 100,
    overtime: 1_000_000,
    tell: 100,
    quiet: Quiet { needed: 100, again: 100 },
};

pub(crate) fn reconcile(model: &Model, world: &mut World, actor: &mut Actor, run: usize, op: &Op, choice: usize) -> bool {
    match op {
        Op::List => {
            for (at, run) in world.runs.iter_mut().enumerate() {
                match &run.job {
                    Some(job) if run.marker && job.closed => run.marker = false,
                    Some(job) if run.marker => actor.jobs[at] = Some(job.clone()),
                    _ => {}
                }
            }
            actor.then(run, [Op::Instances]);
        }
        Op::Instances => return instances(world, actor, choice),
        Op::Money => {
            actor.budget = Some(world.budget.clone());
            plan(model, world, actor);
        }
        Op::Leftover { attempt } => {
            let job = world.runs[run].job.clone().unwrap();
            if job.closed && !look::lingers(&job, &actor.instances) {
                actor.then(run, [Op::Decide { attempt: *attempt, cost: None }]);
            }
        }
        Op::Terminate { instance } => world.runs[run].instances[*instance].alive = false,
        Op::Lost | Op::GivenUp => change(world, actor, run, op),
        Op::Idle => {
            let (job, budget) = (actor.job(run), actor.budget.as_ref().unwrap());
            let idle = look::idle_reservations(job, budget, &actor.instances, PATIENCE, actor.now());
            let ends = job.state.is_final();
            let settle = idle.into_iter().filter(|_| !ends).map(|attempt| Op::Decide { attempt, cost: None });
            let ops: Vec<Op> = settle.chain([Op::Act]).collect();
            actor.then(run, ops);
        }
        Op::Act => act(model, actor, run),
        Op::Wake => {
            // A run that was never launched may have lost its manifest's event.
            world.runs[run].manifest = true;
            world.runs[run].announced = true;
        }
        Op::Flush => {
            if world.runs[run].post.pending.is_some() {
                actor.then(run, [if world.runs[run].post.sent { Op::Clear } else { Op::IsSent }]);
            }
        }
        _ => return false,
    }
    choice == 0
}

/// EC2 lists a new instance some time after it was started: both can be.
fn instances(world: &World, actor: &mut Actor, choice: usize) -> bool {
    let young = |instance: &Instance| instance.launched_at > earlier();
    let any = world.runs.iter().flat_map(|run| &run.instances).any(young);
    if choice > usize::from(any) {
        return false;
    }
    for (at, run) in world.runs.iter().enumerate() {
        let seen = run.instances.iter().filter(|instance| choice == 0 || !young(instance));
        actor.instances.extend(seen.map(|instance| ports::Instance {
            id: format!("i-{at}-{}", instance.attempt),
            run: run.id.clone(),
            attempt: instance.attempt,
            instance_type: String::new(),
            state: if instance.alive { ports::InstanceState::Alive } else { ports::InstanceState::Ended },
            launched_at: instance.launched_at,
        }));
    }
    actor.then(0, [Op::Money]);
    true
}

/// All that is to be done, decided on what was seen.
fn plan(model: &Model, world: &World, actor: &mut Actor) {
    let (budget, at) = (actor.budget.clone().unwrap(), actor.now());
    let open: Vec<Job> = actor.jobs.iter().flatten().map(|job| (**job).clone()).collect();
    let mut all = open.clone();
    // Jobs of instances that live on although their run is closed.
    let unknown =
        world.runs.iter().filter(|run| open.iter().all(|job| job.run != run.id) && run.instances.iter().any(|i| i.alive));
    all.extend(unknown.filter_map(|run| run.job.as_deref().cloned()));
    let place = |id: &dropscope_pipeline::RunId| world.runs.iter().position(|run| run.id == *id).unwrap();
    let mut ops = Vec::new();
    for (id, attempt) in look::unowned(&open, &budget, PATIENCE, at) {
        ops.push((place(&id), Op::Leftover { attempt }));
    }
    for instance in actor.instances.iter().filter(|i| look::idle_instance(i, all.iter(), PATIENCE, at)) {
        let run = place(&instance.run);
        let which = world.runs[run].instances.iter().position(|other| other.attempt == instance.attempt).unwrap();
        ops.push((run, Op::Terminate { instance: which }));
    }
    let alive = actor.instances.iter().filter(|instance| instance.state == ports::InstanceState::Alive).count();
    actor.room = model.at_a_time.saturating_sub(alive);
    for job in order::in_turn(open, &budget.served) {
        let run = place(&job.run);
        ops.extend([Op::Lost, Op::GivenUp, Op::Idle].map(|op| (run, op)));
    }
    ops.extend((0..world.runs.len()).map(|run| (run, Op::Flush)));
    ops.reverse();
    actor.ops.extend(ops);
}

/// Whether a call is none, seen what was seen: then there is nothing to wait for.
pub(crate) fn is_local(world: &World, actor: &Actor, run: usize, op: &Op) -> bool {
    let job = actor.jobs[run].as_ref();
    match (op, job) {
        (Op::Idle | Op::Act | Op::Close { settles: false }, _) => true,
        (Op::Close { settles: true }, Some(job)) => job.closed || !job.state.is_final(),
        (Op::Lost, Some(job)) => look::lost(job, &actor.instances, PATIENCE, actor.now()).is_none(),
        (Op::GivenUp, Some(job)) => job.state != State::Received || actor.now() < job.since.plus_seconds(PATIENCE.verdict),
        // What comes into the outbox later, the next call finds.
        (Op::Flush, _) => world.runs[run].post.pending.is_none(),
        _ => false,
    }
}

/// What is lost, or was never checked.
fn change(world: &mut World, actor: &mut Actor, run: usize, op: &Op) {
    let (job, at) = (actor.job(run).clone(), actor.now());
    let frozen = actor.budget.as_ref().is_some_and(|budget| budget.frozen.is_some());
    let changed = match (op, look::lost(&job, &actor.instances, PATIENCE, at)) {
        (Op::Lost, Some(why)) => world.runs[run].update(|current| match frozen {
            true => current.stopped(job.attempt, why, at),
            false => current.interrupted(job.attempt, why, at),
        }),
        (Op::GivenUp, None) if job.state == State::Received && at >= job.since.plus_seconds(PATIENCE.verdict) => {
            let verdict = Verdict { cause: "never checked".into(), remedy: "upload it again".into() };
            world.runs[run].update(|current| current.unchecked(verdict, at))
        }
        _ => return,
    };
    let (Ok(job) | Err(job)) = changed;
    actor.jobs[run] = Some(job);
}

fn act(model: &Model, actor: &mut Actor, run: usize) {
    let (job, budget, at) = (actor.job(run).clone(), actor.budget.as_ref().unwrap(), actor.now());
    if look::not_started(&job, &actor.instances, PATIENCE, at) {
        actor.room = actor.room.saturating_sub(1);
        actor.then(run, [Op::Wake]);
    } else if look::may_go(&job, PATIENCE, at) {
        if actor.room > 0 && look::refusal(&job, budget, &model.allowance(), at).is_none() {
            actor.room -= 1;
            actor.then(run, [Op::Wake]);
        }
    } else if job.state.is_final() && look::is_gone(&job, &actor.instances, PATIENCE, at) {
        actor.then(run, [Op::Close { settles: true }]);
    }
}
