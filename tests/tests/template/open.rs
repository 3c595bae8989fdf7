//! Laws of the address behind the links of mails: it opens reports and nothing else, and can be left out.

use crate::policy::{may, statements, who_may};
use crate::stack::{BUCKET, Stack, outputs};
use dropscope_pipeline::{RunId, state_keys};
use serde_json::{Value, json};

fn object(key: impl std::fmt::Display) -> String {
    format!("arn:aws:s3:::{BUCKET}/{key}")
}

fn run() -> RunId {
    "0123456789abcdef-2".parse().unwrap()
}

/// What an instance is told of links.
fn told_to_worker(stack: &Stack) -> &str {
    let data = stack.properties("LaunchTemplate")["LaunchTemplateData"]["UserData"].as_str().unwrap();
    data.lines().find(|line| line.contains("DROPSCOPE_OPEN_URL")).unwrap()
}

#[test]
fn open_may_read_links_jobs_and_reports_and_nothing_else() {
    let all = statements(&Stack::usual());
    for s in all.iter().filter(|s| s.who == "Open" && s.actions != ["logs:CreateLogStream", "logs:PutLogEvents"]) {
        assert_eq!((s.actions.as_slice(), s.condition.is_null()), (["s3:GetObject".to_owned()].as_slice(), true), "{s:?}");
    }
    let results = format!("results/a/x/{}/", run());
    for key in [state_keys::links().to_string(), state_keys::job(&run()).to_string(), format!("{results}report.html")] {
        assert!(may(&all, "Open", "s3:GetObject", &object(&key)), "{key}");
    }
    for name in ["traces.csv", "segmentation.nwb", "manifest.json", "log.txt", "checkpoint/plane0/registered.0", "report.html/x"]
    {
        assert!(!may(&all, "Open", "s3:GetObject", &object(format!("{results}{name}"))), "{name}");
    }
    for key in [
        "recordings/a/x.tif",
        "recordings/a/report.html",
        "state/budget.json",
        "state/outbox/pending/m.json",
        "programs/report.html",
    ] {
        assert!(!may(&all, "Open", "s3:GetObject", &object(key)), "{key}");
    }
}

#[test]
fn who_signs_reads_the_key_and_who_reads_what_strangers_upload_first_does_not() {
    let all = statements(&Stack::usual());
    assert_eq!(who_may(&all, "s3:GetObject", &object(state_keys::links())), ["Open", "Reconcile", "Worker"]);
}

#[test]
fn open_alone_may_be_called_by_anybody_and_only_by_its_address() {
    let stack = Stack::usual();
    let url = stack.properties("OpenUrl");
    assert_eq!((&url["AuthType"], url.get("Cors")), (&json!("NONE"), None));
    let anybody = stack.of_type("AWS::Lambda::Permission").map(|(_, permission)| permission).filter(|p| p["Principal"] == "*");
    let mut allowed: Vec<(&Value, &Value, &Value, &Value)> =
        anybody.map(|p| (&p["Action"], &p["FunctionName"], &p["FunctionUrlAuthType"], &p["InvokedViaFunctionUrl"])).collect();
    allowed.sort_by_key(|(action, ..)| action.to_string());
    let (by_url, call, open) = (json!("lambda:InvokeFunctionUrl"), json!("lambda:InvokeFunction"), json!("OpenFunction"));
    let (none, yes) = (json!("NONE"), json!(true));
    // Lambda guide, urls-auth: since October 2025 an address without authentication needs both.
    assert_eq!(allowed, [(&call, &open, &Value::Null, &yes), (&by_url, &open, &none, &Value::Null)]);
}

#[test]
fn what_strangers_can_make_it_cost_can_be_bounded_where_the_account_has_room() {
    let few = Stack::with(&[("OpenConcurrency", "5")]);
    for (stack, limit) in [(Stack::usual(), None), (few, Some(&json!("5")))] {
        assert_eq!(stack.properties("OpenFunction").get("ReservedConcurrentExecutions"), limit);
        let others = stack.of_type("AWS::Lambda::Function").filter(|(id, _)| *id != "OpenFunction");
        assert!(others.map(|(_, function)| function).all(|f| f.get("ReservedConcurrentExecutions").is_none()));
        let alarm = stack.properties("OpenFloodAlarm");
        assert_eq!(
            (&alarm["MetricName"], &alarm["Period"], &alarm["Threshold"]),
            (&json!("Invocations"), &json!(300), &json!(5000))
        );
    }
}

#[test]
fn whoever_writes_mails_knows_the_address_and_the_days() {
    let stack = Stack::with(&[("LinkDays", "3")]);
    let variables = &stack.properties("ReconcileFunction")["Environment"]["Variables"];
    assert_eq!(
        (&variables["DROPSCOPE_OPEN_URL"], &variables["DROPSCOPE_LINK_DAYS"]),
        (&json!("OpenUrl.FunctionUrl"), &json!("3"))
    );
    assert_eq!(told_to_worker(&stack), "export DROPSCOPE_OPEN_URL='OpenUrl.FunctionUrl' DROPSCOPE_LINK_DAYS='3'");
    assert_eq!(outputs()["OpenAddress"]["Condition"], "Opens");
}

#[test]
fn without_days_nothing_of_the_stack_has_a_public_address() {
    let stack = Stack::with(&[("LinkDays", "0")]);
    let left: Vec<&String> = stack.resources.keys().filter(|id| id.starts_with("Open")).collect();
    assert_eq!((stack.of_type("AWS::Lambda::Url").count(), left), (0, Vec::new()));
    assert!(stack.of_type("AWS::Lambda::Permission").all(|(_, permission)| permission["Principal"] != "*"));
    assert_eq!(told_to_worker(&stack), "export DROPSCOPE_OPEN_URL='none' DROPSCOPE_LINK_DAYS='0'");
    assert_eq!(stack.properties("ReconcileFunction")["Environment"]["Variables"]["DROPSCOPE_OPEN_URL"], "none");
}
