//! Laws of the functions: built from the right crate, told what it asks for, never failing unseen.

use crate::policy::{may, statements};
use crate::stack::{BUCKET, STACK, Stack, folders, many, root};
use dropscope_runtime::environment::Variable;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Programs that run elsewhere: on an instance.
const NO_FUNCTION: [&str; 1] = ["segment"];

/// `ValidateFunction` → `validate`: the folder, and the crate dropscope-validate.
pub(crate) fn short(function: &str) -> String {
    folders()[function].strip_prefix("./functions/").unwrap().to_owned()
}

/// What is called after a function: its role, its log group.
fn stem(function: &str) -> &str {
    function.strip_suffix("Function").unwrap()
}

#[test]
fn every_function_crate_with_a_program_is_deployed_and_the_reverse() {
    let entries = std::fs::read_dir(root().join("functions")).unwrap().map(Result::unwrap);
    let programs = entries.filter(|entry| entry.path().join("src/main.rs").is_file());
    let names: BTreeSet<String> = programs.map(|entry| entry.file_name().into_string().unwrap()).collect();
    let ours = names.into_iter().filter(|name| !NO_FUNCTION.contains(&name.as_str())).collect::<BTreeSet<_>>();
    let deployed: BTreeSet<String> = folders().keys().map(|function| short(function)).collect();
    assert_eq!(ours, deployed);
}

#[test]
fn each_function_is_built_by_cargo_for_the_chosen_processor() {
    for architecture in ["x86_64", "arm64"] {
        let stack = Stack::with(&[("Architecture", architecture)]);
        for (id, function) in stack.of_type("AWS::Lambda::Function") {
            assert_eq!(stack.resources[id]["Metadata"]["BuildMethod"], "rust-cargolambda", "{id}");
            assert_eq!((&function["Runtime"], &function["Handler"]), (&json!("provided.al2023"), &json!("bootstrap")), "{id}");
            assert_eq!(function["Architectures"], json!([architecture]), "{id}");
        }
        let image = &stack.properties("LaunchTemplate")["LaunchTemplateData"]["ImageId"];
        let name = format!("resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-{architecture}");
        assert_eq!(image, &json!(name), "launch starts its own program there");
    }
}

/// What the code of each function asks for.
fn asked() -> BTreeMap<&'static str, &'static [&'static Variable]> {
    BTreeMap::from([
        ("validate", dropscope_validate::VARIABLES),
        ("gif", dropscope_gif::VARIABLES),
        ("summary", dropscope_summary::VARIABLES),
        ("launch", dropscope_launch::VARIABLES),
        ("reconcile", dropscope_reconcile::VARIABLES),
        ("budget-alert", dropscope_budget_alert::VARIABLES),
        ("open", dropscope_open::VARIABLES),
    ])
}

#[test]
fn each_function_gets_exactly_the_variables_its_code_asks_for() {
    let (stack, asked) = (Stack::usual(), asked());
    for (id, function) in stack.of_type("AWS::Lambda::Function") {
        let given = function["Environment"]["Variables"].as_object().unwrap();
        let wanted: BTreeSet<&str> = asked[short(id).as_str()].iter().map(|variable| variable.name).collect();
        assert_eq!(given.keys().map(String::as_str).collect::<BTreeSet<_>>(), wanted, "{id}");
        assert!(given.values().all(|value| !value.as_str().unwrap().is_empty()), "{id}: {given:?}");
    }
    assert_eq!(stack.of_type("AWS::Lambda::Function").count(), asked.len());
}

#[test]
fn whoever_reads_recordings_has_all_the_time_that_lambda_gives() {
    let stack = Stack::usual();
    let all = statements(&stack);
    let recording = format!("arn:aws:s3:::{BUCKET}/recordings/a/x.tif");
    for (id, function) in stack.of_type("AWS::Lambda::Function") {
        let reads = may(&all, stem(id), "s3:GetObject", &recording);
        assert_eq!(function["Timeout"] == 900, reads, "{id}: {}", function["Timeout"]);
    }
}

#[test]
fn launch_reserves_the_disk_that_an_instance_gets() {
    let stack = Stack::with(&[("WorkerDiskGiB", "250")]);
    let disk = &stack.properties("LaunchTemplate")["LaunchTemplateData"]["BlockDeviceMappings"][0]["Ebs"];
    let told = &stack.properties("LaunchFunction")["Environment"]["Variables"]["DROPSCOPE_DISK_GIB"];
    assert_eq!((&disk["VolumeSize"], told), (&json!("250"), &json!("250")));
}

#[test]
fn every_function_has_a_log_of_its_own_that_ends() {
    let stack = Stack::usual();
    let all = statements(&stack);
    for (id, function) in stack.of_type("AWS::Lambda::Function") {
        let log = format!("{}Log", stem(id));
        let mut logging = json!({"LogFormat": "JSON", "LogGroup": log});
        if id == "OpenFunction" {
            // Strangers decide how often it is called: its calls must cost no log.
            logging["SystemLogLevel"] = json!("WARN");
        }
        assert_eq!(function["LoggingConfig"], logging, "{id}");
        assert!(stack.properties(&log)["RetentionInDays"].as_str().is_some_and(|days| days.parse::<u32>().is_ok()), "{log}");
        for (group, _) in stack.of_type("AWS::Logs::LogGroup") {
            let allowed = may(&all, stem(id), "logs:PutLogEvents", &format!("{group}.Arn"));
            assert_eq!(allowed, group == log, "{id} {group}");
        }
    }
}

