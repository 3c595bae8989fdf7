//! Who is let in by the address behind the link of a mail: whoever has a link that holds, and nobody else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use dropscope_open::{OpenError, handle};
use dropscope_pipeline::{State, state_keys};
use dropscope_ports::{Condition, Objects};
use serde_json::{Value, json};
use support::{DAYS, World, get, request, run};

#[tokio::test]
async fn a_link_that_holds_leads_to_a_fresh_address_of_that_report_and_nothing_else() {
    let world = World::new().await;
    let token = world.link(&run()).await;
    for method in ["GET", "HEAD"] {
        let answer = world.answer(&request(method, &format!("/{token}"))).await;
        assert_eq!((&answer["statusCode"], &answer["body"]), (&json!(302), &json!("")));
        let report = format!("https://store/results/ana/day 1/x/{}/report.html for 300 s", run());
        assert_eq!(answer["headers"]["Location"], json!(report));
        for (name, value) in [("Cache-Control", "no-store"), ("Referrer-Policy", "no-referrer")] {
            assert_eq!(answer["headers"][name], value);
        }
    }
}

#[tokio::test]
async fn a_link_forged_expired_revoked_or_for_another_run_gets_403_and_leaks_nothing() {
    let world = World::new().await;
    let token = world.link(&run()).await;
    let mut refusals: Vec<(String, Value)> = Vec::new();
    let of_others = [
        ("nothing", get("")),
        ("a browser's own wish", get("favicon.ico")),
        ("a folder", get(&format!("{token}/"))),
        ("another method", request("POST", &format!("/{token}"))),
        ("without a slash", request("GET", &token)),
        ("half", get(&token[..token.len() / 2])),
        ("a changed end", get(&format!("AQAAAAD{}", &token[7..]))),
        ("a changed tag", get(&flipped(&token))),
        ("a key in the state", get("state/links.json")),
    ];
    for (what, request) in of_others {
        refusals.push((what.into(), world.answer(&request).await));
    }
    // Another run, a rerun that is not there, one that is not done, one without a report: each under a true signature.
    for (what, other) in [("no run", "ffffffffffffffff"), ("no rerun", "0123456789abcdef-3")] {
        let token = world.link(&other.parse().unwrap()).await;
        refusals.push((what.into(), world.answer(&get(&token)).await));
    }
    let running = run().again(2);
    world.job(&running, State::Running { instance: "i".into() }).await;
    world.put(&world.report(&running), b"left of an attempt").await;
    refusals.push(("not done".into(), world.answer(&get(&world.link(&running).await)).await));
    let bare = run().again(4);
    world.done(&bare).await;
    refusals.push(("no report".into(), world.answer(&get(&world.link(&bare).await)).await));
    world.clock.advance(i64::from(DAYS) * 86_400);
    refusals.push(("expired".into(), world.answer(&get(&token)).await));
    let renewed = world.link(&run()).await;
    dropscope_jobs::revoke_links(&*world.store, Some(&run()), world.now()).await.unwrap();
    refusals.push(("revoked".into(), world.answer(&get(&renewed)).await));
    world.store.delete(&state_keys::links()).await.unwrap();
    refusals.push(("no key".into(), world.answer(&get(&renewed)).await));

    let first = serde_json::to_vec(&refusals[0].1).unwrap();
    for (what, answer) in refusals {
        assert_eq!((&answer["statusCode"], answer["headers"].get("Location")), (&json!(403), None), "{what}");
        assert_eq!(serde_json::to_vec(&answer).unwrap(), first, "{what}");
    }
}

/// The same with the last character but one of the tag changed.
fn flipped(token: &str) -> String {
    let place = token.len() - 2;
    let other = if &token[place..=place] == "A" { "B" } else { "A" };
    format!("{}{other}{}", &token[..place], &token[place + 1..])
}

#[tokio::test]
async fn revoking_one_run_or_all_ends_links_at_the_next_click() {
    let world = World::new().await;
    let other = run().again(2);
    world.done(&other).await;
    world.put(&world.report(&other), b"<html>").await;
    let (ours, theirs) = (world.link(&run()).await, world.link(&other).await);
    dropscope_jobs::revoke_links(&*world.store, Some(&run()), world.now()).await.unwrap();
    assert_eq!(world.status(&ours).await, 403);
    assert_eq!(world.status(&theirs).await, 302, "another run's link is another link");
    dropscope_jobs::revoke_links(&*world.store, None, world.now()).await.unwrap();
    assert_eq!(world.status(&theirs).await, 403);
    let again = world.link(&other).await;
    assert_eq!(world.status(&again).await, 302, "the next mail has a link again");
    assert_eq!(world.status(&ours).await, 403);
}

#[tokio::test]
async fn guesses_that_no_key_can_have_signed_read_nothing() {
    let world = World::new().await;
    let token = world.link(&run()).await;
    let before = world.reads();
    for request in [get(""), get("favicon.ico"), get(&"A".repeat(5000)), request("POST", &format!("/{token}"))] {
        assert_eq!(world.answer(&request).await["statusCode"], 403);
    }
    world.clock.advance(i64::from(DAYS) * 86_400);
    assert_eq!(world.status(&token).await, 403);
    assert_eq!(world.reads(), before);
}

#[tokio::test]
async fn a_store_that_denies_what_is_missing_is_refused_like_one_that_misses_it() {
    let world = World::new().await;
    let token = world.link(&run()).await;
    world.deny();
    assert_eq!(world.status(&token).await, 403);
}

#[tokio::test]
async fn a_broken_state_is_an_error_and_no_answer() {
    let world = World::new().await;
    let token = world.link(&run()).await;
    world.put(&state_keys::job(&run()), b"{}").await;
    assert!(matches!(handle(&get(&token), &world.deps()).await, Err(OpenError::State(_))));
    world.store.put(&state_keys::links(), b"no json".to_vec(), &Condition::Always).await.unwrap();
    assert!(matches!(handle(&get(&token), &world.deps()).await, Err(OpenError::State(_))));
    assert!(matches!(handle(&json!({"Records": []}), &world.deps()).await, Err(OpenError::Event(_))));
}
