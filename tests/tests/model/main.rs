//! The decisions as a model: every interleaving of functions, workers and misfortune, for small bounds.
//!
//! The decisions are the real ones: [`Job`], [`Budget`], reconcile's `look`, their documents. What is modelled is the order in
//! which functions read and write, as their code has it: each step here is one call of a port. Every state that can be
//! reached is looked at; in each the laws hold, and from each the good end can still be reached: every recording done or
//! told, its mail sent, its money settled, nothing running.
//!
//! `DROPSCOPE_MODEL=1` looks at more, for minutes: two faults, two launches at a time, more at once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod actors;
mod closing;
mod explore;
mod launch;
mod laws;
mod reconcile;
mod steps;
mod straight;
mod world;

use explore::{Explored, explore};
use world::{Left, Model, Planted};

/// More states than this is a model that has run away.
const MOST: usize = 5_000_000;

fn one_run() -> Model {
    Model {
        runs: 1,
        rejected: false,
        at_a_time: 1,
        deliveries: 0,
        launches: 2,
        left: Left { faults: 0, refusals: u8::from(at_length()), interruptions: 0, freezes: 0, failures: 0 },
        mail_by_calls: false,
        planted: None,
    }
}

fn hold(name: &str, model: &Model) -> usize {
    match explore(model, MOST) {
        Explored::Holds(states) => {
            println!("{name}: {states} states");
            states
        }
        Explored::Broken { law, walk } => panic!("{name}: {law}\n{}", walk.join("\n")),
        Explored::TooMany => panic!("{name}: more than {MOST} states"),
    }
}

fn at_length() -> bool {
    std::env::var_os("DROPSCOPE_MODEL").is_some()
}

#[test]
fn one_recording_ends_once_whatever_is_slow_or_doubled() {
    assert!(hold("one recording", &one_run()) > 1000);
}

#[test]
fn one_recording_ends_once_whatever_dies_or_loses_an_answer() {
    let (faults, launches) = if at_length() { (2, 2) } else { (1, 1) };
    let left = Left { faults, refusals: 0, interruptions: 0, freezes: 0, failures: 0 };
    assert!(hold("faults", &Model { launches, left, ..one_run() }) > 1000);
}

#[test]
fn a_recording_that_is_not_accepted_is_told_once_at_least_and_costs_nothing() {
    let faults = if at_length() { 2 } else { 1 };
    let left = Left { faults, refusals: 0, interruptions: 0, freezes: 0, failures: 0 };
    let model = Model { rejected: true, mail_by_calls: true, deliveries: faults, left, ..one_run() };
    assert!(hold("a rejected recording", &model) > 1000);
}

#[test]
fn a_freeze_stops_and_a_thaw_lets_go_on() {
    let left = Left { faults: 0, refusals: 0, interruptions: u8::from(at_length()), freezes: 1, failures: 0 };
    assert!(hold("a freeze", &Model { launches: 1, left, ..one_run() }) > 1000);
}

#[test]
fn one_recording_ends_once_although_there_was_no_capacity() {
    let left = Left { faults: 0, refusals: 2, interruptions: 0, freezes: 0, failures: 0 };
    assert!(hold("no capacity", &Model { launches: 1, left, ..one_run() }) > 1000);
}

#[test]
fn one_recording_ends_once_although_its_instance_is_taken_away() {
    let left = Left { faults: 0, refusals: 0, interruptions: 1, freezes: 0, failures: 0 };
    assert!(hold("an interruption", &Model { launches: 1, left, ..one_run() }) > 1000);
}

#[test]
fn a_run_that_another_attempt_would_fail_again_is_told_so() {
    let left = Left { faults: u8::from(at_length()), refusals: 0, interruptions: 0, freezes: 0, failures: 1 };
    assert!(hold("a failure", &Model { launches: 1, left, ..one_run() }) > 1000);
}

/// Of these states there are too many to look at all of them: the laws hold in the nearest ones.
#[test]
fn two_runs_that_contend_for_one_place_have_it_by_turns() {
    let nearest = if at_length() { MOST } else { 150_000 };
    let left = Left { faults: 0, refusals: 0, interruptions: 0, freezes: 0, failures: 0 };
    match explore(&Model { runs: 2, launches: 1, left, ..one_run() }, nearest) {
        Explored::Holds(states) => println!("two runs: {states} states"),
        Explored::TooMany => println!("two runs: the nearest {nearest} states, laws only"),
        Explored::Broken { law, walk } => panic!("two runs: {law}\n{}", walk.join("\n")),
    }
}

#[test]
fn every_planted_mistake_is_found() {
    let of = |faults, interruptions| Left { faults, refusals: 0, interruptions, freezes: 0, failures: 0 };
    let faults = of(1, 0);
    let found = [
        (Planted::ClaimsOverAClaim, Model { deliveries: 2, left: faults, ..one_run() }),
        (Planted::ReservesNothing, one_run()),
        (Planted::IgnoresTheFence, Model { launches: 1, left: of(0, 1), ..one_run() }),
        (Planted::SettlesTwice, Model { left: faults, ..one_run() }),
        (Planted::ForgetsTheOutbox, Model { rejected: true, mail_by_calls: true, deliveries: 1, left: faults, ..one_run() }),
    ];
    for (planted, model) in found {
        match explore(&Model { planted: Some(planted), ..model }, MOST) {
            Explored::Broken { law, walk } => println!("{planted:?}, after {} steps: {law}", walk.len()),
            Explored::Holds(states) => panic!("{planted:?} is not found in {states} states"),
            Explored::TooMany => panic!("{planted:?} is not found in {MOST} states"),
        }
    }
}
