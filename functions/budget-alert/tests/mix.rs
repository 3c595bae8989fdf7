//! Two hundred and fifty instances of every sort: an alert over the limit ends all of the stack's, and no other.
#![allow(clippy::unwrap_used, clippy::panic)]

use dropscope_testkit::events::payload;
use dropscope_testkit::lambda::Answer;
use dropscope_testkit::world::World;
use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_dropscope-budget-alert");

/// The ids of a sort, with the sort.
fn each(sorts: &Value) -> Vec<(String, String)> {
    let ids = |(sort, ids): (&String, &Value)| -> Vec<(String, String)> {
        ids.as_array().unwrap().iter().map(|id| (sort.clone(), id.as_str().unwrap().to_owned())).collect()
    };
    sorts.as_object().unwrap().iter().flat_map(ids).collect()
}

#[test]
fn of_a_mix_of_instances_none_of_the_stack_runs_on_and_no_other_is_touched() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).unwrap();
    let mix = world.moto.mix(&["make", "lab"]).unwrap();
    let (ours, theirs) = (each(&mix["ours"]), each(&mix["theirs"]));
    assert_eq!(ours.len() + theirs.len(), 250);
    let function = world.function(PROGRAM).unwrap();
    let answer = function.invoke(&payload("sns-budget-actual.json").unwrap()).unwrap();
    let Answer::Response(said) = answer else { panic!("{answer:?}\n{}", function.log()) };
    assert!(said.to_string().contains("215 instances ended"), "five of {} rested before: {said}", ours.len());
    let states = world.moto.mix(&["states"]).unwrap();
    for (sort, id) in &ours {
        // What is paid on demand is stopped, and keeps its disk: the default of the template.
        let wanted = if matches!(sort.as_str(), "on demand" | "no run" | "stopped") { "stopped" } else { "terminated" };
        assert_eq!(states["instances"][id], wanted, "{sort} {id}");
    }
    for (sort, id) in &theirs {
        assert_eq!(states["instances"][id], "running", "{sort} {id}");
    }
    let requests = states["requests"].as_object().unwrap();
    let of = |sorts: &Value, sort: &str| each(sorts).into_iter().filter(|(s, _)| s == sort).map(|(_, id)| id).collect::<Vec<_>>();
    let still = |ids: Vec<String>| ids.iter().filter(|id| requests.get(*id).is_some_and(|state| state == "active")).count();
    assert_eq!(still(of(&mix["ours"], "persistent")), 0, "a request left would start another instance");
    assert_eq!(still(of(&mix["theirs"], "persistent of others")), 5);
    assert_eq!(world.moto.published().len(), 1, "the operator is told, once");
}
