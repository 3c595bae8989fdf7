//! A deployed stack and its account, as the `aws` command tells of them.

use super::program::{Silent, ask_within, find};
use super::report::Finding;
#[cfg(feature = "aws")]
use crate::failure::Failure;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// AWS answers within seconds, or the network does not reach it.
const LONGEST: Duration = Duration::from_secs(20);
/// "All Standard (A, C, D, H, I, M, R, T, Z) Spot Instance Requests", vCPUs.
const SPOT_QUOTA: &str = "L-34B43A08";
/// The smallest machine that launch asks for, vCPUs; one for a recording of some gigabytes.
const LEAST_CPUS: f64 = 2.0;
const GOOD_CPUS: f64 = 16.0;
/// Functions at a time; below this a folder of uploads is throttled.
const GOOD_CONCURRENCY: f64 = 100.0;

/// Asks AWS: arguments in, one line out.
type Ask<'a> = dyn Fn(&[&str]) -> Result<String, Silent> + Sync + 'a;

/// Every check of a stack and its account.
pub(super) fn all(stack: &str, stop: &AtomicBool) -> Vec<(String, Finding)> {
    let Some(aws) = find("aws", std::env::var_os("PATH").as_deref()) else {
        let remedy = "install it, as `pip install awscli` does";
        return vec![("aws".into(), Finding::missing("nothing", "there is no `aws` in the folders of PATH", remedy))];
    };
    by(stack, &|words| told(&aws, words, stop))
}

fn told(aws: &Path, words: &[&str], stop: &AtomicBool) -> Result<String, Silent> {
    ask_within(aws, &[words, &["--output", "text"]].concat(), stop, LONGEST)
}

/// The same, whoever answers.
fn by(stack: &str, ask: &Ask<'_>) -> Vec<(String, Finding)> {
    let account = account(ask(&["sts", "get-caller-identity", "--query", "Account"]));
    if account.is_hindrance() {
        return vec![("account".into(), account)];
    }
    let of_stack = |query: &str| ask(&["cloudformation", "describe-stacks", "--stack-name", stack, "--query", query]);
    let output = |name: &str| of_stack(&format!("Stacks[0].Outputs[?OutputKey=='{name}'].OutputValue | [0]"));
    let (state, bucket, topic) = (of_stack("Stacks[0].StackStatus"), output("BucketName"), output("MailTopicArn"));
    let mut checks = vec![("account".to_owned(), account), ("stack".to_owned(), deployed(stack, state))];
    std::thread::scope(|scope| {
        let quota = scope.spawn(|| {
            let call = ["service-quotas", "get-service-quota", "--service-code", "ec2", "--quota-code", SPOT_QUOTA];
            spot_quota(ask(&[&call[..], &["--query", "Quota.Value"]].concat()))
        });
        let concurrency =
            scope.spawn(|| concurrency(ask(&["lambda", "get-account-settings", "--query", "AccountLimit.ConcurrentExecutions"])));
        let role = scope.spawn(|| {
            spot_role(ask(&["iam", "get-role", "--role-name", "AWSServiceRoleForEC2Spot", "--query", "Role.RoleName"]))
        });
        let of_bucket = bucket
            .ok()
            .filter(|name| !matches!(name.as_str(), "None" | ""))
            .map(|name| scope.spawn(move || bucket_checks(&name, ask)));
        let mail = topic.ok().filter(|arn| arn.starts_with("arn:")).map(|arn| {
            scope.spawn(move || {
                let query = "Subscriptions[].SubscriptionArn";
                subscriptions(ask(&["sns", "list-subscriptions-by-topic", "--topic-arn", &arn, "--query", query]))
            })
        });
        // A check that panicked would be a mistake here; the others stand.
        checks.extend(of_bucket.and_then(|asked| asked.join().ok()).into_iter().flatten());
        checks.extend(mail.and_then(|asked| asked.join().ok()).map(|found| ("mail".to_owned(), found)));
        for (name, asked) in [("spot quota", quota), ("functions", concurrency), ("spot role", role)] {
            checks.extend(asked.join().ok().map(|found| (name.to_owned(), found)));
        }
    });
    checks
}