#[test]
fn a_call_that_fails_for_good_is_kept() {
    let stack = Stack::usual();
    let all = statements(&stack);
    let of_queue: BTreeSet<String> =
        stack.of_type("AWS::Lambda::EventSourceMapping").map(|(_, mapping)| many(&mapping["FunctionName"]).concat()).collect();
    assert_eq!(of_queue, BTreeSet::from(["LaunchFunction".to_owned()]));
    // Nor whom a browser calls: it is told at once, and asks again.
    let of_url: BTreeSet<String> = stack
        .of_type("AWS::Lambda::Url")
        .map(|(_, url)| url["TargetFunctionArn"].as_str().unwrap().replace(".Arn", ""))
        .collect();
    assert_eq!(of_url, BTreeSet::from(["OpenFunction".to_owned()]));
    let is_told = |id: &str| of_queue.contains(id) || of_url.contains(id);
    for (id, _) in stack.of_type("AWS::Lambda::Function").filter(|(id, _)| !is_told(id)) {
        let mut configs = stack.of_type("AWS::Lambda::EventInvokeConfig").map(|(_, config)| config);
        let config = configs.find(|config| config["FunctionName"] == *id).unwrap_or_else(|| panic!("{id} fails unseen"));
        let queue = config["DestinationConfig"]["OnFailure"]["Destination"].as_str().unwrap();
        // What the next minute makes up for must not keep the alarm of what somebody has to mend from speaking.
        assert_eq!(queue, if id == "ReconcileFunction" { "MissedLooks.Arn" } else { "FailedCalls.Arn" }, "{id}");
        assert!(may(&all, stem(id), "sqs:SendMessage", queue), "{id} may not tell of its failure");
    }
}

#[test]
fn a_launch_message_comes_again_alone_and_never_while_it_is_worked_off() {
    let stack = Stack::usual();
    let (_, mapping) = stack.of_type("AWS::Lambda::EventSourceMapping").next().unwrap();
    assert_eq!(mapping["EventSourceArn"], "LaunchQueue.Arn");
    assert_eq!(mapping["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]));
    let queue = stack.properties("LaunchQueue");
    let timeout = stack.properties("LaunchFunction")["Timeout"].as_u64().unwrap();
    assert!(queue["VisibilityTimeout"].as_u64().unwrap() >= 6 * timeout);
    assert_eq!(queue["RedrivePolicy"]["deadLetterTargetArn"], "LaunchDeadLetters.Arn");
    for action in ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"] {
        assert!(may(&statements(&stack), "Launch", action, "LaunchQueue.Arn"), "{action}");
    }
}

#[test]
fn the_operator_hears_of_dead_letters_errors_throttles_and_a_late_queue() {
    let stack = Stack::usual();
    let mut watched = BTreeSet::new();
    for (id, alarm) in stack.of_type("AWS::CloudWatch::Alarm") {
        assert_eq!(alarm["AlarmActions"], json!(["MailTopic"]), "{id}");
        assert!(alarm["AlarmDescription"].as_str().is_some_and(|text| text.len() > 40), "{id} names no remedy");
        let of = alarm["Dimensions"][0]["Value"].as_str().unwrap_or("the account");
        watched.insert(format!("{} {of}", alarm["MetricName"].as_str().unwrap()));
    }
    let functions = stack.of_type("AWS::Lambda::Function").map(|(id, _)| id);
    let mut wanted: BTreeSet<String> = functions.map(|id| format!("Errors {id}")).collect();
    wanted.insert("Invocations OpenFunction".into());
    // No function has to have concurrency of its own, so it is the account's that runs out.
    wanted.insert("Throttles the account".into());
    let dead = ["LaunchDeadLetters", "Undelivered", "FailedCalls", "MissedLooks"];
    wanted.extend(dead.map(|queue| format!("ApproximateNumberOfMessagesVisible {queue}.QueueName")));
    wanted.insert("ApproximateAgeOfOldestMessage LaunchQueue.QueueName".into());
    // The stack's own metric has no dimension: its namespace is the stack.
    wanted.insert("LaunchRefusals the account".into());
    assert_eq!(watched, wanted);
    assert_eq!(stack.properties("Operator"), &operator());
}

#[test]
fn a_launch_that_ec2_refuses_is_heard_of_by_its_log_line() {
    let stack = Stack::usual();
    let filters: Vec<(&str, &Value)> = stack.of_type("AWS::Logs::MetricFilter").collect();
    let [(_, filter)] = filters[..] else { panic!("{filters:?}") };
    assert_eq!((&filter["LogGroupName"], &filter["FilterPattern"]), (&json!("LaunchLog"), &json!(r#"{ $.level = "ERROR" }"#)));
    let metric = &filter["MetricTransformations"][0];
    assert_eq!(metric["MetricValue"], "1");
    let alarm = stack.properties("LaunchRefusalsAlarm");
    // The stack's own: beside another stack its alarm stays silent.
    assert_eq!(metric["MetricNamespace"], json!(format!("dropscope/{STACK}")));
    for (of_metric, of_alarm) in [("MetricNamespace", "Namespace"), ("MetricName", "MetricName")] {
        assert_eq!(metric[of_metric], alarm[of_alarm]);
    }
    assert_eq!((&alarm["Statistic"], &alarm["Threshold"], &alarm["EvaluationPeriods"]), (&json!("Sum"), &json!(1), &json!(1)));
}

fn operator() -> Value {
    json!({"TopicArn": "MailTopic", "Protocol": "email", "Endpoint": "operator@example.org"})
}
