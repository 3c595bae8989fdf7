//! The walk of one recording to which nothing happens: what the model writes, in its order.

use crate::actors::{Actor, Kind, Op};
use crate::one_run;
use crate::steps::call;
use crate::world::{Model, World};

/// What a call writes, as `walk.txt` calls it, or which list reconcile looks at.
fn told_of(op: &Op) -> Option<&'static str> {
    Some(match op {
        Op::Mark => "put open",
        Op::Announce => "put manifest",
        Op::Claim | Op::Judge | Op::Take | Op::PutOff | Op::PutBack | Op::Lose => "put jobs",
        Op::Begin | Op::Commit | Op::BreakOff | Op::GiveUp | Op::Lost | Op::GivenUp | Op::Closed => "put jobs",
        Op::Reserve | Op::Release | Op::Decide { .. } | Op::Pay { .. } | Op::Forget { .. } => "put budget.json",
        Op::Start => "launch",
        Op::Unmark => "delete open",
        Op::Entry { .. } => "put ledger",
        Op::Pending => "put outbox/pending",
        Op::Send => "mail",
        Op::Record => "put outbox/sent",
        Op::Clear => "delete outbox/pending",
        Op::List => "list open",
        Op::Instances => "instances",
        Op::Terminate { .. } => "terminate",
        Op::Wake => "put wake",
        // The commit comes with the work that goes well.
        Op::Work => "put jobs",
        Op::Find | Op::Refused | Op::Check | Op::Look | Op::Close { .. } | Op::IsSent | Op::InHand | Op::IsSentStill => {
            return None;
        }
        Op::Money | Op::Leftover { .. } | Op::Idle | Op::Act | Op::Flush => return None,
    })
}

/// Lets an actor make all its calls, and tells of those that changed something.
fn go(model: &Model, world: &mut World, name: &str, mut actor: Actor, told: &mut String) {
    let mut calls = Vec::new();
    while let Some((run, op)) = actor.ops.pop() {
        let before = world.key();
        assert!(call(model, world, &mut actor, run, &op, 0), "{op:?}");
        let listed = matches!(op, Op::List | Op::Instances);
        calls.extend(told_of(&op).filter(|_| listed || world.key() != before));
    }
    told.push_str(&format!("{name}: {}\n", calls.join(", ")));
}

/// The other half of this law is in `tests/chaos/straight.rs`.
#[test]
fn the_model_writes_what_the_walk_says() {
    let model = Model { deliveries: 1, mail_by_calls: true, ..one_run() };
    let (mut world, mut told) = (model.start(), String::new());
    go(&model, &mut world, "validate", Actor::new(Kind::Validate, 0, 1, Op::Find), &mut told);
    go(&model, &mut world, "launch", Actor::new(Kind::Launch, 0, 1, Op::Take), &mut told);
    let worker = Actor { attempt: 1, ..Actor::new(Kind::Worker(0), 0, 1, Op::Begin) };
    go(&model, &mut world, "worker", worker, &mut told);
    world.runs[0].instances[0].alive = false;
    go(&model, &mut world, "reconcile", Actor::new(Kind::Reconcile, 0, 1, Op::List), &mut told);
    assert_eq!(told, include_str!("../walk.txt"));
}
