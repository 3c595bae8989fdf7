//! Laws of the events: every payload in events/ goes exactly where events/INDEX.md says.

use crate::functions::short;
use crate::index;
use crate::pattern::matches;
use crate::stack::{ALERT_TOPIC, BUCKET, Stack, many, root};
use dropscope_pipeline::{MemberKey, ObjectKey, state_keys};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn payload(name: &str) -> Value {
    let path = root().join("events").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// Targets of every rule that this event passes; a schedule's own event passes the schedule.
fn targets(stack: &Stack, event: &Value) -> BTreeSet<String> {
    let passes = |rule: &&Value| match rule.get("EventPattern") {
        Some(pattern) => matches(pattern, event),
        None => event["detail-type"] == "Scheduled Event",
    };
    let rules = stack.of_type("AWS::Events::Rule").map(|(_, rule)| rule).filter(passes);
    rules.flat_map(|rule| rule["Targets"].as_array().unwrap()).map(|target| many(&target["Arn"]).concat()).collect()
}

/// The functions among these targets, by the names of their crates.
fn functions(targets: &BTreeSet<String>) -> BTreeSet<String> {
    let arn = |target: &String| target.strip_suffix("Function.Arn").map(|stem| short(&format!("{stem}Function")));
    targets.iter().filter_map(arn).collect()
}

/// Functions that a message of a topic is delivered to.
fn subscribers(stack: &Stack, topic: &str) -> BTreeSet<String> {
    let of_topic = |subscription: &&Value| subscription["TopicArn"] == topic && subscription["Protocol"] == "lambda";
    let subscriptions = stack.of_type("AWS::SNS::Subscription").map(|(_, subscription)| subscription).filter(of_topic);
    functions(&subscriptions.map(|subscription| many(&subscription["Endpoint"]).concat()).collect())
}

/// Functions that read a queue.
fn readers(stack: &Stack, queue: &str) -> BTreeSet<String> {
    let mappings = stack.of_type("AWS::Lambda::EventSourceMapping").map(|(_, mapping)| mapping);
    let ours = mappings.filter(|mapping| mapping["EventSourceArn"] == queue);
    ours.map(|mapping| short(mapping["FunctionName"].as_str().unwrap())).collect()
}

/// Where a payload goes, by its shape.
fn goes_to(stack: &Stack, name: &str) -> BTreeSet<String> {
    if !name.ends_with(".json") {
        return BTreeSet::new();
    }
    let event = payload(name);
    let record = &event["Records"][0];
    if event.get("detail-type").is_some() {
        functions(&targets(stack, &event))
    } else if record["EventSource"] == "aws:sns" {
        subscribers(stack, record["Sns"]["TopicArn"].as_str().unwrap())
    } else if record["eventSource"] == "aws:sqs" {
        readers(stack, "LaunchQueue.Arn")
    } else if event["requestContext"].get("http").is_some() {
        functions(&stack.of_type("AWS::Lambda::Url").map(|(_, url)| many(&url["TargetFunctionArn"]).concat()).collect())
    } else if record["eventSource"] == "aws:s3" || event["Event"] == "s3:TestEvent" {
        BTreeSet::from(["validate".to_owned()])
    } else {
        BTreeSet::new()
    }
}

#[test]
fn every_event_goes_exactly_to_the_functions_that_the_index_names() {
    let stack = Stack::usual();
    for (file, wanted) in index::functions_by_file() {
        assert_eq!(goes_to(&stack, &file), wanted, "{file}");
    }
}

#[test]
fn the_index_names_every_payload_and_none_that_is_not_there() {
    let indexed: BTreeSet<String> = index::functions_by_file().into_keys().collect();
    assert_eq!(indexed, index::files());
}

#[test]
fn every_payload_lies_under_the_prefixes_of_the_design() {
    for file in index::files().iter().filter(|file| file.ends_with(".json") && !file.contains("elsewhere")) {
        let event = payload(file);
        let classic = event["Records"].as_array().into_iter().flatten().map(|record| record["s3"]["object"]["key"].as_str());
        for key in classic.chain([event["detail"]["object"]["key"].as_str()]).flatten() {
            assert!(
                ["recordings/", "results/", state_keys::WAKE, state_keys::RIPE].iter().any(|prefix| key.starts_with(prefix)),
                "{file}: {key}"
            );
        }
    }
}

#[test]
fn what_the_launch_queue_carries_is_what_its_rule_puts_there() {
    let stack = Stack::usual();
    let manifest = payload("eventbridge-s3-manifest-created.json");
    assert!(targets(&stack, &manifest).contains("LaunchQueue.Arn"));
    assert!(!targets(&stack, &payload("eventbridge-s3-object-created.json")).contains("LaunchQueue.Arn"));
    for file in ["sqs-launch-manifest.json", "sqs-launch-mixed.json", "sqs-launch-wake.json"] {
        let event = payload(file);
        let bodies = event["Records"].as_array().unwrap().iter().map(|message| message["body"].as_str().unwrap());
        let readable: Vec<Value> = bodies.filter_map(|body| serde_json::from_str(body).ok()).collect();
        assert!(!readable.is_empty(), "{file}");
        for body in readable {
            assert!(targets(&stack, &body).contains("LaunchQueue.Arn"), "{file}: {body}");
        }
    }
}

#[test]
fn a_run_that_is_woken_calls_launch_alone() {
    let (stack, mut event) = (Stack::usual(), payload("eventbridge-s3-wake-created.json"));
    let run = "ffb3fbfaee4f9874".parse().unwrap();
    assert_eq!(event["detail"]["object"]["key"], state_keys::wake(&run).as_str());
    assert_eq!(targets(&stack, &event), BTreeSet::from(["LaunchQueue.Arn".to_owned()]));
    let manifest = payload("eventbridge-s3-manifest-created.json");
    let beside: BTreeSet<String> = ["GifFunction.Arn", "LaunchQueue.Arn", "SummaryFunction.Arn"].map(str::to_owned).into();
    assert_eq!(targets(&stack, &manifest), beside);
    // Whatever launch waits for, it waits for in the same way.
    let rules = [("ManifestRule", "manifest"), ("WakeRule", "wake")];
    let asked = rules.map(|(rule, what)| {
        let targets = stack.properties(rule)["Targets"].as_array().unwrap();
        let launch = targets.iter().find(|target| target["Arn"] == "LaunchQueue.Arn").unwrap_or_else(|| panic!("{what}"));
        (launch["RetryPolicy"].clone(), launch["DeadLetterConfig"].clone())
    });
    assert_eq!(asked[0], asked[1]);
    event["detail"]["bucket"]["name"] = json!("other-lab-uploads");
    assert!(targets(&stack, &event).is_empty());
}

#[test]
fn a_ripe_folder_calls_validate_as_its_files_do() {
    let (stack, event) = (Stack::usual(), payload("eventbridge-s3-ripe-created.json"));
    let member = payload("eventbridge-s3-object-created-member.json");
    let key = ObjectKey::raw(member["detail"]["object"]["key"].as_str().unwrap());
    let folder = MemberKey::parse(&key).unwrap().folder;
    assert_eq!(event["detail"]["object"]["key"], state_keys::ripe(&state_keys::folder_id(&folder)).as_str());
    for event in [&event, &member, &payload("eventbridge-s3-object-created-statement.json")] {
        assert_eq!(targets(&stack, event), BTreeSet::from(["ValidateFunction.Arn".to_owned()]));
    }
}

#[test]
fn an_existing_bucket_is_listened_to_instead() {
    let stack = Stack::with(&[("ExistingBucket", "old-lab-data")]);
    let mut event = payload("eventbridge-s3-object-created.json");
    assert_eq!(event["detail"]["bucket"]["name"], BUCKET);
    assert!(targets(&stack, &event).is_empty());
    event["detail"]["bucket"]["name"] = json!("old-lab-data");
    assert_eq!(functions(&targets(&stack, &event)), BTreeSet::from(["validate".to_owned()]));
}

#[test]
fn only_uploads_manifests_wakes_and_ripe_folders_start_anything() {
    let stack = Stack::usual();
    let mut event = payload("eventbridge-s3-object-created.json");
    let written = [
        "results/a/x/0123456789abcdef/provenance.json",
        "results/a/x/0123456789abcdef/max.gif",
        "results/a/x/0123456789abcdef/log.txt",
        "state/jobs/0123456789abcdef.json",
        "state/wake/0123456789abcdef.json.bak",
        "state/ripe/0123456789abcdef.json.bak",
        "state/folders/0123456789abcdef.json",
        "state/begun/0123456789abcdef.json",
        "state/members/0123456789abcdef.json",
        "state/budget.json",
        "state/outbox/pending/x.json",
        "state/logs/0123456789abcdef.1.txt",
        "programs/0123/dropscope-worker",
        "recordings-of-old/a/x.tif",
        "my/recordings/a/x.tif",
    ];
    for key in written {
        event["detail"]["object"]["key"] = json!(key);
        assert!(targets(&stack, &event).is_empty(), "{key}");
    }
}

/// Who is let into a queue: the sources that its policy names.
fn sources(stack: &Stack, queue: &str, service: &str) -> Vec<String> {
    let id = queue.strip_suffix(".Arn").unwrap();
    let policies = stack.of_type("AWS::SQS::QueuePolicy").map(|(_, policy)| policy);
    let ours = policies.filter(|policy| many(&policy["Queues"]).iter().any(|name| name == id));
    let statements = ours.flat_map(|policy| policy["PolicyDocument"]["Statement"].as_array().unwrap());
    let lets_in = statements.filter(|s| s["Effect"] == "Allow" && s["Principal"] == json!({"Service": service}));
    let to_queue = lets_in.filter(|s| s["Action"] == "sqs:SendMessage" && s["Resource"] == queue);
    to_queue.flat_map(|s| many(&s["Condition"]["ArnEquals"]["aws:SourceArn"])).collect()
}

#[test]
fn every_target_may_be_reached_and_has_a_place_for_what_was_not_delivered() {
    let stack = Stack::usual();
    for (id, rule) in stack.of_type("AWS::Events::Rule") {
        let source = format!("{id}.Arn");
        for target in rule["Targets"].as_array().unwrap() {
            let dead = target["DeadLetterConfig"]["Arn"].as_str().unwrap_or_else(|| panic!("{id}: {target}"));
            assert!(sources(&stack, dead, "events.amazonaws.com").contains(&source), "{id} may not write to {dead}");
            assert!(target["RetryPolicy"]["MaximumEventAgeInSeconds"].is_u64(), "{id}: {target}");
            let arn = target["Arn"].as_str().unwrap();
            let reached = match arn.strip_suffix("Function.Arn") {
                Some(stem) => permitted(&stack, &format!("{stem}Function"), &source),
                None => sources(&stack, arn, "events.amazonaws.com").contains(&source),
            };
            assert!(reached, "{id} may not reach {arn}");
        }
    }
}

fn permitted(stack: &Stack, function: &str, source: &str) -> bool {
    let ours = |permission: &Value| {
        permission["FunctionName"] == function
            && permission["SourceArn"] == source
            && permission["Principal"] == "events.amazonaws.com"
            && permission["Action"] == "lambda:InvokeFunction"
    };
    stack.of_type("AWS::Lambda::Permission").any(|(_, permission)| ours(permission))
}

#[test]
fn nobody_else_may_call_a_function() {
    let stack = Stack::usual();
    // Of open alone, see there.
    let services = stack.of_type("AWS::Lambda::Permission").filter(|(_, permission)| permission["Principal"] != "*");
    for (id, permission) in services {
        assert!(permission["SourceArn"].is_string(), "{id} lets every source of {} in", permission["Principal"]);
    }
}

#[test]
fn an_alert_that_is_not_delivered_is_kept() {
    let stack = Stack::usual();
    let mut to_functions = stack.of_type("AWS::SNS::Subscription").filter(|(_, s)| s["Protocol"] == "lambda");
    let (id, subscription) = to_functions.next().unwrap();
    assert_eq!(subscription["TopicArn"], ALERT_TOPIC, "{id}");
    let dead = subscription["RedrivePolicy"]["deadLetterTargetArn"].as_str().unwrap();
    assert_eq!(sources(&stack, dead, "sns.amazonaws.com"), [ALERT_TOPIC]);
    assert!(to_functions.next().is_none());
}

#[test]
fn the_whole_state_is_looked_at_every_minute() {
    let stack = Stack::usual();
    let schedules: Vec<&Value> =
        stack.of_type("AWS::Events::Rule").filter_map(|(_, rule)| rule.get("ScheduleExpression")).collect();
    assert_eq!(schedules, [&json!("rate(1 minute)")]);
}
