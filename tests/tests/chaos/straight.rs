//! The walk of one recording to which nothing happens: what its functions write, in their order.

use crate::{play, uploads};

/// What a call writes, as `walk.txt` calls it, or which list reconcile looks at; nothing when it reads anything else, or when
/// it writes what no decision hangs on: results, and the key of links, which is there before the first upload.
fn told_of(call: &str) -> Option<String> {
    let (what, key) = call.split_once(' ').unwrap_or((call, ""));
    if key.ends_with("/manifest.json") {
        return Some(format!("{what} manifest"));
    }
    let place = match key.strip_prefix("state/") {
        Some(key) if key.starts_with("ledger/") => "ledger",
        Some(key) => key.rsplit_once('/').map_or(key, |(folder, _)| folder),
        None => "",
    };
    match what {
        "put" | "delete" if !place.is_empty() && place != "links.json" => Some(format!("{what} {place}")),
        "list" if place == "open" => Some("list open".into()),
        "instances" | "launch" | "terminate" | "mail" => Some(what.into()),
        _ => None,
    }
}

/// Every actor that wrote something, with what it did.
fn walk(told: &str) -> String {
    let mut actors: Vec<(&str, String, Vec<String>)> = Vec::new();
    for line in told.lines() {
        let Some((number, rest)) = line.trim_start().split_once(" #").and_then(|(_, rest)| rest.split_once(' ')) else {
            continue;
        };
        if rest.ends_with(" begins") {
            let name = rest.split([' ', '(']).next().unwrap_or_default();
            actors.push((number, name.into(), Vec::new()));
        } else if let Some(call) = rest.strip_suffix(": Through").and_then(told_of) {
            actors.iter_mut().rfind(|actor| actor.0 == number).unwrap().2.push(call);
        }
    }
    for (_, _, calls) in &mut actors {
        // A list is read page by page.
        calls.dedup_by(|call, before| call == before && call.starts_with("list"));
    }
    actors.retain(|(_, _, calls)| calls.iter().any(|call| !call.starts_with("list") && call != "instances"));
    actors.iter().map(|(_, name, calls)| format!("{name}: {}\n", calls.join(", "))).collect()
}

/// The model (`tests/model`) has its calls by hand; that they are those of the functions hangs on this file.
#[test]
fn the_functions_write_what_the_walk_says() {
    let told = play(0, 0.0, &uploads()[..1]).unwrap_or_else(|told| panic!("{told}")).told;
    assert_eq!(walk(&told), include_str!("../walk.txt"), "{told}");
}
