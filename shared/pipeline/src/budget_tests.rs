//! Laws of the money.
use super::*;
use proptest::prelude::*;

const NOW: i64 = 1_790_000_000_000;

fn dollars(d: u64) -> Usd {
    Usd::from_micros(d * 1_000_000)
}

#[test]
fn a_repeated_reserve_or_settle_changes_nothing() {
    let now = Timestamp::from_millis(NOW);
    let mut budget = Budget { cap: Some(dollars(3)), ..Budget::default() };
    budget.reserve("r.1", dollars(2), "ana", now).unwrap();
    budget.reserve("r.1", dollars(2), "ana", now).unwrap();
    assert_eq!(budget.committed(), dollars(2));
    assert_eq!(budget.decide("r.1", Some(dollars(1))).unwrap().cost, Some(dollars(1)));
    assert_eq!(budget.decide("r.1", None).unwrap().cost, Some(dollars(1)), "the first decision stands");
    budget.release("r.1", now);
    assert_eq!(budget.committed(), dollars(2), "until it is settled, all that it holds counts");
    budget.settle("r.1", 1, now);
    budget.settle("r.1", 1, now);
    assert_eq!(budget.committed(), dollars(1));
    assert_eq!(budget.decide("r.1", None), None);
}

#[test]
fn settling_again_after_a_lost_answer_leaves_a_later_reservation_alone() {
    let now = Timestamp::from_millis(NOW);
    let mut budget = Budget::default();
    budget.reserve("r.1", dollars(2), "ana", now).unwrap();
    budget.decide("r.1", Some(dollars(1)));
    budget.settle("r.1", 1, now);
    budget.reserve("r.1", dollars(2), "ana", now).unwrap();
    budget.settle("r.1", 1, now);
    budget.forget("r.1", 1, now);
    assert_eq!((budget.spent, budget.committed()), (dollars(1), dollars(3)));
}

#[test]
fn a_refusal_stands_for_every_call_that_asks_for_the_attempt() {
    let now = Timestamp::from_millis(NOW);
    let mut budget = Budget { cap: Some(dollars(3)), ..Budget::default() };
    budget.reserve("r.1", dollars(2), "ana", now).unwrap();
    let first = budget.reserve("s.1", dollars(2), "ana", now).unwrap_err();
    budget.settle("r.1", 1, now);
    budget.set_cap(None, None);
    assert_eq!(budget.reserve("s.1", dollars(2), "ana", now), Err(Refusal::Before(first.to_string())));
    assert_eq!(budget.reserve("s.2", dollars(2), "ana", now), Ok(()), "the next attempt is another question");
    assert!(budget.refused.is_empty(), "and ends the refusal");
    budget.freeze("alert", now);
    let second = budget.reserve("s.3", dollars(2), "ana", now).unwrap_err();
    let _ = budget.reserve("s.1", dollars(2), "ana", now);
    budget.thaw(now);
    let again = budget.reserve("s.3", dollars(2), "ana", now);
    assert_eq!(again, Err(Refusal::Before(second.to_string())), "a late call for an earlier attempt ends no refusal");
}

#[test]
fn refusals_are_let_go_once_nobody_can_ask_about_them() {
    let mut budget = Budget { cap: Some(Usd::ZERO), ..Budget::default() };
    for (n, run) in ["r", "s", "t"].iter().enumerate() {
        let later = Timestamp::from_millis(NOW).plus_seconds(n as u64 * 50_000);
        let _ = budget.reserve(&format!("{run}.1"), dollars(2), "ana", later);
    }
    assert_eq!(budget.refused.keys().collect::<Vec<_>>(), ["s.1", "t.1"]);
}

#[test]
fn what_nobody_decided_costs_all_that_it_holds_and_what_was_not_started_nothing() {
    let now = Timestamp::from_millis(NOW);
    let mut budget = Budget::default();
    ["r.1", "s.1", "t.1"].iter().for_each(|attempt| budget.reserve(attempt, dollars(2), "ana", now).unwrap());
    budget.settle("r.1", 1, now);
    budget.release("s.1", now);
    budget.decide("t.1", None);
    budget.settle("t.1", 3, now);
    assert_eq!((budget.spent, budget.reservations.len()), (dollars(4), 0));
}

#[test]
fn frozen_refuses_and_says_why() {
    let now = Timestamp::from_millis(NOW);
    let mut budget = Budget { frozen: Some(Frozen { why: "alert".into(), since: now }), ..Budget::default() };
    assert!(matches!(budget.reserve("r.1", Usd::ZERO, "ana", now), Err(Refusal::Frozen { .. })));
}

#[test]
fn an_older_reservation_does_not_pass_a_freeze() {
    let now = Timestamp::from_millis(NOW);
    let mut budget = Budget::default();
    budget.reserve("r.1", dollars(1), "ana", now).unwrap();
    budget.freeze("alert", now);
    budget.freeze("another alert", now);
    assert!(matches!(budget.reserve("r.1", dollars(1), "ana", now), Err(Refusal::Frozen { why, .. }) if why == "alert"));
    budget.thaw(now);
    assert_eq!(budget.reserve("r.1", dollars(1), "ana", now), Ok(()));
}

