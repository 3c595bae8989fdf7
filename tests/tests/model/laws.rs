//! What must hold in every state, and what the good end is.

use crate::closing::spent;
use crate::world::{Model, Run, World};
use dropscope_pipeline::State;
use dropscope_pipeline::budget::attempt_id;

/// The law that a state breaks, or that a step breaks.
pub(crate) fn broken(model: &Model, before: Option<&World>, world: &World) -> Option<String> {
    let cap = model.allowance().cap?;
    if world.budget.committed() > cap {
        return Some(format!("{} are committed, the cap is {cap}", world.budget.committed()));
    }
    if world.budget.spent > spent(world) {
        return Some(format!("{} are spent by the budget, {} by the ledger", world.budget.spent, spent(world)));
    }
    let alive = world.runs.iter().flat_map(|run| &run.instances).filter(|instance| instance.alive).count();
    if alive > model.at_a_time {
        return Some(format!("{alive} instances run, {} may", model.at_a_time));
    }
    world.runs.iter().enumerate().find_map(|(at, run)| of_run(world, run).or_else(|| follows(&before?.runs[at], run)))
}

fn of_run(world: &World, run: &Run) -> Option<String> {
    for instance in &run.instances {
        let id = attempt_id(&run.id, instance.attempt);
        if !world.budget.reservations.contains_key(&id) && !world.ledger.contains_key(&id) {
            return Some(format!("nothing is held for attempt {}, which has an instance", instance.attempt));
        }
    }
    let job = run.job.as_ref()?;
    if job.closed && !run.post.delivered {
        return Some("a run is closed and nobody heard of it".into());
    }
    if run.committed.len() > 1 || run.committed.first().is_some_and(|attempt| *attempt != job.attempt) {
        return Some(format!("attempts {:?} committed, the job is at {}", run.committed, job.attempt));
    }
    None
}

/// Whether a job may have become what it is.
fn follows(before: &Run, after: &Run) -> Option<String> {
    let (Some(old), Some(new)) = (&before.job, &after.job) else { return None };
    if new.attempt < old.attempt {
        return Some(format!("the job went back from attempt {} to {}", old.attempt, new.attempt));
    }
    if old.state != State::Received && new.state == State::Received {
        return Some("a verdict was taken back".into());
    }
    if old.closed && !new.closed {
        return Some("a closed run was opened again".into());
    }
    (old.state.is_final() && old.state != new.state).then(|| format!("{} became {}", old.state.word(), new.state.word()))
}

/// Everything is over and in order.
pub(crate) fn is_the_good_end(world: &World) -> bool {
    let over = |run: &Run| {
        run.job.as_ref().is_some_and(|job| job.closed && job.state.is_final())
            && !run.marker
            && run.post.delivered
            && run.post.pending.is_none()
            && run.instances.iter().all(|instance| !instance.alive)
    };
    world.runs.iter().all(over) && world.budget.reservations.is_empty() && world.budget.spent == spent(world)
}
