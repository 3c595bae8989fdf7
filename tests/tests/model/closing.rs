//! The calls of validate, and what follows the end of a run: money, mail, marker.

use crate::actors::{Actor, Op};
use crate::world::{Model, Planted, Run, World, now};
use dropscope_pipeline::budget::{LedgerEntry, attempt_id};
use dropscope_pipeline::job::Verdict;
use dropscope_pipeline::{Job, State, Usd};
use std::sync::Arc;

/// A mail stays so long in the hand of whoever began to send it, seconds.
const LEASE: u64 = 60;

pub(crate) fn validate(model: &Model, world: &mut World, actor: &mut Actor, run_at: usize, op: &Op) -> bool {
    let run = &mut world.runs[run_at];
    match op {
        Op::Find => match &run.job {
            Some(job) if job.closed => actor.then(run_at, [Op::Judge]),
            Some(_) => actor.then(run_at, [Op::Mark, Op::Judge]),
            None => actor.then(run_at, [Op::Mark, Op::Claim, Op::Judge]),
        },
        Op::Mark => run.marker = true,
        Op::Claim => {
            if run.job.is_none() || model.planted == Some(Planted::ClaimsOverAClaim) {
                run.job = Some(Arc::new(run.claim()));
            }
        }
        Op::Judge => {
            let accepted = run.accepted();
            let verdict = Verdict { cause: "no recording".into(), remedy: "none".into() };
            let (Ok(job) | Err(job)) = run.update(|job| match model.rejected {
                true => job.rejected(verdict, now()),
                false => job.validated(accepted, now()),
            });
            let announces = job.state == State::Validated;
            actor.jobs[run_at] = Some(job);
            actor.then(run_at, announces.then_some(Op::Announce).into_iter().chain([Op::Close { settles: false }]));
        }
        Op::Announce => {
            run.announced |= !run.manifest;
            run.manifest = true;
        }
        _ => return false,
    }
    true
}

pub(crate) fn close(model: &Model, world: &mut World, actor: &mut Actor, run: usize, op: &Op) -> bool {
    match op {
        Op::Close { settles } => begin(world, actor, run, *settles),
        Op::Closed => _ = world.runs[run].update(Job::closing),
        Op::Unmark => world.runs[run].marker = false,
        _ => return settle(model, world, actor, run, op) || tell(model, &mut world.runs[run], actor, run, op),
    }
    true
}

fn begin(world: &World, actor: &mut Actor, run: usize, settles: bool) {
    let job = actor.job(run).clone();
    if job.closed || !job.state.is_final() {
        return;
    }
    let cost = |attempt: u32| match &job.state {
        State::Done(outcome) if attempt == job.attempt => Some(outcome.cost),
        _ => None,
    };
    let held = (1..=job.attempt).filter(|attempt| world.budget.reservations.contains_key(&attempt_id(&job.run, *attempt)));
    let mut ops: Vec<Op> = held.map(|attempt| Op::Decide { attempt, cost: cost(attempt) }).collect();
    if !settles {
        ops.clear();
    }
    ops.push(Op::IsSent);
    if settles || job.attempt == 0 {
        ops.extend([Op::Closed, Op::Unmark]);
    }
    actor.then(run, ops);
}

/// The entry comes before the money.
fn settle(model: &Model, world: &mut World, actor: &mut Actor, run: usize, op: &Op) -> bool {
    let id = |attempt: u32| attempt_id(&world.runs[run].id, attempt);
    match op {
        Op::Decide { attempt, cost } => {
            if let Some(held) = world.budget.decide(&id(*attempt), *cost) {
                actor.then(run, [Op::Entry { attempt: *attempt, held }]);
            }
        }
        Op::Entry { attempt, held } => {
            let (attempt, number) = (*attempt, held.number);
            let entry = LedgerEntry {
                schema: 1,
                attempt: id(attempt),
                owner: "ana".into(),
                key: String::new(),
                reserved: held.amount,
                cost: held.cost.unwrap_or(held.amount),
                settled_at: now(),
                reservation: number,
            };
            let known = world.ledger.entry(id(attempt)).or_insert(entry);
            let another = known.reservation != number && model.planted != Some(Planted::SettlesTwice);
            actor.then(run, [if another { Op::Forget { attempt, number } } else { Op::Pay { attempt, number } }]);
        }
        Op::Pay { attempt, number } => {
            // What is there, whichever it is.
            let held = world.budget.reservations.get(&id(*attempt)).map_or(*number, |held| held.number);
            let number = if model.planted == Some(Planted::SettlesTwice) { held } else { *number };
            world.budget.settle(&id(*attempt), number, now());
        }
        Op::Forget { attempt, number } => world.budget.forget(&id(*attempt), *number, now()),
        _ => return false,
    }
    true
}

/// A record before the mail, a record after it.
fn tell(model: &Model, run: &mut Run, actor: &mut Actor, at: usize, op: &Op) -> bool {
    let forgets = model.planted == Some(Planted::ForgetsTheOutbox);
    match op {
        Op::IsSent if run.post.sent => {}
        Op::IsSent if !model.mail_by_calls => (run.post.delivered, run.post.sent) = (true, true),
        Op::IsSent if forgets => actor.then(at, [Op::Record, Op::Send]),
        Op::IsSent => actor.then(at, [Op::Pending]),
        Op::Pending => match run.post.pending {
            Some(_) => actor.then(at, [Op::InHand]),
            None => {
                run.post.pending = Some(actor.now());
                actor.then(at, [Op::IsSentStill]);
            }
        },
        Op::InHand => match run.post.pending {
            Some(since) if actor.now() >= since.plus_seconds(LEASE) => actor.then(at, [Op::IsSentStill]),
            // Somebody else sends it, and whoever closes the run next finds out whether it was sent.
            _ => actor.ops.retain(|(run, op)| *run != at || !matches!(op, Op::Closed | Op::Unmark)),
        },
        Op::IsSentStill if run.post.sent => actor.then(at, [Op::Clear]),
        Op::IsSentStill => actor.then(at, [Op::Send, Op::Record, Op::Clear]),
        Op::Send => run.post.delivered = true,
        Op::Record => run.post.sent = true,
        Op::Clear => run.post.pending = None,
        _ => return false,
    }
    true
}

/// What a run has spent.
pub(crate) fn spent(world: &World) -> Usd {
    world.ledger.values().fold(Usd::ZERO, |sum, entry| sum.plus(entry.cost))
}
