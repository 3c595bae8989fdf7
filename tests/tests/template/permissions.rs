//! Laws of the roles: each may do what its program does, and nothing else.

use crate::policy::{Statement, may, of_role, statements, who_may};
use crate::stack::{ACCOUNT, BUCKET, STACK, Stack};
use dropscope_pipeline::{RunId, state_keys};
use dropscope_projection::{PREVIEW_FILES, SUMMARY_FILES};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Actions for which EC2 knows no resource.
const WITHOUT_RESOURCE: [&str; 2] = ["ec2:DescribeInstances", "ec2:DescribeSpotInstanceRequests"];

fn object(key: impl std::fmt::Display) -> String {
    format!("arn:aws:s3:::{BUCKET}/{key}")
}

/// A folder of a recording in many files, as the state names it.
const FOLDER: &str = "0123456789abcdef";

fn run() -> RunId {
    "0123456789abcdef-2".parse().unwrap()
}

/// Statements that allow this action.
fn allowing<'a>(all: &'a [Statement], action: &str) -> Vec<&'a Statement> {
    all.iter().filter(|s| s.actions.iter().any(|allowed| allowed == action)).collect()
}

#[test]
fn no_statement_allows_a_family_of_actions() {
    for s in statements(&Stack::usual()) {
        assert!(s.actions.iter().all(|action| action.contains(':') && !action.contains('*')), "{s:?}");
    }
}

#[test]
fn every_resource_is_named_where_aws_knows_one() {
    for s in statements(&Stack::usual()) {
        if s.resources.iter().any(|resource| resource == "*") {
            assert!(s.actions.iter().all(|action| WITHOUT_RESOURCE.contains(&action.as_str())), "{s:?}");
        }
        // Any account or region, any bucket, any kind of resource: a wildcard only in the last part.
        for resource in s.resources.iter().filter(|resource| resource.starts_with("arn:")) {
            let place: Vec<&str> = resource.splitn(6, ':').collect();
            assert!(place[..5].iter().all(|part| !part.contains('*')) && place[5] != "*", "{s:?}");
        }
    }
}

#[test]
fn only_reconcile_and_budget_alert_end_instances_and_only_those_of_this_stack() {
    let all = statements(&Stack::usual());
    let ending = allowing(&all, "ec2:TerminateInstances");
    let who: Vec<&str> = ending.iter().map(|s| s.who.as_str()).collect();
    assert_eq!(who, ["BudgetAlert", "Reconcile"]);
    for s in ending {
        assert_eq!(s.condition, json!({"StringEquals": {"aws:ResourceTag/dropscope:stack": STACK}}), "{s:?}");
    }
    for action in ["ec2:StopInstances", "ec2:CancelSpotInstanceRequests"] {
        for s in allowing(&all, action) {
            let of_this_stack = json!({"StringEquals": {"aws:ResourceTag/dropscope:stack": STACK}});
            assert_eq!((s.who.as_str(), &s.condition), ("BudgetAlert", &of_this_stack), "{s:?}");
        }
    }
}

