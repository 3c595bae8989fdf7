//! What an instance says of itself: tags, which it reads through its metadata.

use aws_sdk_ec2::types::{Instance as Described, InstanceStateName, ResourceType, Tag, TagSpecification};
use dropscope_pipeline::{RunId, Timestamp};
use dropscope_ports::{Instance, InstanceState, LaunchRequest};

/// Names this stack: nothing without this tag is ever listed or ended.
pub(crate) const STACK: &str = "dropscope:stack";
/// The run that an instance works on.
pub(crate) const RUN: &str = "dropscope:run";
/// The attempt that it is.
pub(crate) const ATTEMPT: &str = "dropscope:attempt";
/// Digest of the program that it runs.
const PROGRAM: &str = "dropscope:program";
/// Minutes after which it ends itself.
const LIFETIME: &str = "dropscope:lifetime";
/// Whose recording; for the bill, never read back.
const OWNER: &str = "dropscope:owner";
/// EC2 takes values of up to 256 characters.
const LONGEST: usize = 256;

/// The tags of a fleet and its instance, given as they are created: nothing is ever there without them.
pub(crate) fn specifications(stack: &str, program: &str, request: &LaunchRequest) -> [TagSpecification; 2] {
    let tags = [
        ("Name", format!("dropscope {}", request.run)),
        (STACK, stack.to_owned()),
        (RUN, request.run.to_string()),
        (ATTEMPT, request.attempt.to_string()),
        (PROGRAM, program.to_owned()),
        (LIFETIME, request.lifetime_seconds.div_ceil(60).to_string()),
        (OWNER, value(&request.owner)),
    ];
    [ResourceType::Instance, ResourceType::Fleet].map(|kind| {
        let tags = tags.iter().map(|(name, value)| Tag::builder().key(*name).value(value).build()).collect();
        TagSpecification::builder().resource_type(kind).set_tags(Some(tags)).build()
    })
}

/// A name that a user chose, as far as a tag can hold it.
fn value(owner: &str) -> String {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '+' | '-' | '=' | '.' | '_' | ':' | '/' | '@');
    owner.chars().map(|c| if fits(c) { c } else { '_' }).take(LONGEST).collect()
}

/// An instance of this stack; none when its tags name no run.
pub(crate) fn instance(described: &Described) -> Option<Instance> {
    let tag = |name: &str| described.tags().iter().find(|tag| tag.key() == Some(name)).and_then(Tag::value);
    Some(Instance {
        id: described.instance_id()?.to_owned(),
        run: tag(RUN)?.parse::<RunId>().ok()?,
        attempt: tag(ATTEMPT)?.parse().ok()?,
        instance_type: described.instance_type().map(|kind| kind.as_str().to_owned()).unwrap_or_default(),
        state: state(described),
        launched_at: Timestamp::from_millis(described.launch_time().and_then(|at| at.to_millis().ok()).unwrap_or(0)),
    })
}

/// One that is stopped works no more and still costs its volume, so somebody has to end it.
fn state(described: &Described) -> InstanceState {
    match described.state().and_then(|state| state.name()) {
        Some(InstanceStateName::ShuttingDown | InstanceStateName::Terminated) => InstanceState::Ended,
        Some(InstanceStateName::Stopping | InstanceStateName::Stopped) => InstanceState::Resting,
        _ => InstanceState::Alive,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_that_a_user_chose_reaches_a_tag_as_it_is() {
        assert_eq!(value("ána b"), "ána b");
        assert_eq!(value("$(curl evil)'\"; shutdown"), "__curl evil____ shutdown");
        assert_eq!(value(&"x".repeat(1000)).len(), LONGEST);
    }
}
