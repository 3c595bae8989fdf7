use super::super::report::Status::{Ok as Fine, Warning};
use super::*;
use std::collections::HashMap;

/// Made up, and never to be seen in a report.
const SECRET: &str = "made-up-value-that-no-report-may-hold";

fn account(variables: &[(&str, &str)], files: &[(&str, &str)]) -> (tempfile::TempDir, Account) {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".aws")).unwrap();
    for (name, text) in files {
        std::fs::write(home.path().join(".aws").join(name), text).unwrap();
    }
    let mut all: HashMap<&str, String> = variables.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    all.insert("HOME", home.path().to_str().unwrap().to_owned());
    let account = Account::of(&|name| all.get(name).cloned());
    (home, account)
}

#[test]
fn credentials_are_found_where_the_tools_of_aws_look() {
    let keys = format!("[lab]\naws_access_key_id = {SECRET}\naws_secret_access_key={SECRET}\n");
    let default = keys.replace("lab", "default");
    let profile = keys.replace("lab", "profile lab");
    let sso = "[profile lab]\nsso_session = uni\nregion = eu-north-1\n[sso-session uni]\nsso_region = eu-west-1\n";
    let both = [("AWS_ACCESS_KEY_ID", SECRET), ("AWS_SECRET_ACCESS_KEY", SECRET)];
    let lab = [("AWS_PROFILE", "lab")];
    for (variables, files, status) in [
        (&both[..], &[][..], Fine),
        (&[], &[("credentials", default.as_str())], Fine),
        (&lab, &[("credentials", &keys)], Fine),
        (&lab, &[("config", &profile)], Fine),
        (&lab, &[("config", sso)], Fine),
        (&[("AWS_WEB_IDENTITY_TOKEN_FILE", "x"), ("AWS_ROLE_ARN", "x")], &[], Fine),
        (&[], &[], Warning),
        (&both[..1], &[], Warning),
        (&both[1..], &[], Warning),
        (&lab, &[("credentials", &default)], Warning),
        (&[], &[("credentials", &keys)], Warning),
        (&[], &[("credentials", "[default]\naws_access_key_id = \n# aws_secret_access_key = x\n")], Warning),
    ] {
        let (_home, account) = account(variables, files);
        let finding = credentials(&account);
        assert_eq!(finding.status, status, "{files:?}: {finding:?}");
    }
}

#[test]
fn no_secret_is_kept_or_told() {
    let keys = format!("[default]\naws_access_key_id = {SECRET}\naws_secret_access_key={SECRET}\naws_session_token = {SECRET}\n");
    let (_home, account) = account(&[("AWS_ACCESS_KEY_ID", SECRET)], &[("credentials", &keys), ("config", &keys)]);
    let told = format!("{account:?} {:?} {:?}", credentials(&account), region(&account));
    assert!(!told.contains(SECRET), "{told}");
}

#[test]
fn the_environment_names_the_region_before_the_profile() {
    let config = "[default]\nregion = eu-north-1\noutput = json\ns3 =\n  region = nested\n[profile lab]\nregion = us-east-2\n";
    for (variables, found) in [
        (&[][..], "eu-north-1, from the profile `default`"),
        (&[("AWS_PROFILE", "lab")], "us-east-2, from the profile `lab`"),
        (&[("AWS_DEFAULT_REGION", "ap-south-1")], "ap-south-1, from the environment"),
        (&[("AWS_REGION", "eu-west-3"), ("AWS_DEFAULT_REGION", "ap-south-1")], "eu-west-3, from the environment"),
    ] {
        let (_home, account) = account(variables, &[("config", config)]);
        assert_eq!(region(&account), Finding::fine(found));
    }
    assert_eq!(region(&Account::default()).status, Warning);
}
