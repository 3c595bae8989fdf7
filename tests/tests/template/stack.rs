//! `template.yaml` as CloudFormation would make it: expanded by SAM's translator, conditions decided, references
//! resolved to names. A reference to a resource is its logical id, an attribute is `Id.Attribute`.

use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// The deployment that the payloads in events/ speak of.
pub(crate) const ACCOUNT: &str = "111122223333";
pub(crate) const BUCKET: &str = "calcium-uploads-111122223333";
pub(crate) const ALERT_TOPIC: &str = "arn:aws:sns:eu-central-1:111122223333:calcium-budget-alerts";
const REGION: &str = "eu-central-1";
pub(crate) const STACK: &str = "calcium";

pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The expanded template, and the folder of every function.
fn expanded() -> &'static Value {
    static EXPANDED: OnceLock<Value> = OnceLock::new();
    EXPANDED.get_or_init(|| {
        let python = dropscope_testkit::python_with(&["aws-sam-translator==1.115.0", "pyyaml==6.*"]).unwrap();
        let script = root().join("tests/python/expand_template.py");
        let output = Command::new(python).arg(script).arg(root().join("template.yaml")).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    })
}

/// Resources by logical id, with nothing left to resolve.
pub(crate) struct Stack {
    pub(crate) resources: BTreeMap<String, Value>,
    parameters: BTreeMap<String, String>,
    conditions: BTreeMap<String, bool>,
}

impl Stack {
    /// The stack that a person gets who answers no question but the first.
    pub(crate) fn usual() -> Self {
        Self::with(&[])
    }

    /// The stack with these parameters.
    pub(crate) fn with(given: &[(&str, &str)]) -> Self {
        let template = &expanded()["template"];
        let mut stack = Self { resources: BTreeMap::new(), parameters: parameters(template, given), conditions: BTreeMap::new() };
        for (name, condition) in template["Conditions"].as_object().unwrap() {
            let holds = stack.resolve(condition) == Some(json!(true));
            stack.conditions.insert(name.clone(), holds);
        }
        for (id, resource) in template["Resources"].as_object().unwrap() {
            if resource.get("Condition").is_none_or(|name| stack.conditions[name.as_str().unwrap()]) {
                stack.resources.insert(id.clone(), stack.resolve(resource).unwrap());
            }
        }
        stack
    }

    /// Names of the parameters.
    pub(crate) fn parameters(&self) -> BTreeSet<&str> {
        self.parameters.keys().map(String::as_str).collect()
    }

    /// Properties of a resource.
    pub(crate) fn properties(&self, id: &str) -> &Value {
        &self.resources.get(id).unwrap_or_else(|| panic!("no resource `{id}`"))["Properties"]
    }

