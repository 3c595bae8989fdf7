//! Everything that can happen next.

use crate::actors::{Actor, Kind, Op};
use crate::world::{Model, World, now};
use crate::{closing, launch, reconcile};
use dropscope_pipeline::State;

/// Outcomes that one call can have at most.
const CHOICES: usize = 3;

/// Every world that can be next, and what happened.
pub(crate) fn next(model: &Model, world: &World) -> Vec<(String, World)> {
    let mut all = Vec::new();
    for at in 0..world.actors.len() {
        calls(model, world, at, &mut all);
        misfortunes(world, at, &mut all);
    }
    for run in 0..world.runs.len() {
        begins(model, world, run, &mut all);
        ends(world, run, &mut all);
    }
    if world.runs.iter().any(|run| run.job.is_some()) && world.actors.iter().all(|actor| actor.kind != Kind::Reconcile) {
        let mut next = world.clone();
        let mut actor = Actor::new(Kind::Reconcile, 0, world.runs.len(), Op::List);
        let (run, op) = actor.ops.pop().unwrap_or((0, Op::List));
        call(model, &mut next, &mut actor, run, &op, 0);
        stand(model, &mut next, actor);
        all.push(("reconcile begins".into(), next));
    }
    outside(world, &mut all);
    all.iter_mut().for_each(|(_, next)| next.normalise());
    all
}

/// The next call of an actor, with every outcome that it can have.
fn calls(model: &Model, world: &World, at: usize, all: &mut Vec<(String, World)>) {
    for choice in 0..CHOICES {
        let mut next = world.clone();
        let mut actor = next.actors.remove(at);
        let Some((run, op)) = actor.ops.pop() else { return };
        if !call(model, &mut next, &mut actor, run, &op, choice) {
            continue;
        }
        let told = format!("{:?} of run {run}, attempt {}: {op:?} ({choice})", actor.kind, actor.attempt);
        stand(model, &mut next, actor);
        all.push((told, next));
    }
}

/// An actor goes on until it stands before a call that others can see or that sees others.
fn stand(model: &Model, world: &mut World, mut actor: Actor) {
    while let Some((run, op)) = actor.ops.last().cloned() {
        if !reconcile::is_local(world, &actor, run, &op) {
            actor.forget();
            return world.actors.push(actor);
        }
        actor.ops.pop();
        call(model, world, &mut actor, run, &op, 0);
    }
}

pub(crate) fn call(model: &Model, world: &mut World, actor: &mut Actor, run: usize, op: &Op, choice: usize) -> bool {
    let only = choice == 0;
    (only && (closing::validate(model, world, actor, run, op) || closing::close(model, world, actor, run, op)))
        || match actor.kind {
            Kind::Validate => false,
            Kind::Launch => launch::launch(model, world, actor, run, op, choice),
            Kind::Worker(_) => launch::segment(model, world, actor, run, op, choice),
            Kind::Reconcile => reconcile::reconcile(model, world, actor, run, op, choice),
        }
}

/// An actor dies where it stands; or what it does happens, and it does not hear of it and does it again.
fn misfortunes(world: &World, at: usize, all: &mut Vec<(String, World)>) {
    if world.left.faults == 0 {
        return;
    }
    let mut next = world.clone();
    next.left.faults -= 1;
    let actor = next.actors.remove(at);
    if actor.kind == Kind::Validate {
        next.runs[actor.run].deliveries += 1;
    }
    all.push((format!("{:?} dies before {:?}", actor.kind, actor.ops.last()), next));
}

/// The same call again, after its answer was lost.
pub(crate) fn repeated(model: &Model, world: &World) -> Vec<(String, World)> {
    let mut all = Vec::new();
    if world.left.faults == 0 {
        return all;
    }
    for at in 0..world.actors.len() {
        let mut next = world.clone();
        let mut actor = next.actors.remove(at);
        let before = actor.clone();
        let Some((run, op)) = actor.ops.pop() else { continue };
        if op.writes() && call(model, &mut next, &mut actor, run, &op, 0) {
            next.left.faults -= 1;
            next.actors.push(before);
            next.normalise();
            all.push((format!("{:?}: {op:?} happens, and its answer is lost", actor.kind), next));
        }
    }
    all
}

