//! What EC2's error codes let a caller do (EC2 API reference, error codes).

use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ec2::types::CreateFleetError;
use dropscope_ports::{BoxError, FleetError};
use std::collections::BTreeMap;

/// Codes of a type that a zone does not have.
const UNSUPPORTED: [&str; 2] = ["InvalidFleetConfiguration", "Unsupported"];

/// What may be done about a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// No capacity at this price now: wait.
    NoCapacity,
    /// The account allows no more now: wait until something ends.
    Quota,
    /// Throttled or out of order: the same call again.
    Busy,
    /// The token has been used up: a new attempt.
    Spent,
    /// Repeating does not help.
    Never,
}

fn kind(code: &str) -> Kind {
    match code {
        "InsufficientInstanceCapacity"
        | "InsufficientCapacity"
        | "InsufficientFreeAddressesInSubnet"
        | "UnfulfillableCapacity"
        | "SpotMaxPriceTooLow" => Kind::NoCapacity,
        "MaxSpotInstanceCountExceeded" | "VcpuLimitExceeded" | "InstanceLimitExceeded" => Kind::Quota,
        "RequestLimitExceeded"
        | "Throttling"
        | "ThrottlingException"
        | "InternalError"
        | "InternalFailure"
        | "ServiceUnavailable"
        | "Unavailable"
        | "RequestExpired" => Kind::Busy,
        // Other parameters under the same token: something was started with it before this program was updated.
        "IdempotentInstanceTerminated" | "IdempotentParameterMismatch" => Kind::Spent,
        _ => Kind::Never,
    }
}

/// An error of a call as a whole.
pub(crate) fn sorted<E>(call: &'static str, token: &str, error: SdkError<E>) -> FleetError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let (code, message) = (error.code().unwrap_or_default(), error.message().unwrap_or_default());
    let words = if message.is_empty() { code.to_owned() } else { format!("{code}: {message}") };
    let answered = error.raw_response().map(|response| response.status().as_u16());
    let kind = match (kind(code), answered) {
        (Kind::Never, None | Some(429 | 500..=599)) if !matches!(error, SdkError::ConstructionFailure(_)) => Kind::Busy,
        (kind, _) => kind,
    };
    as_error(kind, call, token, words, Box::new(error))
}

/// A fleet that gave no instance: why each pool that was tried did not. At most three are; the others are all called
/// `UnfulfillableCapacity` and say nothing. A type that a zone does not have says nothing of the others either.
pub(crate) fn pools(call: &'static str, token: &str, errors: &[CreateFleetError]) -> FleetError {
    let mut reasons: BTreeMap<&str, &str> = BTreeMap::new();
    for error in errors {
        reasons.entry(error.error_code().unwrap_or_default()).or_insert(error.error_message().unwrap_or_default());
    }
    let tried = || reasons.keys().filter(|code| **code != "UnfulfillableCapacity");
    let kinds: Vec<Kind> = tried().map(|code| kind(code)).collect();
    let broken = tried().any(|code| kind(code) == Kind::Never && !UNSUPPORTED.contains(code));
    let kind = if kinds.contains(&Kind::Quota) {
        Kind::Quota
    } else if !kinds.is_empty() && kinds.iter().all(|kind| *kind == Kind::Never) && (broken || tried().count() == reasons.len()) {
        Kind::Never
    } else {
        kinds.into_iter().filter(|kind| *kind != Kind::Never).min().unwrap_or(Kind::NoCapacity)
    };
    let words: Vec<String> = reasons.iter().map(|(code, message)| format!("{code}: {message}")).collect();
    let words = if words.is_empty() { "the fleet gave no instance and no reason".to_owned() } else { words.join("; ") };
    as_error(kind, call, token, words.clone(), words.into())
}

fn as_error(kind: Kind, call: &'static str, token: &str, words: String, source: BoxError) -> FleetError {
    match kind {
        Kind::NoCapacity => FleetError::NoCapacity(words),
        Kind::Quota => FleetError::Quota(words),
        Kind::Busy => FleetError::Busy { call, source },
        Kind::Spent => FleetError::TokenSpent(token.to_owned()),
        Kind::Never => FleetError::Refused { call, source },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(codes: &[&str]) -> FleetError {
        let errors: Vec<_> = codes.iter().map(|code| CreateFleetError::builder().error_code(*code).build()).collect();
        pools("create_fleet", "t", &errors)
    }

    #[test]
    fn every_documented_code_has_its_kind() {
        for code in ["InsufficientInstanceCapacity", "UnfulfillableCapacity", "SpotMaxPriceTooLow"] {
            assert_eq!(kind(code), Kind::NoCapacity, "{code}");
        }
        for code in ["MaxSpotInstanceCountExceeded", "VcpuLimitExceeded", "InstanceLimitExceeded"] {
            assert_eq!(kind(code), Kind::Quota, "{code}");
        }
        for code in ["RequestLimitExceeded", "Throttling", "InternalError", "ServiceUnavailable"] {
            assert_eq!(kind(code), Kind::Busy, "{code}");
        }
        for code in ["InvalidParameterValue", "UnauthorizedOperation", "OptInRequired", "InvalidSubnetID.NotFound", "", "New"] {
            assert_eq!(kind(code), Kind::Never, "{code}");
        }
    }

    #[test]
    fn a_pool_that_may_come_back_outweighs_one_that_never_will() {
        assert!(matches!(failed(&["InvalidFleetConfiguration", "InsufficientInstanceCapacity"]), FleetError::NoCapacity(_)));
        assert!(matches!(failed(&["InsufficientInstanceCapacity", "MaxSpotInstanceCountExceeded"]), FleetError::Quota(_)));
        assert!(matches!(failed(&["InvalidFleetConfiguration", "InvalidFleetConfiguration"]), FleetError::Refused { .. }));
        assert!(matches!(failed(&["InvalidFleetConfiguration", "UnfulfillableCapacity"]), FleetError::NoCapacity(_)));
        assert!(matches!(failed(&[]), FleetError::NoCapacity(_)));
    }

    #[test]
    fn a_mistake_of_the_stack_does_not_hide_behind_pools_that_were_not_tried() {
        for codes in [["UnauthorizedOperation", "UnfulfillableCapacity"], ["InvalidAMIID.NotFound", "InvalidFleetConfiguration"]]
        {
            assert!(matches!(failed(&codes), FleetError::Refused { .. }), "{codes:?}");
        }
    }

    #[test]
    fn a_real_answer_without_an_instance_is_a_quota_with_every_reason() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/ec2-createfleet-instant-all-failed.json");
        let answer: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let codes: Vec<&str> =
            answer["Errors"].as_array().unwrap().iter().map(|error| error["ErrorCode"].as_str().unwrap()).collect();
        let FleetError::Quota(words) = failed(&codes) else { panic!("{codes:?}") };
        assert!(codes.iter().all(|code| words.contains(code)), "{words}");
    }
}