#[test]
fn only_launch_passes_a_role_and_only_the_workers() {
    let all = statements(&Stack::usual());
    let passing = allowing(&all, "iam:PassRole");
    let [s] = passing[..] else { panic!("{passing:?}") };
    assert_eq!((s.who.as_str(), s.resources.as_slice()), ("Launch", ["WorkerRole.Arn".to_owned()].as_slice()));
    assert_eq!(s.condition, json!({"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}));
}

#[test]
fn an_instance_is_started_by_launch_alone_from_the_template_and_with_the_stacks_tag() {
    let all = statements(&Stack::usual());
    assert!(allowing(&all, "ec2:RunInstances").iter().chain(&allowing(&all, "ec2:CreateFleet")).all(|s| s.who == "Launch"));
    let starts = |s: &&&Statement| s.resources.iter().any(|resource| resource.contains(":instance/"));
    let running = allowing(&all, "ec2:RunInstances");
    let instances: Vec<_> = running.iter().filter(starts).collect();
    assert_eq!(instances.len(), 1, "{instances:?}");
    let condition = &instances[0].condition;
    assert_eq!(condition["StringEquals"]["aws:RequestTag/dropscope:stack"], STACK);
    assert!(condition["ArnEquals"]["ec2:LaunchTemplate"].as_str().unwrap().ends_with("launch-template/LaunchTemplate"));
}

#[test]
fn a_tag_is_given_at_birth_only() {
    let all = statements(&Stack::usual());
    let tagging = allowing(&all, "ec2:CreateTags");
    let [s] = tagging[..] else { panic!("{tagging:?}") };
    assert_eq!(s.condition["StringEquals"]["ec2:CreateAction"], json!(["CreateFleet", "RunInstances"]));
    assert_eq!(s.condition["StringEquals"]["aws:RequestTag/dropscope:stack"], STACK);
}

#[test]
fn the_worker_may_do_nothing_to_any_machine() {
    let all = statements(&Stack::usual());
    for s in all.iter().filter(|s| s.who == "Worker") {
        assert!(s.actions.iter().all(|action| action.starts_with("s3:") || action == "sns:Publish"), "{s:?}");
    }
}

/// Whether some object under `prefix` is covered by the pattern: what both say before the first `*` agrees.
fn reaches(pattern: &str, prefix: &str) -> bool {
    let fixed = pattern.split(['*', '?']).next().unwrap();
    fixed.starts_with(prefix) || prefix.starts_with(fixed) && fixed.len() < pattern.len()
}

#[test]
fn nobody_writes_or_deletes_under_recordings() {
    let reads = |action: &String| action.starts_with("s3:Get") || action == "s3:ListBucket";
    for s in statements(&Stack::usual()).iter().filter(|s| s.actions.iter().any(|a| a.starts_with("s3:") && !reads(a))) {
        for resource in &s.resources {
            assert!(!reaches(resource, &object("recordings/")), "{s:?}");
        }
    }
}

#[test]
fn a_recording_is_read_in_the_version_that_was_announced() {
    let all = statements(&Stack::usual());
    for action in ["s3:GetObject", "s3:GetObjectVersion"] {
        assert_eq!(who_may(&all, action, &object("recordings/a/x.tif")), ["Gif", "Summary", "Validate", "Worker"], "{action}");
    }
    // Of a recording in many files they read the frozen list first.
    let list = object(state_keys::members(&run()));
    assert_eq!(who_may(&all, "s3:GetObject", &list), ["Gif", "Summary", "Validate", "Worker"]);
    assert_eq!(who_may(&all, "s3:GetObject", &object(state_keys::begun(FOLDER))), ["Reconcile", "Validate"]);
}

#[test]
fn state_is_written_by_those_whose_code_writes_it() {
    let all = statements(&Stack::usual());
    let mailers = ["BudgetAlert", "Reconcile", "Validate", "Worker"];
    for (key, writers) in [
        (state_keys::job(&run()).to_string(), ["Launch", "Reconcile", "Validate", "Worker"].as_slice()),
        (state_keys::open(&run()).to_string(), &["Reconcile", "Validate"]),
        (state_keys::wake(&run()).to_string(), &["Reconcile"]),
        (state_keys::folder(FOLDER).to_string(), &["Reconcile", "Validate"]),
        (state_keys::ripe(FOLDER).to_string(), &["Reconcile"]),
        (state_keys::begun(FOLDER).to_string(), &["Validate"]),
        (state_keys::members(&run()).to_string(), &["Validate"]),
        (state_keys::budget().to_string(), &["BudgetAlert", "Launch", "Reconcile"]),
        // People revoke; whoever else signs or checks may not.
        (state_keys::links().to_string(), &["Reconcile"]),
        (state_keys::ledger_entry("2026-10", &run(), 1).to_string(), &["Reconcile"]),
        (state_keys::outbox_pending("m").to_string(), &mailers),
        (state_keys::outbox_sent("m").to_string(), &mailers),
        ("state/logs/0123456789abcdef.1.txt".into(), &["Worker"]),
        (format!("programs/{}/dropscope-worker", "0".repeat(64)), &["Launch"]),
        ("results/a/x/0123456789abcdef/manifest.json".into(), &["Reconcile", "Validate", "Worker"]),
        ("results/a/x/0123456789abcdef/provenance.json".into(), &["Reconcile", "Validate", "Worker"]),
        ("results/a/x/0123456789abcdef/traces.csv".into(), &["Worker"]),
        ("results/a/x/0123456789abcdef/report.html".into(), &["Worker"]),
        ("results/a/x/0123456789abcdef/checkpoint/plane0/registered.0".into(), &["Worker"]),
        ("dropscope.toml".into(), &[]),
    ] {
        assert_eq!(who_may(&all, "s3:PutObject", &object(&key)), writers, "{key}");
    }
}

#[test]
fn gif_and_summary_write_their_own_files_and_nothing_else() {
    let all = statements(&Stack::usual());
    let folder = object("results/*/");
    for (who, files) in [("Gif", PREVIEW_FILES.as_slice()), ("Summary", SUMMARY_FILES.as_slice())] {
        let writing = allowing(&all, "s3:PutObject").into_iter().filter(|s| s.who == who);
        let mut written: Vec<&str> = writing.flat_map(|s| &s.resources).map(|r| r.strip_prefix(&folder).unwrap()).collect();
        written.sort_unstable();
        let mut wanted = files.to_vec();
        wanted.sort_unstable();
        assert_eq!(written, wanted, "{who}");
        // Made already? They look before they work; and they start from the manifest.
        for file in files.iter().chain(&["manifest.json"]) {
            assert!(may(&all, who, "s3:GetObject", &object(format!("results/a/x/{}/{file}", run()))), "{who} {file}");
        }
    }
}

#[test]
fn create_fleet_is_allowed_on_every_kind_of_thing_that_it_touches_and_runs_on_ours_only() {
    let all = statements(&Stack::usual());
    let fleet = allowing(&all, "ec2:CreateFleet");
    let [s] = fleet[..] else { panic!("{fleet:?}") };
    let place = |kind: &str| if ["image", "snapshot"].contains(&kind) { "" } else { ACCOUNT };
    let kinds = [
        "fleet",
        "image",
        "instance",
        "launch-template",
        "network-interface",
        "security-group",
        "snapshot",
        "spot-instances-request",
        "subnet",
        "volume",
    ];
    let wanted: BTreeSet<String> =
        kinds.iter().map(|kind| format!("arn:aws:ec2:eu-central-1:{}:{kind}/*", place(kind))).collect();
    assert_eq!(s.resources.iter().cloned().collect::<BTreeSet<_>>(), wanted);
    for kind in ["launch-template/lt-foreign", "security-group/sg-foreign", "subnet/subnet-foreign"] {
        let foreign = format!("arn:aws:ec2:eu-central-1:{ACCOUNT}:{kind}");
        assert!(who_may(&all, "ec2:RunInstances", &foreign).is_empty(), "{kind}");
    }
}

#[test]
fn whoever_writes_a_document_on_condition_may_read_it() {
    // S3 asks for s3:GetObject beside s3:PutObject when a write names an ETag.
    let all = statements(&Stack::usual());
    let folder = [state_keys::folder(FOLDER), state_keys::begun(FOLDER), state_keys::members(&run())];
    let others = [state_keys::job(&run()), state_keys::budget(), state_keys::outbox_pending("m"), state_keys::outbox_sent("m")];
    for key in folder.into_iter().chain(others) {
        for who in who_may(&all, "s3:PutObject", &object(&key)) {
            assert!(may(&all, who, "s3:GetObject", &object(&key)), "{who} {key}");
        }
    }
}

#[test]
fn only_a_mail_that_is_sent_and_what_belongs_to_what_is_over_are_deleted() {
    let all = statements(&Stack::usual());
    let mailers = ["BudgetAlert", "Reconcile", "Validate", "Worker"];
    assert_eq!(who_may(&all, "s3:DeleteObject", &object(state_keys::outbox_pending("m"))), mailers);
    assert_eq!(who_may(&all, "s3:DeleteObject", &object(state_keys::open(&run()))), ["Reconcile", "Validate"]);
    assert_eq!(who_may(&all, "s3:DeleteObject", &object(state_keys::folder(FOLDER))), ["Reconcile", "Validate"]);
    // Whoever closes a run clears its checkpoints, which lie among results that nobody deletes.
    let kept = "results/a/x/0123456789abcdef/checkpoint/plane0/registered.0";
    assert_eq!(who_may(&all, "s3:DeleteObject", &object(kept)), ["Reconcile", "Worker"]);
    assert_eq!(who_may(&all, "s3:DeleteObject", &object("results/a/x/0123456789abcdef/traces.csv")), [""; 0]);
    let fleeting = [state_keys::OUTBOX_PENDING, state_keys::OPEN, state_keys::FOLDERS, "results/*/checkpoint/"];
    let fleeting = fleeting.map(|folder| object(format!("{folder}*")));
    for s in allowing(&all, "s3:DeleteObject") {
        assert!(s.resources.iter().all(|resource| fleeting.contains(resource)), "{s:?}");
    }
    assert!(allowing(&all, "s3:DeleteObjectVersion").is_empty(), "what a version holds stays until the lifecycle ends it");
    assert_eq!(who_may(&all, "sns:Publish", "MailTopic"), mailers);
}

#[test]
fn a_missing_object_is_missing_to_everybody_but_open_and_not_forbidden() {
    let all = statements(&Stack::usual());
    let bucket = format!("arn:aws:s3:::{BUCKET}");
    let everybody = ["BudgetAlert", "Gif", "Launch", "Reconcile", "Summary", "Validate", "Worker"];
    assert_eq!(who_may(&all, "s3:ListBucket", &bucket), everybody);
    assert!(allowing(&all, "s3:ListBucket").iter().all(|s| s.condition.is_null()), "a prefix would not hold for a GET");
}

#[test]
fn permissions_follow_an_existing_bucket() {
    for s in statements(&Stack::with(&[("ExistingBucket", "old-lab-data")])) {
        let in_s3 = s.resources.iter().filter(|resource| resource.starts_with("arn:aws:s3:"));
        for resource in in_s3 {
            assert!(resource.starts_with("arn:aws:s3:::old-lab-data"), "{s:?}");
        }
    }
}

#[test]
fn an_owner_reaches_their_own_prefixes_and_deletes_nothing() {
    let stack = Stack::usual();
    let owner = "${aws:PrincipalTag/dropscope-owner}";
    let document = &stack.properties("OwnerPolicy")["PolicyDocument"];
    let all: Vec<_> = document["Statement"].as_array().unwrap().iter().map(|s| of_role("Owner", s)).collect();
    let reached: Vec<&String> = all.iter().flat_map(|s| &s.resources).collect();
    let bucket = format!("arn:aws:s3:::{BUCKET}");
    assert_eq!(reached, [&object(format!("recordings/{owner}/*")), &object(format!("results/{owner}/*")), &bucket]);
    assert_eq!(who_may(&all, "s3:PutObject", &object(format!("results/{owner}/x"))), [""; 0]);
    assert!(all.iter().flat_map(|s| &s.actions).all(|action| !action.contains("Delete") && !action.contains('*')));
    let prefixes = &allowing(&all, "s3:ListBucket")[0].condition["StringLike"]["s3:prefix"];
    assert_eq!(prefixes, &json!([format!("recordings/{owner}/*"), format!("results/{owner}/*")]));
}

#[test]
fn only_budgets_of_this_account_speak_on_the_alert_topic() {
    let stack = Stack::usual();
    let statement = |policy: &str| stack.properties(policy)["PolicyDocument"]["Statement"].clone();
    let Value::Array(alerts) = statement("AlertTopicPolicy") else { panic!("one or more statements") };
    assert_eq!(alerts.len(), 1);
    assert_eq!(alerts[0]["Principal"], json!({"Service": "budgets.amazonaws.com"}));
    assert_eq!(
        alerts[0]["Condition"],
        json!({
            "StringEquals": {"aws:SourceAccount": "111122223333"},
            "ArnLike": {"aws:SourceArn": "arn:aws:budgets::111122223333:*"},
        })
    );
    assert_eq!(statement("MailTopicPolicy")[0]["Principal"], json!({"Service": "cloudwatch.amazonaws.com"}));
    assert_ne!(stack.properties("AlertTopicPolicy")["Topics"], stack.properties("MailTopicPolicy")["Topics"]);
}

#[test]
fn every_role_fits_into_what_iam_takes() {
    // Inline policies of a role: 10,240 characters without white space (IAM user guide, reference_iam-quotas).
    let longest = "b".repeat(63);
    let stack = Stack::with(&[("ExistingBucket", &longest)]);
    for (id, role) in stack.of_type("AWS::IAM::Role") {
        let characters = role["Policies"].to_string().len();
        assert!(characters < 9_000, "{id}: {characters}");
    }
}