/// Events are delivered, twice perhaps; an instance starts its worker.
fn begins(model: &Model, world: &World, run: usize, all: &mut Vec<(String, World)>) {
    let runs = world.runs.len();
    let at_work = |kind: Kind| world.actors.iter().filter(|actor| actor.kind == kind && actor.run == run).count();
    // Its first call comes with it: when it begins is anybody's guess.
    let mut begin = |what: &str, mut actor: Actor, change: &dyn Fn(&mut World)| {
        let mut next = world.clone();
        change(&mut next);
        let (run, op) = actor.ops.pop().unwrap();
        call(model, &mut next, &mut actor, run, &op, 0);
        stand(model, &mut next, actor);
        all.push((format!("{what} of run {run} begins"), next));
    };
    let it = &world.runs[run];
    if it.deliveries > 0 {
        begin("validate", Actor::new(Kind::Validate, run, runs, Op::Find), &|next| next.runs[run].deliveries -= 1);
    }
    if it.announced && at_work(Kind::Launch) < model.launches && is_worth_while(model, world, run) {
        begin("launch", Actor::new(Kind::Launch, run, runs, Op::Take), &|_| {});
    }
    for (which, instance) in it.instances.iter().enumerate().filter(|(_, instance)| instance.alive && !instance.booted) {
        let worker = Actor { attempt: instance.attempt, ..Actor::new(Kind::Worker(which), run, runs, Op::Begin) };
        begin("worker", worker, &|next| next.runs[run].instances[which].booted = true);
    }
}

/// A refused launch ends as it began, one attempt further on. To that there would be no end: from the third attempt on only
/// launches are played that find a place when they begin.
fn is_worth_while(model: &Model, world: &World, run: usize) -> bool {
    let Some(job) = &world.runs[run].job else { return false };
    job.attempt < 2
        || job.state == State::Launching
        || (world.budget.reservations.len() < model.at_a_time && world.budget.frozen.is_none())
}

/// Events come no more; instances end.
fn ends(world: &World, run: usize, all: &mut Vec<(String, World)>) {
    let mut end = |what: String, change: &dyn Fn(&mut World)| {
        let mut next = world.clone();
        change(&mut next);
        all.push((what, next));
    };
    let it = &world.runs[run];
    // The event of an upload is delivered until somebody has claimed the run; more than once perhaps.
    if it.deliveries > 0 && it.job.is_some() {
        end(format!("the event of run {run} comes no more"), &|next| next.runs[run].deliveries = 0);
    }
    if it.announced {
        end(format!("run {run} is announced no more"), &|next| next.runs[run].announced = false);
    }
    for (which, instance) in it.instances.iter().enumerate().filter(|(_, instance)| instance.alive) {
        let works = world.actors.iter().any(|actor| actor.kind == Kind::Worker(which) && actor.run == run);
        if instance.booted && !works {
            end(format!("instance {which} of run {run} ends itself"), &|next| next.runs[run].instances[which].alive = false);
        } else if world.left.interruptions > 0 {
            // Its worker may go on for a while, and does not know it.
            end(format!("instance {which} of run {run} is taken away"), &|next| {
                next.left.interruptions -= 1;
                next.runs[run].instances[which].alive = false;
                next.runs[run].instances[which].booted = true;
            });
        }
    }
}

/// Time, and the operator.
fn outside(world: &World, all: &mut Vec<(String, World)>) {
    if world.actors.iter().all(|actor| !actor.aged) {
        let mut next = world.clone();
        next.leap();
        all.push(("time goes by".into(), next));
    }
    if world.budget.frozen.is_some() {
        let mut next = world.clone();
        next.budget.thaw(now());
        all.push(("the operator thaws".into(), next));
    } else if world.left.freezes > 0 {
        let mut next = world.clone();
        next.left.freezes -= 1;
        next.budget.freeze("alert", now());
        all.push(("launches freeze".into(), next));
    }
}
