//! Arrows between the rooms point one way.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use cargo_metadata::{DependencyKind, MetadataCommand};
use std::collections::BTreeMap;

/// Which rooms each room may know, besides crates from outside. Docs and design: docs/ROOMS.md.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("recording", &[]),
    ("segmentation", &[]),
    ("runtime", &[]),
    ("picture", &[]),
    ("outputs", &["picture", "segmentation"]),
    ("pipeline", &["recording"]),
    ("ports", &["pipeline", "recording"]),
    ("jobs", &["pipeline", "ports", "recording"]),
    ("local", &["pipeline", "ports"]),
    ("aws", &["pipeline", "ports", "runtime"]),
    ("aws-ec2", &["pipeline", "ports", "runtime"]),
    ("testkit", &["local", "pipeline", "ports", "recording"]),
    ("projection", &["picture", "recording"]),
    ("stage", &["jobs", "pipeline", "ports", "projection", "recording"]),
    ("gif", &["aws", "projection", "runtime", "stage"]),
    ("summary", &["aws", "projection", "runtime", "stage"]),
    ("budget-alert", &["aws", "aws-ec2", "jobs", "pipeline", "ports", "runtime"]),
    ("open", &["aws", "jobs", "pipeline", "ports", "runtime"]),
    ("validate", &["aws", "jobs", "pipeline", "ports", "recording", "runtime"]),
    ("reconcile", &["aws", "aws-ec2", "jobs", "pipeline", "ports", "runtime"]),
    ("segment", &["aws", "jobs", "outputs", "pipeline", "ports", "projection", "recording", "runtime", "segmentation"]),
    ("launch", &["aws", "aws-ec2", "jobs", "pipeline", "ports", "runtime", "segment"]),
    (
        "cli",
        &[
            "aws",
            "gif",
            "jobs",
            "launch",
            "local",
            "outputs",
            "pipeline",
            "ports",
            "projection",
            "reconcile",
            "recording",
            "runtime",
            "segment",
            "segmentation",
            "stage",
            "summary",
            "testkit",
            "validate",
        ],
    ),
    ("tests", &["cli", "jobs", "local", "pipeline", "ports", "segment", "segmentation", "testkit"]),
];

/// Room → rooms it knows, as cargo sees it; what only tests need is left out.
fn arrows() -> BTreeMap<String, Vec<String>> {
    let metadata =
        MetadataCommand::new().manifest_path("../Cargo.toml").no_deps().other_options(vec!["--offline".into()]).exec().unwrap();
    let room = |name: &str| name.strip_prefix("dropscope-").map(str::to_owned);
    let of = |package: &cargo_metadata::Package| {
        let normal = package.dependencies.iter().filter(|d| d.kind == DependencyKind::Normal);
        (room(&package.name).unwrap(), normal.filter_map(|d| room(&d.name)).collect())
    };
    metadata.packages.iter().map(of).collect()
}

#[test]
fn every_room_knows_only_the_rooms_it_may() {
    let allowed: BTreeMap<&str, &[&str]> = MAY_KNOW.iter().copied().collect();
    for (room, known) in arrows() {
        let may = allowed.get(room.as_str()).unwrap_or_else(|| panic!("room `{room}` is not on the plan"));
        for other in known {
            assert!(may.contains(&other.as_str()), "`{room}` must not know `{other}`");
        }
    }
}

#[test]
fn no_arrow_of_the_plan_comes_back() {
    // In an order in which every room knows only earlier ones there is no circle.
    let mut placed: Vec<&str> = Vec::new();
    for (room, may) in MAY_KNOW {
        assert!(may.iter().all(|other| placed.contains(other)), "`{room}` knows a room that is not before it");
        placed.push(room);
    }
}

#[test]
fn the_whole_plan_is_built() {
    let built = arrows();
    for (room, _) in MAY_KNOW {
        assert!(built.contains_key(*room), "room `{room}` is on the plan and not in the workspace");
    }
}
