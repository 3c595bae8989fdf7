//! Whether credentials and a region of AWS can be found, where its tools look for them. Values of credentials are never
//! kept: only which names are set.

use super::report::Finding;
use crate::text::shown;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Variables whose being set matters.
const NAMES: [&str; 8] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
];
/// Names in a profile that lead to credentials without a key of its own (AWS SDKs and Tools Reference Guide, settings).
const LEADS: [&str; 5] = ["sso_session", "sso_start_url", "role_arn", "credential_process", "web_identity_token_file"];

/// What this machine knows of an account.
#[derive(Debug, Default)]
pub(super) struct Account {
    /// Variables of [`NAMES`] that are set.
    variables: BTreeSet<&'static str>,
    /// The profile that is asked for.
    profile: String,
    /// The region that the environment names.
    region: Option<String>,
    /// Names that the profile sets in the credentials file, and in the configuration file.
    credentials: BTreeSet<String>,
    config: BTreeSet<String>,
    /// The region of the profile.
    profile_region: Option<String>,
}

impl Account {
    /// Looks at the environment and the two files.
    pub(super) fn of_this_machine() -> Self {
        Self::of(&|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
    }

    fn of(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let profile = variable("AWS_PROFILE").or_else(|| variable("AWS_DEFAULT_PROFILE")).unwrap_or_else(|| "default".into());
        let file = |override_name: &str, name: &str| -> String {
            let named = variable(override_name).map(PathBuf::from);
            let path = named.or_else(|| variable("HOME").map(|home| Path::new(&home).join(".aws").join(name)));
            path.and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default()
        };
        let (credentials, region) = of_profile(&file("AWS_SHARED_CREDENTIALS_FILE", "credentials"), &profile);
        let (config, other) = of_profile(&file("AWS_CONFIG_FILE", "config"), &profile);
        Self {
            variables: NAMES.into_iter().filter(|name| variable(name).is_some()).collect(),
            region: variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION")),
            credentials,
            config,
            profile_region: other.or(region),
            profile,
        }
    }
}

/// The names that a profile sets in a file of AWS, and its region, the one value that is no secret.
fn of_profile(text: &str, profile: &str) -> (BTreeSet<String>, Option<String>) {
    let (mut names, mut region, mut within) = (BTreeSet::new(), None, false);
    for line in text.lines().filter(|line| !line.trim_start().starts_with(['#', ';'])) {
        if let Some(section) = line.trim().strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            let section = section.trim();
            within = section.strip_prefix("profile ").unwrap_or(section).trim() == profile;
        } else if let (true, Some((name, value))) = (within && !line.starts_with(char::is_whitespace), line.split_once('=')) {
            let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
            if name == "region" && !value.is_empty() {
                region = Some(value.to_owned());
            }
            if !value.is_empty() {
                names.insert(name);
            }
        }
    }
    (names, region)
}

/// Whether credentials can be found, and where.
pub(super) fn credentials(account: &Account) -> Finding {
    let set = |name: &str| account.variables.contains(name);
    let remedy = "say `aws configure` or `aws configure sso`, or set AWS_PROFILE";
    let asked = set("AWS_PROFILE") || set("AWS_DEFAULT_PROFILE");
    match (set("AWS_ACCESS_KEY_ID"), set("AWS_SECRET_ACCESS_KEY")) {
        (true, true) => return Finding::fine("in the environment"),
        (false, false) => {}
        (id, _) => {
            let (is, not) =
                if id { ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY") } else { ("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID") };
            return Finding::warning("half", format!("{is} is set and {not} is not"), "set both, or none");
        }
    }
    if let Some(finding) = of_files(account) {
        return finding;
    }
    if set("AWS_WEB_IDENTITY_TOKEN_FILE") && set("AWS_ROLE_ARN") {
        return Finding::fine("a role, by a web identity");
    }
    if set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") || set("AWS_CONTAINER_CREDENTIALS_FULL_URI") {
        return Finding::fine("a role, by the container");
    }
    let cause = if asked {
        format!("the profile `{}` that the environment names has no credentials in the files of AWS", shown(&account.profile))
    } else {
        "there are no credentials of AWS in the environment or in ~/.aws".to_owned()
    };
    Finding::warning("nothing", cause, remedy)
}

fn of_files(account: &Account) -> Option<Finding> {
    let profile = shown(&account.profile);
    for (names, file) in [(&account.credentials, "credentials"), (&account.config, "config")] {
        if names.contains("aws_access_key_id") && names.contains("aws_secret_access_key") {
            return Some(Finding::fine(format!("the profile `{profile}` in the {file} file")));
        }
        if let Some(lead) = LEADS.iter().find(|lead| names.contains(**lead)) {
            return Some(Finding::fine(format!("the profile `{profile}` in the {file} file, by {lead}")));
        }
    }
    None
}

/// Whether a region can be found, and which.
pub(super) fn region(account: &Account) -> Finding {
    if let Some(region) = &account.region {
        return Finding::fine(format!("{region}, from the environment"));
    }
    match &account.profile_region {
        Some(region) => Finding::fine(format!("{region}, from the profile `{}`", account.profile)),
        None => Finding::warning(
            "nothing",
            "no region of AWS is named in the environment or in ~/.aws",
            "say `aws configure set region eu-central-1`, or set AWS_REGION, with the region of your lab",
        ),
    }
}

#[cfg(test)]
#[path = "account_tests.rs"]
mod tests;