/// What a deployed stack says of itself under this name; none when there is no such stack, or it says nothing.
///
/// # Errors
/// When there is no `aws` to ask with, or AWS does not know who asks.
#[cfg(feature = "aws")]
pub(crate) fn output(stack: &str, name: &str) -> Result<Option<String>, Failure> {
    let Some(aws) = find("aws", std::env::var_os("PATH").as_deref()) else {
        return Err(Failure::input("there is no `aws` in the folders of PATH", "install it, as `pip install awscli` does"));
    };
    output_by(stack, name, &|words| told(&aws, words, &AtomicBool::new(false)))
}

#[cfg(feature = "aws")]
fn output_by(stack: &str, name: &str, ask: &Ask<'_>) -> Result<Option<String>, Failure> {
    let query = format!("Stacks[0].Outputs[?OutputKey=='{name}'].OutputValue | [0]");
    let why = match ask(&["cloudformation", "describe-stacks", "--stack-name", stack, "--query", &query]) {
        Ok(told) => return Ok(Some(told).filter(|told| !matches!(told.as_str(), "None" | ""))),
        Err(why) => why,
    };
    // A stack that is not there fails like credentials that have ended.
    match (account(ask(&["sts", "get-caller-identity", "--query", "Account"])), why) {
        (known, Silent::Failed(_)) if !known.is_hindrance() => Ok(None),
        (_, why) => {
            let remedy = "say `aws sts get-caller-identity` to see why; `aws configure` or `aws sso login` usually helps";
            Err(Failure::failed(&why, remedy))
        }
    }
}

fn account(answer: Result<String, Silent>) -> Finding {
    match answer {
        Ok(account) => Finding::fine(account),
        Err(why) => Finding::missing(
            "no answer",
            format!("AWS does not know who is asking: {why}"),
            "say `aws sts get-caller-identity` to see why; `aws configure` or `aws sso login` usually helps",
        ),
    }
}

fn deployed(stack: &str, answer: Result<String, Silent>) -> Finding {
    match answer {
        Ok(state) if matches!(state.as_str(), "CREATE_COMPLETE" | "UPDATE_COMPLETE") => Finding::fine(state),
        Ok(state) if state.ends_with("IN_PROGRESS") => {
            Finding::warning(state.clone(), format!("the stack is {state}"), "wait until it is done, and look again")
        }
        Ok(state) => Finding::missing(
            state.clone(),
            format!("the stack is {state}"),
            "deploy it again; docs/DEPLOY.md says what helps when that fails",
        ),
        Err(_) => Finding::missing(
            "nothing",
            format!("there is no stack `{stack}` in this account and region that you may see"),
            "say `dropscope deploy`, or name another region with AWS_REGION",
        ),
    }
}

/// What CloudFormation sets for a bucket of its own, and cannot for one that was there before.
fn bucket_checks(bucket: &str, ask: &Ask<'_>) -> Vec<(String, Finding)> {
    let of = |call: &str, query: &str| ask(&["s3api", call, "--bucket", bucket, "--query", query]);
    let public = "PublicAccessBlockConfiguration.[BlockPublicAcls,BlockPublicPolicy,IgnorePublicAcls,RestrictPublicBuckets]";
    let encryption = "ServerSideEncryptionConfiguration.Rules[0].ApplyServerSideEncryptionByDefault.SSEAlgorithm";
    let checks = [
        ("events", events(of("get-bucket-notification-configuration", "EventBridgeConfiguration != null"))),
        ("public", closed(of("get-public-access-block", public))),
        ("encryption", encrypted(of("get-bucket-encryption", encryption))),
        ("versions", versions(of("get-bucket-versioning", "Status"))),
    ];
    checks.map(|(name, finding)| (name.to_owned(), finding)).into()
}

fn events(answer: Result<String, Silent>) -> Finding {
    match answer.as_deref() {
        Ok("True") => Finding::fine("uploads are told to EventBridge"),
        Err(why) => unknown("whether the bucket tells EventBridge of uploads", why),
        Ok(_) => Finding::missing(
            "off",
            "the bucket does not tell EventBridge of uploads, so no run ever begins",
            "switch it on: S3, the bucket, Properties, Event notifications, Amazon EventBridge",
        ),
    }
}

fn closed(answer: Result<String, Silent>) -> Finding {
    match answer {
        Ok(four) if four.split_whitespace().count() == 4 && four.split_whitespace().all(|one| one == "True") => {
            Finding::fine("nobody outside reads the bucket")
        }
        Err(why @ (Silent::Late | Silent::Start(_))) => unknown("whether public access is blocked", &why),
        // The call fails, too, where nothing was ever blocked.
        Ok(_) | Err(Silent::Failed(_)) => Finding::warning(
            "open",
            "public access to the bucket is not blocked in every way",
            "block it: S3, the bucket, Permissions, Block public access",
        ),
    }
}

