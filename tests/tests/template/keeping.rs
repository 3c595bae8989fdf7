//! Laws of what is kept: people's data, and their money.

use crate::stack::{ALERT_TOPIC, BUCKET, Stack, outputs};
use dropscope_pipeline::state_keys;
use serde_json::{Value, json};

#[test]
fn the_bucket_is_retained_private_encrypted_versioned_and_listened_to() {
    let stack = Stack::usual();
    for keeps in ["DeletionPolicy", "UpdateReplacePolicy"] {
        assert_eq!(stack.resources["Bucket"][keeps], "Retain");
        assert_eq!(stack.resources["BucketPolicy"][keeps], "Retain");
    }
    let bucket = stack.properties("Bucket");
    let closed = bucket["PublicAccessBlockConfiguration"].as_object().unwrap();
    assert!(closed.len() == 4 && closed.values().all(|value| value == true), "{closed:?}");
    let encryption = &bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"][0];
    assert_eq!(encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"], "AES256");
    assert_eq!(bucket["VersioningConfiguration"]["Status"], "Enabled");
    assert_eq!(bucket["NotificationConfiguration"]["EventBridgeConfiguration"]["EventBridgeEnabled"], true);
}

#[test]
fn the_bucket_speaks_tls_only() {
    let stack = Stack::usual();
    let statements = stack.properties("BucketPolicy")["PolicyDocument"]["Statement"].as_array().unwrap();
    let denied = json!({"Bool": {"aws:SecureTransport": "false"}});
    let tls = statements.iter().find(|s| s["Effect"] == "Deny" && s["Condition"] == denied).unwrap();
    assert_eq!((&tls["Principal"], &tls["Action"]), (&json!("*"), &json!("s3:*")));
    let arn = format!("arn:aws:s3:::{BUCKET}");
    assert_eq!(tls["Resource"], json!([arn, format!("{arn}/*")]));
}

/// Rules of the lifecycle, each with the prefix it holds for.
fn lifecycle(stack: &Stack) -> Vec<(&str, &Value)> {
    let rules = stack.properties("Bucket")["LifecycleConfiguration"]["Rules"].as_array().unwrap();
    rules.iter().map(|rule| (rule["Prefix"].as_str().unwrap_or(""), rule)).collect()
}

#[test]
fn no_recording_and_no_result_ever_expires() {
    let stack = Stack::usual();
    for (prefix, rule) in lifecycle(&stack) {
        let expires = rule.get("ExpirationInDays").is_some() || rule.get("ExpirationDate").is_some();
        assert!(
            !expires || [state_keys::OUTBOX_SENT, state_keys::WAKE, state_keys::RIPE, "state/logs/"].contains(&prefix),
            "{rule}"
        );
    }
}

#[test]
fn an_overwritten_recording_can_be_had_back_for_as_long_as_was_asked() {
    let stack = Stack::with(&[("KeepOverwrittenDays", "77")]);
    let rules = lifecycle(&stack);
    let days = |prefix: &str| {
        let rule = rules.iter().find(|(of, _)| *of == prefix).unwrap().1;
        rule["NoncurrentVersionExpiration"]["NoncurrentDays"].to_string().replace('"', "")
    };
    assert_eq!(days("recordings/"), "77");
    // What is written over and over must not pile up.
    assert_eq!(days("state/"), "1");
    assert!(rules.iter().any(|(prefix, rule)| prefix.is_empty() && rule["AbortIncompleteMultipartUpload"].is_object()));
}

#[test]
fn what_only_called_somebody_is_gone_after_a_day() {
    let stack = Stack::usual();
    for message in [state_keys::WAKE, state_keys::RIPE] {
        let (_, rule) = lifecycle(&stack).into_iter().find(|(prefix, _)| *prefix == message).unwrap();
        assert_eq!((&rule["Status"], &rule["ExpirationInDays"]), (&json!("Enabled"), &json!(1)), "{message}");
    }
}

#[test]
fn who_learns_the_bucket_learns_that_it_is_deaf_at_first() {
    // S3 takes about five minutes to heed changed notifications (user guide, notification-how-to-event-types-and-destinations).
    let told = outputs()["BucketName"]["Description"].as_str().unwrap();
    for word in ["recordings/<owner>/", "five minutes", "upload it again"] {
        assert!(told.contains(word), "{word}: {told}");
    }
}

#[test]
fn an_existing_bucket_is_not_touched() {
    let stack = Stack::with(&[("ExistingBucket", "old-lab-data")]);
    assert_eq!(stack.of_type("AWS::S3::Bucket").count() + stack.of_type("AWS::S3::BucketPolicy").count(), 0);
    for (id, function) in stack.of_type("AWS::Lambda::Function") {
        assert_eq!(function["Environment"]["Variables"]["DROPSCOPE_BUCKET"], "old-lab-data", "{id}");
    }
}

#[test]
fn only_what_was_spent_of_most_of_the_money_freezes() {
    let stack = Stack::usual();
    let mut freezing = Vec::new();
    for notice in stack.properties("Budget")["NotificationsWithSubscribers"].as_array().unwrap() {
        let notification = &notice["Notification"];
        let threshold = notification["Threshold"].as_u64().unwrap();
        let to = &notice["Subscribers"];
        if to == &json!([{"SubscriptionType": "SNS", "Address": ALERT_TOPIC}]) {
            assert_eq!(notification["NotificationType"], "ACTUAL", "a forecast comes again and again: no thaw would last");
            freezing.push(threshold);
        } else {
            assert_eq!(to, &json!([{"SubscriptionType": "EMAIL", "Address": "operator@example.org"}]));
        }
    }
    // Each speaks once a month, so one alone could be over before the next launch.
    assert_eq!(freezing, [80, 100, 120, 150]);
    assert_eq!(stack.resources["Budget"]["DependsOn"], "AlertTopicPolicy", "budgets tries the topic at once");
    assert!(stack.properties("Budget")["Budget"].get("BudgetName").is_none(), "a fixed name collides when it is replaced");
}

#[test]
fn the_budget_counts_the_stack_only_once_its_tag_is_active_and_may_be_left_out() {
    let filter = |stack: &Stack| stack.properties("Budget")["Budget"].get("CostFilters").cloned();
    assert_eq!(filter(&Stack::usual()), None);
    let filtered = json!({"TagKeyValue": ["user:dropscope:stack$calcium"]});
    assert_eq!(filter(&Stack::with(&[("CostTagActive", "yes")])), Some(filtered));
    assert_eq!(Stack::with(&[("AccountBudgetUsd", "0")]).of_type("AWS::Budgets::Budget").count(), 0);
}

#[test]
fn by_default_the_budget_is_larger_than_the_cap_so_that_work_within_the_cap_is_never_ended() {
    let stack = Stack::usual();
    let number = |value: &Value| value.as_str().unwrap().parse::<f64>().unwrap();
    let cap = number(&stack.properties("LaunchFunction")["Environment"]["Variables"]["DROPSCOPE_MONTHLY_CAP_USD"]);
    assert!(number(&stack.properties("Budget")["Budget"]["BudgetLimit"]["Amount"]) > cap);
}
