//! Who gets which mails: subscriptions of one topic, each with a filter policy on the attribute `owner`.
//!
//! SNS keeps one subscription for an address, so somebody with two owners has one policy that names both (SNS developer guide,
//! sns-subscription-filter-policies: exact strings, any of a list).

use std::collections::BTreeSet;

/// Whose mails somebody gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mails {
    /// Everybody's, and alarms: the operator.
    All,
    /// Those of these owners.
    Of(BTreeSet<String>),
    /// By a policy that is not one of ours.
    Other,
}

impl Mails {
    /// What a filter policy lets through; none lets everything through.
    pub fn by_policy(policy: Option<&str>) -> Self {
        let Some(text) = policy.filter(|text| !matches!(text.trim(), "" | "{}")) else { return Self::All };
        let owners = serde_json::from_str(text).ok().and_then(|policy: serde_json::Value| {
            let fields = policy.as_object().filter(|fields| fields.len() == 1)?;
            let owners = fields.get("owner")?.as_array()?.iter().map(|owner| owner.as_str().map(str::to_owned));
            owners.collect::<Option<BTreeSet<String>>>()
        });
        owners.map_or(Self::Other, Self::Of)
    }
}

/// The filter policy that lets the mails of these owners through.
pub fn policy(owners: &BTreeSet<String>) -> String {
    serde_json::json!({ "owner": owners }).to_string()
}

/// One subscription by mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscriber {
    /// Who gets the mails.
    pub address: String,
    /// Whose mails; not known before it is confirmed.
    pub mails: Option<Mails>,
    /// Its name at SNS; none before it is confirmed.
    pub arn: Option<String>,
}

/// What has to be done at SNS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Subscribe the address with this policy: AWS sends it a link that must be clicked.
    Subscribe(String),
    /// Give the subscription of this name another policy.
    Refilter(String, String),
    /// End the subscription of this name.
    End(String),
    /// It is so already.
    Nothing,
}

/// Why a subscription is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Left {
    /// Everybody's mails hold those of the owner, and to end them would leave nobody who hears of alarms.
    #[error("the address gets all mails")]
    GetsAll,
    /// Somebody made it by hand.
    #[error("the address has a filter that dropscope did not make")]
    Foreign,
    /// There is nothing to end.
    #[error("the address does not get the mails of this owner")]
    NotThere,
    /// SNS tells nothing of it, and ends it by itself.
    #[error("the address has not confirmed yet")]
    Pending,
}

/// How an address comes to get the mails of an owner.
///
/// # Errors
/// [`Left::GetsAll`], [`Left::Foreign`].
pub fn adding(there: Option<&Subscriber>, owner: &str) -> Result<Step, Left> {
    let alone = BTreeSet::from([owner.to_owned()]);
    let Some((arn, mails)) = there.and_then(Subscriber::confirmed) else { return Ok(Step::Subscribe(policy(&alone))) };
    match mails {
        Mails::All => Err(Left::GetsAll),
        Mails::Other => Err(Left::Foreign),
        Mails::Of(owners) if owners.contains(owner) => Ok(Step::Nothing),
        Mails::Of(owners) => Ok(Step::Refilter(arn.to_owned(), policy(&(owners | &alone)))),
    }
}

/// How an address ceases to get the mails of an owner; those of others it keeps.
///
/// # Errors
/// See [`Left`].
pub fn removing(there: Option<&Subscriber>, owner: &str) -> Result<Step, Left> {
    let there = there.ok_or(Left::NotThere)?;
    let (arn, mails) = there.confirmed().ok_or(Left::Pending)?;
    match mails {
        Mails::All => Err(Left::GetsAll),
        Mails::Other => Err(Left::Foreign),
        Mails::Of(owners) if !owners.contains(owner) => Err(Left::NotThere),
        Mails::Of(owners) if owners.len() == 1 => Ok(Step::End(arn.to_owned())),
        Mails::Of(owners) => Ok(Step::Refilter(arn.to_owned(), policy(&(owners - &BTreeSet::from([owner.to_owned()]))))),
    }
}

impl Subscriber {
    fn confirmed(&self) -> Option<(&str, &Mails)> {
        self.arn.as_deref().zip(self.mails.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one(policy: Option<&str>) -> Subscriber {
        Subscriber { address: "a@x".into(), mails: Some(Mails::by_policy(policy)), arn: Some("arn".into()) }
    }

    fn after(step: Step) -> Option<Subscriber> {
        match step {
            Step::Subscribe(policy) | Step::Refilter(_, policy) => Some(one(Some(&policy))),
            Step::End(_) | Step::Nothing => None,
        }
    }

    #[test]
    fn a_policy_of_ours_is_read_and_any_other_is_left_alone() {
        let of = |owners: &[&str]| Mails::Of(owners.iter().map(|owner| (*owner).to_owned()).collect());
        for (text, mails) in [
            (None, Mails::All),
            (Some(""), Mails::All),
            (Some("{}"), Mails::All),
            (Some(r#"{"owner":["ana"]}"#), of(&["ana"])),
            (Some(r#"{"owner": ["bo", "ana"]}"#), of(&["ana", "bo"])),
            (Some(r#"{"owner":[{"prefix":"a"}]}"#), Mails::Other),
            (Some(r#"{"owner":["ana"],"kind":["done"]}"#), Mails::Other),
            (Some(r#"{"kind":["done"]}"#), Mails::Other),
            (Some("no json"), Mails::Other),
        ] {
            assert_eq!(Mails::by_policy(text), mails, "{text:?}");
        }
    }

    #[test]
    fn the_operator_and_what_somebody_made_by_hand_are_left_alone() {
        let kind = r#"{"kind":["done"]}"#;
        for (policy, why) in [(None, Left::GetsAll), (Some(kind), Left::Foreign)] {
            assert_eq!(adding(Some(&one(policy)), "ana"), Err(why));
            assert_eq!(removing(Some(&one(policy)), "ana"), Err(why));
        }
    }

    #[test]
    fn who_has_not_confirmed_is_asked_again_and_cannot_be_ended() {
        let pending = Subscriber { address: "a@x".into(), mails: None, arn: None };
        assert_eq!(adding(Some(&pending), "ana"), adding(None, "ana"));
        assert_eq!(removing(Some(&pending), "ana"), Err(Left::Pending));
        assert_eq!(removing(None, "ana"), Err(Left::NotThere));
    }

    proptest! {
        #[test]
        fn added_owners_are_got_until_they_are_removed_one_by_one(owners in prop::collection::btree_set("\\PC{1,20}", 1..5)) {
            let mut there: Option<Subscriber> = None;
            for owner in &owners {
                there = after(adding(there.as_ref(), owner).unwrap());
                prop_assert_eq!(adding(there.as_ref(), owner), Ok(Step::Nothing));
            }
            prop_assert_eq!(&there.as_ref().unwrap().mails, &Some(Mails::Of(owners.clone())));
            for (n, owner) in owners.iter().enumerate() {
                let step = removing(there.as_ref(), owner).unwrap();
                prop_assert_eq!(matches!(step, Step::End(_)), n + 1 == owners.len());
                there = after(step);
                prop_assert_eq!(removing(there.as_ref(), owner), Err(Left::NotThere));
            }
        }
    }
}