#[test]
fn the_lower_cap_holds() {
    let now = Timestamp::from_millis(NOW);
    for (document, stack) in [(Some(3), Some(5)), (Some(5), Some(3)), (None, Some(3)), (Some(3), None)] {
        let mut budget = Budget { cap: document.map(dollars), ..Budget::default() };
        let allowance = Allowance { cap: stack.map(dollars), ..Allowance::default() };
        assert_eq!(budget.reserve_within(&allowance, "r.1", dollars(3), "ana", now), Ok(()));
        let refusal = budget.reserve_within(&allowance, "r.2", dollars(1), "ana", now).unwrap_err();
        assert_eq!(refusal, Refusal::Cap { cap: dollars(3), left: Usd::ZERO, asked: dollars(1) });
    }
}

#[test]
fn no_more_attempts_hold_money_than_instances_may_run() {
    let now = Timestamp::from_millis(NOW);
    let mut budget = Budget::default();
    let allowance = Allowance { most_instances: Some(2), ..Allowance::default() };
    let mut reserve = |attempt: &str| budget.reserve_within(&allowance, attempt, Usd::ZERO, "ana", now);
    let told = ["r.1", "s.1", "r.1"].map(&mut reserve);
    assert_eq!(told, [Ok(()), Ok(()), Ok(())]);
    assert_eq!(reserve("t.1"), Err(Refusal::Instances(2)));
    budget.release("r.1", now);
    assert_eq!(budget.reserve_within(&allowance, "u.1", Usd::ZERO, "ana", now), Ok(()));
}

#[test]
fn the_cap_of_an_owner_holds_for_that_owner_alone_and_is_no_share_of_the_other() {
    let now = Timestamp::from_millis(NOW);
    let allowance = Allowance { owner_cap: Some(dollars(4)), ..Allowance::default() };
    let mut budget = Budget { cap: Some(dollars(7)), ..Budget::default() };
    budget.set_cap(Some("bo"), Some(dollars(2)));
    budget.set_cap(Some("cy"), Some(dollars(9)));
    let mut reserve =
        |attempt: &str, owner: &str, amount| budget.reserve_within(&allowance, attempt, dollars(amount), owner, now);
    assert_eq!(reserve("a.1", "ana", 3), Ok(()));
    let refused = |owner: &str, cap, left, asked| {
        let (cap, left, asked) = (dollars(cap), dollars(left), dollars(asked));
        Err(Refusal::OwnerCap { owner: owner.to_owned(), cap, left, asked })
    };
    assert_eq!(reserve("a.2", "ana", 2), refused("ana", 4, 1, 2), "the deployment's holds for whoever has none");
    assert_eq!(reserve("b.1", "bo", 3), refused("bo", 2, 2, 3), "the lower of both holds");
    assert_eq!(reserve("b.2", "bo", 2), Ok(()));
    assert_eq!(reserve("c.1", "cy", 5), Err(Refusal::Cap { cap: dollars(7), left: dollars(2), asked: dollars(5) }));
    budget.decide("a.1", Some(dollars(1)));
    budget.settle("a.1", 1, now);
    assert_eq!((budget.committed_by("ana"), budget.committed_by("bo"), budget.committed()), (dollars(1), dollars(2), dollars(3)));
    budget.set_cap(Some("bo"), None);
    assert_eq!(budget.reserve("b.3", dollars(4), "bo", now), Ok(()));
}

#[test]
fn a_new_month_starts_at_nothing_but_keeps_what_is_reserved() {
    let spent_by = [("ana".to_owned(), dollars(5))].into();
    let mut budget = Budget { month: "2026-01".into(), spent: dollars(5), spent_by, ..Budget::default() };
    budget.reserve("r.1", dollars(1), "ana", Timestamp::from_millis(NOW)).unwrap();
    assert_eq!((budget.spent, budget.committed(), budget.committed_by("ana")), (Usd::ZERO, dollars(1), dollars(1)));
}

proptest! {
    #[test]
    fn committed_money_never_passes_a_cap(cap in 0u64..50, each in 0u64..30, steps in prop::collection::vec((0u8..6, 0u64..20, any::<bool>()), 0..60)) {
        let now = Timestamp::from_millis(NOW);
        let mut budget = Budget { cap: Some(dollars(cap)), ..Budget::default() };
        let allowance = Allowance { owner_cap: Some(dollars(each)), ..Allowance::default() };
        for (step, (attempt, amount, settle)) in steps.into_iter().enumerate() {
            // Settled and asked for by turns, an attempt is refused once at most.
            let id = if step % 3 == 0 { format!("r.{attempt}") } else { format!("{}.{attempt}", step / 12) };
            let owner = format!("owner {}", attempt % 2);
            if settle {
                let held = budget.reservations.get(&id).map(|r| (r.amount, r.number));
                let (most, number) = held.unwrap_or_default();
                budget.decide(&id, Some(most.min(dollars(amount))));
                budget.settle(&id, number, now);
            } else {
                let _ = budget.reserve_within(&allowance, &id, dollars(amount), &owner, now);
            }
            prop_assert!(budget.committed() <= dollars(cap));
            let of_owners = ["owner 0", "owner 1"].map(|owner| budget.committed_by(owner));
            prop_assert!(of_owners.iter().all(|committed| *committed <= dollars(each)));
            prop_assert_eq!(of_owners[0].plus(of_owners[1]), budget.committed());
        }
    }
}