    /// Resources of a type, with their properties.
    pub(crate) fn of_type<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let of_kind = self.resources.iter().filter(move |(_, resource)| resource["Type"] == kind);
        of_kind.map(|(id, resource)| (id.as_str(), &resource["Properties"]))
    }

    fn resolve(&self, value: &Value) -> Option<Value> {
        match value {
            Value::Array(items) => Some(items.iter().filter_map(|item| self.resolve(item)).collect()),
            Value::Object(fields) => match fields.iter().next() {
                Some((name, argument)) if fields.len() == 1 && is_intrinsic(name) => self.call(name, argument),
                _ => Some(Value::Object(self.fields(fields))),
            },
            other => Some(other.clone()),
        }
    }

    fn fields(&self, fields: &Map<String, Value>) -> Map<String, Value> {
        fields.iter().filter_map(|(name, value)| Some((name.clone(), self.resolve(value)?))).collect()
    }

    /// None is `AWS::NoValue`.
    fn call(&self, name: &str, argument: &Value) -> Option<Value> {
        let argument = if name == "Fn::If" { argument.clone() } else { self.resolve(argument)? };
        let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{name}: {argument}")).to_owned();
        match name {
            "Ref" if argument == "AWS::NoValue" => None,
            "Ref" => Some(json!(self.named(&text(&argument)))),
            "Condition" => Some(json!(self.conditions[&text(&argument)])),
            "Fn::GetAtt" => Some(json!(self.named(&format!("{}.{}", text(&argument[0]), text(&argument[1]))))),
            "Fn::If" => self.resolve(&argument[if self.conditions[&text(&argument[0])] { 1 } else { 2 }]),
            "Fn::Equals" => Some(json!(plain(&argument[0]) == plain(&argument[1]))),
            "Fn::Not" => Some(json!(argument[0] != true)),
            "Fn::Join" => Some(json!(joined(&argument))),
            "Fn::Base64" => Some(argument),
            "Fn::GetAZs" => Some(json!(["a", "b", "c"].map(|zone| format!("{REGION}{zone}")))),
            "Fn::Select" => Some(argument[1][plain(&argument[0]).parse::<usize>().unwrap()].clone()),
            "Fn::Sub" => Some(json!(self.substituted(&argument))),
            other => panic!("`{other}` is not understood by this test"),
        }
    }

    /// `${Name}`, `${Id.Attribute}`; `${!x}` stands for `${x}`.
    fn substituted(&self, argument: &Value) -> String {
        let (text, given) = match argument {
            Value::Array(both) => (both[0].as_str().unwrap(), both[1].as_object().cloned().unwrap()),
            text => (text.as_str().unwrap(), Map::new()),
        };
        let (mut out, mut rest) = (String::new(), text);
        while let Some(start) = rest.find("${") {
            let end = start + rest[start..].find('}').unwrap();
            let name = &rest[start + 2..end];
            out.push_str(&rest[..start]);
            match (name.strip_prefix('!'), given.get(name)) {
                (Some(literal), _) => out.push_str(&format!("${{{literal}}}")),
                (None, Some(value)) => out.push_str(&plain(value)),
                (None, None) => out.push_str(&self.named(name)),
            }
            rest = &rest[end + 1..];
        }
        out + rest
    }

    fn named(&self, name: &str) -> String {
        match name {
            "AWS::Partition" => "aws".into(),
            "AWS::Region" => REGION.into(),
            "AWS::AccountId" => ACCOUNT.into(),
            "AWS::StackName" => STACK.into(),
            "Bucket" => BUCKET.into(),
            "Bucket.Arn" => format!("arn:aws:s3:::{BUCKET}"),
            "AlertTopic" => ALERT_TOPIC.into(),
            parameter => self.parameters.get(parameter).cloned().unwrap_or_else(|| parameter.to_owned()),
        }
    }
}

/// The folder that a function is built from.
pub(crate) fn folders() -> BTreeMap<String, String> {
    serde_json::from_value(expanded()["folders"].clone()).unwrap()
}

/// What the stack tells whoever deployed it.
pub(crate) fn outputs() -> &'static Value {
    &expanded()["template"]["Outputs"]
}

/// Everything that the template says about a resource, unresolved.
pub(crate) fn unresolved(id: &str) -> &'static Value {
    &expanded()["template"]["Resources"][id]
}

fn parameters(template: &Value, given: &[(&str, &str)]) -> BTreeMap<String, String> {
    let defaults = template["Parameters"].as_object().unwrap().iter();
    let mut values: BTreeMap<_, _> = defaults.map(|(name, parameter)| (name.clone(), plain(&parameter["Default"]))).collect();
    values.insert("OperatorEmail".into(), "operator@example.org".into());
    for (name, value) in given {
        assert!(values.insert((*name).into(), (*value).into()).is_some(), "no parameter `{name}`");
    }
    values
}

fn is_intrinsic(name: &str) -> bool {
    name == "Ref" || name == "Condition" || name.starts_with("Fn::")
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn joined(argument: &Value) -> String {
    let parts: Vec<String> = argument[1].as_array().unwrap().iter().map(plain).collect();
    parts.join(argument[0].as_str().unwrap())
}

/// A value that stands for one or many, as many.
pub(crate) fn many(value: &Value) -> Vec<String> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(items) => items.iter().map(plain).collect(),
        one => vec![plain(one)],
    }
}
