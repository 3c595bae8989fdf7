//! Laws of what people are told about the stack.

use crate::policy::{of_role, statements};
use crate::stack::Stack;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn page(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name)).unwrap()
}

/// Names in backticks, of one page.
fn named(page: &str) -> BTreeSet<&str> {
    page.split('`').skip(1).step_by(2).collect()
}

/// The names of the statements of a policy.
fn sids(document: &Value) -> Vec<&str> {
    document["Statement"].as_array().unwrap().iter().map(|statement| statement["Sid"].as_str().unwrap()).collect()
}

#[test]
fn every_statement_of_every_role_has_its_reason_on_the_page() {
    let (stack, page) = (Stack::usual(), page("ROLES.md"));
    // What stands under the heading of a role, and what is everybody's.
    let under = |title: &str| {
        let sections = page.split("\n## ").filter(|section| section.lines().next().unwrap().contains(title));
        sections.collect::<Vec<_>>().join("\n")
    };
    let everybody = under("Everybody");
    for (id, role) in stack.of_type("AWS::IAM::Role") {
        let title = match id.strip_suffix("Role").unwrap() {
            "BudgetAlert" => "Budget-alert",
            other => other,
        };
        let own = under(title);
        assert!(!own.is_empty(), "{title} has no heading");
        let told: BTreeSet<&str> = named(&own).into_iter().chain(named(&everybody)).collect();
        for policy in role["Policies"].as_array().unwrap() {
            for sid in sids(&policy["PolicyDocument"]) {
                assert!(told.contains(sid), "{title}: {sid}");
            }
        }
    }
    let people = under("People");
    for sid in sids(&stack.properties("OwnerPolicy")["PolicyDocument"]) {
        assert!(named(&people).contains(sid), "{sid}");
    }
}

#[test]
fn what_holds_for_all_holds_for_all() {
    let stack = Stack::usual();
    let owner = &stack.properties("OwnerPolicy")["PolicyDocument"];
    let people = owner["Statement"].as_array().unwrap().iter().map(|statement| of_role("Owner", statement));
    for s in statements(&stack).into_iter().chain(people) {
        assert!(s.actions.iter().all(|action| !action.contains('*') && action != "s3:DeleteObjectVersion"), "{s:?}");
        let iam = s.actions.iter().any(|action| action.starts_with("iam:"));
        assert!(!iam || s.who == "Launch", "{s:?}");
    }
}

#[test]
fn every_parameter_of_the_deploy_guide_is_one_of_the_template() {
    let (stack, page) = (Stack::usual(), page("DEPLOY.md"));
    let known = stack.parameters();
    let said = page.split("--set ").skip(1).map(|rest| rest.split('=').next().unwrap());
    let said: BTreeSet<&str> = said.collect();
    assert!(said.len() > 5, "{said:?}");
    for name in said {
        assert!(known.contains(name), "{name}");
    }
}
