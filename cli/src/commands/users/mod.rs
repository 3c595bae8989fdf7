//! `dropscope users`: who gets whose mails.

use crate::args::{UserChange, Users};
use crate::failure::Failure;
use crate::text::{self, shown};
use dropscope_pipeline::subscribers::{Left, Mails, Step, Subscriber, adding, removing};
use topic::Topic;

#[cfg(feature = "aws")]
mod topic;
#[cfg(not(feature = "aws"))]
#[path = "no_topic.rs"]
mod topic;

pub(super) fn users(args: &Users) -> Result<(), Failure> {
    match &args.change {
        UserChange::Add { owner, address } | UserChange::Remove { owner, address } => check(owner, address)?,
        UserChange::List => {}
    }
    super::runtime()?.block_on(async {
        let topic = Topic::of_stack(&args.stack).await?;
        let all = topic.list().await?;
        match &args.change {
            UserChange::List => text::say(&if args.json { json(&all).to_string() } else { screen(&all) }),
            UserChange::Add { owner, address } => {
                let step = adding(found(&all, address), owner).map_err(|left| refused(left, address))?;
                topic.take(&step, address).await?;
                said(args, owner, address, added(&step))
            }
            UserChange::Remove { owner, address } => {
                let step = removing(found(&all, address), owner).map_err(|left| refused(left, address))?;
                topic.take(&step, address).await?;
                said(args, owner, address, "no longer gets these mails")
            }
        }
    })
}

/// A slip is told here: SNS takes any filter, and a mail to a wrong name never comes back.
fn check(owner: &str, address: &str) -> Result<(), Failure> {
    if owner.is_empty() || owner.contains('/') || owner.chars().any(char::is_control) {
        let remedy = "give the name of the first folder below recordings/, without slashes";
        return Err(Failure::input(format!("`{}` cannot be an owner", shown(owner)), remedy));
    }
    let whole = |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c.is_control() || c == '@');
    match address.split_once('@') {
        Some((name, host)) if whole(name) && whole(host) => Ok(()),
        _ => Err(Failure::input(format!("`{}` is no address of mail", shown(address)), "give one such as ana@example.org")),
    }
}

/// Hosts are the same in any letters, and SNS keeps what was typed.
fn found<'a>(all: &'a [Subscriber], address: &str) -> Option<&'a Subscriber> {
    all.iter().find(|one| one.address.eq_ignore_ascii_case(address))
}

fn added(step: &Step) -> &'static str {
    match step {
        Step::Subscribe(_) => "AWS has sent a link there: it must be clicked within two days, or no mail ever comes",
        Step::Refilter(..) => "gets these mails, too, from now on (in a quarter of an hour at the latest)",
        Step::End(_) | Step::Nothing => "gets these mails already",
    }
}

fn refused(left: Left, address: &str) -> Failure {
    let remedy = match left {
        Left::GetsAll => "leave it: the operator hears of everything; change the operator with `dropscope deploy --email`",
        Left::Foreign => "look at it by hand: SNS, Topics, the MailTopic, Subscriptions",
        Left::NotThere => "see `dropscope users list` for who gets whose mails",
        Left::Pending => "leave it: what nobody clicks ends by itself within days, and no mail goes there",
    };
    Failure::input(format!("{left}, `{}`", shown(address)), remedy)
}

fn said(args: &Users, owner: &str, address: &str, what: &str) -> Result<(), Failure> {
    if args.json {
        return text::say(&serde_json::json!({ "owner": owner, "address": address, "now": what }).to_string());
    }
    text::say(&format!("{}  {}: {what}", shown(owner), shown(address)))
}

/// Whose mails somebody gets, in a word.
fn whose(one: &Subscriber) -> String {
    match &one.mails {
        None => "(not confirmed)".to_owned(),
        Some(Mails::All) => "(all)".to_owned(),
        Some(Mails::Other) => "(a filter made by hand)".to_owned(),
        Some(Mails::Of(owners)) => owners.iter().map(|owner| shown(owner)).collect::<Vec<_>>().join(", "),
    }
}

fn screen(all: &[Subscriber]) -> String {
    if all.is_empty() {
        return "nobody gets mails: subscribe the operator with `dropscope deploy --email ADDRESS`".to_owned();
    }
    let mut lines: Vec<String> = all.iter().map(|one| format!("{:<40}  {}", shown(&one.address), whose(one))).collect();
    lines.sort();
    if all.iter().any(|one| one.arn.is_none()) {
        lines.push(
            "who is not confirmed gets nothing: click the link in the mail from AWS; `users add` sends it again".to_owned(),
        );
    }
    lines.join("\n")
}

fn json(all: &[Subscriber]) -> serde_json::Value {
    let one = |one: &Subscriber| {
        let owners = match &one.mails {
            Some(Mails::Of(owners)) => serde_json::json!(owners),
            _ => serde_json::Value::Null,
        };
        let all = one.mails == Some(Mails::All);
        serde_json::json!({ "address": one.address, "owners": owners, "all": all, "confirmed": one.arn.is_some() })
    };
    all.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(address: &str, policy: Option<&str>) -> Subscriber {
        Subscriber { address: address.into(), mails: Some(Mails::by_policy(policy)), arn: Some("arn:x".into()) }
    }

    #[test]
    fn slips_are_refused_before_anybody_is_asked() {
        for (owner, address) in [
            ("", "a@x"),
            ("a/b", "a@x"),
            ("a\nb", "a@x"),
            ("ana", "ana"),
            ("ana", "@x"),
            ("ana", "a@"),
            ("ana", "a b@x"),
            ("ana", "a@x@y"),
        ] {
            assert_eq!(check(owner, address).unwrap_err().code(), 2, "{owner} {address}");
        }
        assert!(check("ána b", "ana+fish@example.org").is_ok());
    }

    #[test]
    fn an_address_is_found_however_it_is_written() {
        let all = [one("Ana@Example.org", None)];
        assert!(found(&all, "ana@example.org").is_some() && found(&all, "bo@example.org").is_none());
    }

    #[test]
    fn who_gets_what_is_listed_and_who_waits_has_a_remedy() {
        let pending = Subscriber { address: "new@x".into(), mails: None, arn: None };
        let all = [one("lab@x", None), one("ana@x", Some(r#"{"owner":["bo","ana"]}"#)), pending];
        let shown = screen(&all);
        let mut lines = shown.lines().filter_map(|line| line.split_once("  ")).map(|(who, what)| (who, what.trim()));
        assert_eq!(lines.next(), Some(("ana@x", "ana, bo")));
        assert_eq!(lines.next(), Some(("lab@x", "(all)")));
        assert_eq!(lines.next(), Some(("new@x", "(not confirmed)")));
        assert!(shown.ends_with("sends it again") && !screen(&all[..2]).contains("again"));
        assert_eq!(json(&all)[2], serde_json::json!({"address": "new@x", "owners": null, "all": false, "confirmed": false}));
        assert_eq!(json(&all)[1]["owners"], serde_json::json!(["ana", "bo"]));
        assert!(screen(&[]).contains("nobody"));
    }
}
