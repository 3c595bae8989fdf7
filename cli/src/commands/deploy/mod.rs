//! `dropscope deploy`: the stack in one go, by the tool of AWS that reads its template.

mod built;

use crate::args::Deploy;
use crate::doctor;
use crate::failure::Failure;
use crate::text::{self, shown, shown_path};
use dropscope_pipeline::Usd;
use std::path::Path;
use std::process::{Command, Stdio};

/// What `sam` reads.
const TEMPLATE: &str = "template.yaml";

pub(super) fn deploy(args: &Deploy) -> Result<(), Failure> {
    let template = std::fs::read_to_string(args.source.join(TEMPLATE)).map_err(|error| {
        let cause = format!("{} holds no {TEMPLATE} that can be read, {error}", shown_path(&args.source));
        Failure::input(cause, "name the folder of dropscope's source with --source")
    })?;
    let parameters = parameters(args)?;
    match &args.programs {
        Some(folder) => {
            doctor::ready_to_deploy(&["sam"])?;
            built::assemble(&args.source, &template, folder)?;
        }
        None => {
            doctor::ready_to_deploy(&["sam", "cargo-lambda", "zig"])?;
            sam(&args.source, &["build"])?;
        }
    }
    let mut words = vec!["deploy", "--stack-name", &args.stack, "--no-fail-on-empty-changeset"];
    words.push(if args.yes { "--no-confirm-changeset" } else { "--confirm-changeset" });
    if !parameters.is_empty() {
        words.push("--parameter-overrides");
        words.extend(parameters.iter().map(String::as_str));
    }
    sam(&args.source, &words)?;
    finish(args)
}

/// Parameters of the template, each as `sam` takes it. Those that are not named stay as they were deployed.
fn parameters(args: &Deploy) -> Result<Vec<String>, Failure> {
    let mut said = Vec::new();
    if let Some(email) = &args.email {
        said.push(("OperatorEmail".to_owned(), email.clone()));
    }
    if let Some(cap) = &args.cap {
        let fits = Usd::parse(cap).is_some_and(|cap| cap >= Usd::from_micros(1_000_000));
        if !fits {
            return Err(Failure::input(format!("`{}` is no cap", shown(cap)), "give dollars, 1 or more, such as 20 or 19.50"));
        }
        said.push(("MonthlyCapUsd".to_owned(), cap.clone()));
    }
    for pair in &args.set {
        let named = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric());
        let Some((name, value)) = pair.split_once('=').filter(|(name, _)| named(name)) else {
            return Err(Failure::input(format!("`{}` is no parameter", shown(pair)), "give NAME=VALUE, as in MaxInstances=8"));
        };
        said.push((name.to_owned(), value.to_owned()));
    }
    for (name, value) in &said {
        // sam takes a value apart at white space and quotes; no parameter of the template needs any.
        if value.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '\'' | '\\')) {
            let cause = format!("`{}` cannot be the value of {name}", shown(value));
            return Err(Failure::input(cause, "give it without white space, quotes and backslashes"));
        }
    }
    Ok(said.into_iter().map(|(name, value)| format!("{name}={value}")).collect())
}

/// The name of the bucket, and what only a person can do.
fn finish(args: &Deploy) -> Result<(), Failure> {
    let told = Command::new("sam")
        .args(["list", "stack-outputs", "--stack-name", &args.stack, "--output", "json"])
        .current_dir(&args.source)
        .env("SAM_CLI_TELEMETRY", "0")
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| Failure::failed(&error, "`dropscope doctor` says what is missing"))?;
    let outputs: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap_or_default();
    let of = |name: &str| {
        let outputs = outputs.as_array().into_iter().flatten();
        let mut named = outputs.filter(|output| output["OutputKey"] == name);
        named.next().and_then(|output| output["OutputValue"].as_str()).map(shown)
    };
    let Some(bucket) = of("BucketName") else {
        let cause = format!("the stack `{}` is deployed, and does not say its bucket", shown(&args.stack));
        return Err(Failure::Failed {
            cause,
            remedy: format!("say `sam list stack-outputs --stack-name {}`", shown(&args.stack)),
        });
    };
    text::say(&format!("bucket        {bucket}"))?;
    if args.email.is_some() {
        text::say("mail          AWS has sent a link to the address: click it within two days, or no mail ever comes")?;
    }
    text::say(&format!("next          dropscope upload FILE --owner NAME --bucket {bucket}"))
}

fn sam(source: &Path, words: &[&str]) -> Result<(), Failure> {
    let status = Command::new("sam").args(words).current_dir(source).env("SAM_CLI_TELEMETRY", "0").status();
    let status = status.map_err(|error| Failure::failed(&error, "`dropscope doctor` says what is missing"))?;
    if status.success() {
        return Ok(());
    }
    let cause = format!("`sam {}` failed, {status}", words.first().unwrap_or(&""));
    Err(Failure::Failed { cause, remedy: "its reason stands above; docs/DEPLOY.md has the usual ones".into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(cap: Option<&str>, set: &[&str]) -> Deploy {
        Deploy {
            email: Some("lab@example.org".into()),
            cap: cap.map(str::to_owned),
            set: set.iter().map(|pair| (*pair).to_owned()).collect(),
            stack: "dropscope".into(),
            source: ".".into(),
            programs: None,
            yes: false,
        }
    }

    #[test]
    fn parameters_are_those_that_were_said() {
        let said = parameters(&args(Some("19.50"), &["MaxInstances=8", "ExistingBucket="])).unwrap();
        assert_eq!(said, ["OperatorEmail=lab@example.org", "MonthlyCapUsd=19.50", "MaxInstances=8", "ExistingBucket="]);
    }

    #[test]
    fn what_no_parameter_can_be_is_refused_before_anything_is_built() {
        for (cap, set) in
            [(Some("0.5"), ""), (Some("-1"), ""), (Some("many"), ""), (None, "Max Instances=8"), (None, "x"), (None, "A=b c")]
        {
            let set: Vec<&str> = Some(set).filter(|set| !set.is_empty()).into_iter().collect();
            assert!(parameters(&args(cap, &set)).is_err(), "{cap:?} {set:?}");
        }
    }

    #[test]
    fn every_parameter_that_has_an_option_is_one_of_the_template() {
        let template = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(TEMPLATE)).unwrap();
        for name in ["OperatorEmail", "MonthlyCapUsd"] {
            assert!(template.contains(&format!("\n  {name}:\n    Type: ")), "{name}");
        }
    }
}