fn encrypted(answer: Result<String, Silent>) -> Finding {
    match answer.as_deref() {
        // S3 does so by itself since 2023, whatever the bucket says.
        Ok("AES256" | "None") => Finding::fine("by S3's own key"),
        Ok(other) => Finding::missing(
            other.to_owned(),
            format!("the bucket encrypts with `{other}`, a key that the stack's roles may not use"),
            "let S3 encrypt it with its own key (SSE-S3): S3, the bucket, Properties, Default encryption",
        ),
        Err(why) => unknown("how the bucket is encrypted", why),
    }
}

fn versions(answer: Result<String, Silent>) -> Finding {
    match answer.as_deref() {
        Ok("Enabled") => Finding::fine("kept"),
        Err(why) => unknown("whether versions are kept", why),
        Ok(_) => Finding::warning(
            "off",
            "the bucket keeps no versions: a recording that is written over is gone",
            "switch them on: S3, the bucket, Properties, Bucket Versioning",
        ),
    }
}

fn subscriptions(answer: Result<String, Silent>) -> Finding {
    let answer = match &answer {
        Ok(answer) => answer,
        Err(why) => return unknown("who gets mails", why),
    };
    let all: Vec<&str> = answer.split_whitespace().filter(|arn| *arn != "None").collect();
    let pending = all.iter().filter(|arn| !arn.starts_with("arn:")).count();
    let remedy = "click the link in the mail from AWS, or subscribe again: SNS, Topics, the MailTopic, Create subscription";
    match (all.len() - pending, pending) {
        (0, 0) => Finding::missing("nobody", "nobody gets mails: the topic has no subscription", remedy),
        (0, n) => Finding::missing("pending", format!("{n} asked for mails and nobody has confirmed"), remedy),
        (n, 0) => Finding::fine(format!("{n} subscribed")),
        (n, waiting) => {
            Finding::warning(format!("{n} subscribed"), format!("{waiting} more asked for mails and did not confirm"), remedy)
        }
    }
}

fn spot_quota(answer: Result<String, Silent>) -> Finding {
    let remedy = "ask for 32: Service Quotas, Amazon EC2, All Standard Spot Instance Requests";
    match answer.as_deref().map(|value| (value, value.parse::<f64>())) {
        Ok((value, Ok(cpus))) if cpus < LEAST_CPUS => {
            Finding::missing(value, format!("the account may have {value} vCPUs of spot instances: none starts"), remedy)
        }
        Ok((value, Ok(cpus))) if cpus < GOOD_CPUS => {
            Finding::warning(value, format!("the account may have {value} vCPUs of spot instances at a time"), remedy)
        }
        Ok((value, Ok(_))) => Finding::fine(format!("{value} vCPUs")),
        Ok((value, Err(_))) => Finding::warning("unknown", format!("the quota of spot instances is `{value}`"), remedy),
        Err(why) => unknown("the quota of spot instances", why),
    }
}

fn concurrency(answer: Result<String, Silent>) -> Finding {
    let remedy = "ask for 1000: Service Quotas, AWS Lambda, Concurrent executions";
    match answer.as_deref().map(|value| (value, value.parse::<f64>())) {
        Ok((value, Ok(most))) if most < GOOD_CONCURRENCY => {
            Finding::warning(value, format!("{value} functions may run at a time: many uploads at once take longer"), remedy)
        }
        Ok((value, _)) => Finding::fine(format!("{value} at a time")),
        Err(why) => unknown("how many functions may run at a time", why),
    }
}

fn spot_role(answer: Result<String, Silent>) -> Finding {
    match answer {
        Ok(_) => Finding::fine("there"),
        Err(_) => Finding::warning(
            "nothing",
            "the account has never had a spot instance",
            "nothing to do: the first launch makes the role, and may fail once",
        ),
    }
}

fn unknown(what: &str, why: &Silent) -> Finding {
    Finding::warning("unknown", format!("AWS does not tell {what}: {why}"), "look with the operator's credentials")
}

#[cfg(test)]
#[path = "stack_tests.rs"]
mod tests;
