//! Who may do what: the statements of every role, and a question to them.

use crate::pattern::wildcard;
use crate::stack::{Stack, many};
use serde_json::Value;

/// One statement that allows something.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    /// Logical id of the role, without `Role`.
    pub(crate) who: String,
    pub(crate) actions: Vec<String>,
    pub(crate) resources: Vec<String>,
    pub(crate) condition: Value,
}

/// Every statement of every role of the stack.
pub(crate) fn statements(stack: &Stack) -> Vec<Statement> {
    let mut all = Vec::new();
    for (id, role) in stack.of_type("AWS::IAM::Role") {
        assert!(role.get("ManagedPolicyArns").is_none(), "{id}: policies of AWS allow more than is needed");
        let documents = role["Policies"].as_array().unwrap().iter().map(|policy| &policy["PolicyDocument"]);
        for statement in documents.flat_map(|document| document["Statement"].as_array().unwrap()) {
            all.push(of_role(id.strip_suffix("Role").unwrap(), statement));
        }
    }
    all
}

/// One statement, of a role or of a policy for people.
pub(crate) fn of_role(who: &str, statement: &Value) -> Statement {
    assert_eq!(statement["Effect"], "Allow", "{who}");
    for inverted in ["NotAction", "NotResource"] {
        assert!(statement.get(inverted).is_none(), "{who}: {inverted} allows what nobody thought of");
    }
    Statement {
        who: who.to_owned(),
        actions: many(&statement["Action"]),
        resources: many(&statement["Resource"]),
        condition: statement["Condition"].clone(),
    }
}

/// Whether somebody may do this to that; conditions count as met.
pub(crate) fn may(all: &[Statement], who: &str, action: &str, resource: &str) -> bool {
    let about = |s: &&Statement| s.who == who && s.actions.iter().any(|allowed| allowed == action);
    all.iter().filter(about).any(|s| s.resources.iter().any(|pattern| wildcard(pattern, resource)))
}

/// Everybody who may do this to that, in the order of their names.
pub(crate) fn who_may<'a>(all: &'a [Statement], action: &str, resource: &str) -> Vec<&'a str> {
    let mut names: Vec<&str> = all.iter().map(|s| s.who.as_str()).filter(|who| may(all, who, action, resource)).collect();
    names.sort_unstable();
    names.dedup();
    names
}
