use super::*;
use crate::doctor::report::Status;
use std::collections::BTreeMap;

/// An account that answers; a call that is not in the list fails.
fn findings(answers: &[(&str, &str)]) -> BTreeMap<String, Finding> {
    let ask = |words: &[&str]| {
        let said = words.join(" ");
        let found = answers.iter().find(|(call, _)| said.contains(call));
        found.map(|(_, answer)| (*answer).to_owned()).ok_or(Silent::Late)
    };
    by("lab", &ask).into_iter().collect()
}

fn checks(answers: &[(&str, &str)]) -> BTreeMap<String, Status> {
    findings(answers).into_iter().map(|(name, finding)| (name, finding.status)).collect()
}

const GOOD: [(&str, &str); 11] = [
    ("get-caller-identity", "111122223333"),
    ("StackStatus", "UPDATE_COMPLETE"),
    ("'BucketName'", "lab-bucket"),
    ("'MailTopicArn'", "arn:aws:sns:eu-central-1:111122223333:mail"),
    ("get-bucket-notification-configuration --bucket lab-bucket", "True"),
    ("get-public-access-block --bucket lab-bucket", "True\tTrue\tTrue\tTrue"),
    ("get-bucket-encryption", "AES256"),
    ("get-bucket-versioning", "Enabled"),
    ("list-subscriptions-by-topic", "arn:aws:sns:eu-central-1:111122223333:mail:1"),
    ("get-service-quota", "32.0"),
    ("get-account-settings", "1000"),
];

/// The good answers, one of them replaced.
fn with(call: &'static str, answer: &'static str) -> BTreeMap<String, Status> {
    let answers: Vec<_> = [(call, answer)].into_iter().chain(GOOD).collect();
    checks(&answers)
}

#[test]
fn a_good_stack_lacks_nothing() {
    let found = checks(&[&GOOD[..], &[("get-role", "AWSServiceRoleForEC2Spot")]].concat());
    assert_eq!(found.len(), 10, "{found:?}");
    assert!(found.values().all(|status| *status == Status::Ok), "{found:?}");
}

#[test]
fn each_thing_that_is_wrong_is_found() {
    for (call, answer, name, status) in [
        ("StackStatus", "ROLLBACK_COMPLETE", "stack", Status::Missing),
        ("StackStatus", "UPDATE_IN_PROGRESS", "stack", Status::Warning),
        ("get-bucket-notification-configuration", "False", "events", Status::Missing),
        ("get-public-access-block", "True\tTrue\tFalse\tTrue", "public", Status::Warning),
        ("get-bucket-encryption", "aws:kms", "encryption", Status::Missing),
        ("get-bucket-versioning", "None", "versions", Status::Warning),
        ("list-subscriptions-by-topic", "PendingConfirmation", "mail", Status::Missing),
        ("list-subscriptions-by-topic", "None", "mail", Status::Missing),
        ("list-subscriptions-by-topic", "arn:aws:sns:x\tPendingConfirmation", "mail", Status::Warning),
        ("get-service-quota", "0.0", "spot quota", Status::Missing),
        ("get-service-quota", "5.0", "spot quota", Status::Warning),
        ("get-account-settings", "10", "functions", Status::Warning),
    ] {
        let found = with(call, answer);
        assert_eq!(found[name], status, "{call} {answer}: {found:?}");
        let others = found.iter().filter(|(other, _)| *other != name && *other != "spot role");
        assert!(others.clone().all(|(_, status)| *status == Status::Ok), "{call} {answer}: {found:?}");
    }
}

#[test]
fn what_aws_does_not_tell_of_the_bucket_is_unknown_and_not_wrong() {
    for (call, name) in [
        ("get-bucket-notification-configuration", "events"),
        ("get-public-access-block", "public"),
        ("get-bucket-encryption", "encryption"),
        ("get-bucket-versioning", "versions"),
    ] {
        let answers: Vec<_> = GOOD.into_iter().filter(|(known, _)| !known.starts_with(call)).collect();
        let finding = &findings(&answers)[name];
        assert_eq!((finding.status, finding.found.as_str()), (Status::Warning, "unknown"), "{name}");
    }
}

#[test]
fn without_credentials_nothing_else_is_asked() {
    assert_eq!(checks(&[]), [("account".to_owned(), Status::Missing)].into());
}

#[test]
fn an_account_without_the_stack_is_told_of_all_the_same() {
    let found = checks(&[GOOD[0], GOOD[9], GOOD[10]]);
    assert_eq!(found["stack"], Status::Missing);
    assert_eq!((found["spot quota"], found["functions"]), (Status::Ok, Status::Ok));
    assert!(!found.contains_key("events") && !found.contains_key("mail"));
}

#[cfg(feature = "aws")]
#[test]
fn an_output_is_told_and_a_stack_that_is_not_there_is_no_credential_that_has_ended() {
    let asked = |answers: &[(&str, &str)], silent: fn() -> Silent| {
        let ask = |words: &[&str]| {
            let said = words.join(" ");
            let found = answers.iter().find(|(call, _)| said.contains(call));
            found.map(|(_, answer)| (*answer).to_owned()).ok_or_else(silent)
        };
        output_by("lab", "MailTopicArn", &ask)
    };
    let failed = || Silent::Failed(std::os::unix::process::ExitStatusExt::from_raw(254 << 8));
    let known = ("get-caller-identity", "111122223333");
    let topic = ("--stack-name lab --query Stacks[0].Outputs[?OutputKey=='MailTopicArn']", "arn:aws:sns:x");
    assert_eq!(asked(&[known, topic], failed).unwrap().as_deref(), Some("arn:aws:sns:x"));
    assert_eq!(asked(&[known, ("describe-stacks", "None")], failed).unwrap(), None);
    assert_eq!(asked(&[known], failed).unwrap(), None);
    assert!(asked(&[], failed).unwrap_err().to_string().contains("aws sso login"));
    assert!(asked(&[known], || Silent::Late).is_err());
}
