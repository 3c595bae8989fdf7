//! Configuration from the environment: read once, and one error that names everything that is missing.

use std::collections::BTreeMap;

/// One variable that a program needs.
#[derive(Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it says, for the error that misses it.
    pub meaning: &'static str,
}

/// Bucket that this deployment watches.
pub static BUCKET: Variable = Variable { name: "DROPSCOPE_BUCKET", meaning: "name of the bucket" };
/// Topic that mails go to.
pub static TOPIC: Variable = Variable { name: "DROPSCOPE_TOPIC_ARN", meaning: "topic that mails go to" };
/// Topic that AWS Budgets writes to.
pub static ALERT_TOPIC: Variable = Variable { name: "DROPSCOPE_ALERT_TOPIC_ARN", meaning: "topic that AWS Budgets writes to" };
/// This account.
pub static ACCOUNT: Variable = Variable { name: "DROPSCOPE_ACCOUNT", meaning: "this account, 12 digits" };
/// This stack: its name is a tag of everything it starts.
pub static STACK: Variable = Variable { name: "DROPSCOPE_STACK", meaning: "name of the stack, a tag of its instances" };
/// Launch template of an instance.
pub static LAUNCH_TEMPLATE: Variable =
    Variable { name: "DROPSCOPE_LAUNCH_TEMPLATE", meaning: "id of the launch template of an instance" };
/// Subnets for instances.
pub static SUBNETS: Variable = Variable { name: "DROPSCOPE_SUBNETS", meaning: "subnets for instances, separated by commas" };
/// Most that a month may cost.
pub static MONTHLY_CAP: Variable =
    Variable { name: "DROPSCOPE_MONTHLY_CAP_USD", meaning: "most US dollars that a month of instances may cost" };
/// Most that a month of one owner may cost.
pub static OWNER_CAP: Variable =
    Variable { name: "DROPSCOPE_OWNER_CAP_USD", meaning: "most US dollars that a month of one owner may cost, 0 for no cap" };
/// Most instances at a time.
pub static MAX_INSTANCES: Variable = Variable { name: "DROPSCOPE_MAX_INSTANCES", meaning: "most instances at a time" };

/// Where the links of mails lead.
pub static OPEN_URL: Variable =
    Variable { name: "DROPSCOPE_OPEN_URL", meaning: "address of the function that opens reports, or `none`" };
/// Days that a link lives.
pub static LINK_DAYS: Variable =
    Variable { name: "DROPSCOPE_LINK_DAYS", meaning: "days that a link in a mail lives, 0 for none" };

/// What an alert does to machines that are paid on demand.
pub static ON_DEMAND: Variable = Variable {
    name: "DROPSCOPE_ON_DEMAND",
    meaning: "what an alert does to instances that are paid on demand, stop or terminate",
};

/// Whether instances may be paid on demand.
pub static ON_DEMAND_FALLBACK: Variable = Variable {
    name: "DROPSCOPE_ON_DEMAND_FALLBACK",
    meaning: "whether an instance is paid on demand where spot is not to be had, yes or no",
};

/// Disk of an instance.
pub static DISK: Variable = Variable { name: "DROPSCOPE_DISK_GIB", meaning: "disk of an instance, GiB" };

/// Set by AWS Lambda itself: a program that does not find them was started by something else.
pub static OF_LAMBDA: [&Variable; 5] = [
    &Variable { name: "AWS_LAMBDA_RUNTIME_API", meaning: "address of the runtime api, set by AWS Lambda" },
    &Variable { name: "AWS_LAMBDA_FUNCTION_NAME", meaning: "set by AWS Lambda" },
    &Variable { name: "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", meaning: "set by AWS Lambda" },
    &Variable { name: "AWS_LAMBDA_FUNCTION_VERSION", meaning: "set by AWS Lambda" },
    &Variable { name: "AWS_REGION", meaning: "region, set by AWS Lambda" },
];

/// Variables found.
#[derive(Debug, Clone)]
pub struct Environment(BTreeMap<&'static str, String>);

/// An environment that a program cannot work in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvironmentError {
    /// Variables that must be there are not, or are empty.
    #[error("the environment lacks {}: set all of them", list(.0))]
    Missing(Vec<(&'static str, &'static str)>),
    /// A variable says something that cannot be read.
    #[error("`{name}` is `{value}`, not {expected}: correct it")]
    Unreadable {
        /// Which.
        name: &'static str,
        /// What it says.
        value: String,
        /// What it should say.
        expected: &'static str,
    },
}

fn list(missing: &[(&str, &str)]) -> String {
    missing.iter().map(|(name, meaning)| format!("`{name}` ({meaning})")).collect::<Vec<_>>().join(", ")
}

impl Environment {
    /// Reads what `wanted` names with `lookup`.
    ///
    /// # Errors
    /// [`EnvironmentError::Missing`] with every variable that is absent or empty.
    pub fn read<'a>(
        wanted: impl IntoIterator<Item = &'a &'static Variable>,
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, EnvironmentError> {
        let (mut found, mut missing) = (BTreeMap::new(), Vec::new());
        for variable in wanted {
            match lookup(variable.name).filter(|value| !value.trim().is_empty()) {
                Some(value) => {
                    found.insert(variable.name, value.trim().to_owned());
                }
                None => missing.push((variable.name, variable.meaning)),
            }
        }
        if missing.is_empty() { Ok(Self(found)) } else { Err(EnvironmentError::Missing(missing)) }
    }

    /// The same from this process's environment.
    ///
    /// # Errors
    /// See [`Environment::read`].
    pub fn of_process<'a>(wanted: impl IntoIterator<Item = &'a &'static Variable>) -> Result<Self, EnvironmentError> {
        Self::read(wanted, |name| std::env::var(name).ok())
    }

    /// What a variable says.
    ///
    /// # Errors
    /// [`EnvironmentError::Missing`] when it was not asked for.
    pub fn text(&self, variable: &'static Variable) -> Result<String, EnvironmentError> {
        let missing = || EnvironmentError::Missing(vec![(variable.name, variable.meaning)]);
        self.0.get(variable.name).cloned().ok_or_else(missing)
    }

    /// What a variable says, read as `expected`.
    ///
    /// # Errors
    /// When it cannot be read so.
    pub fn parsed<T>(
        &self,
        variable: &'static Variable,
        expected: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<T, EnvironmentError> {
        let value = self.text(variable)?;
        parse(&value).ok_or(EnvironmentError::Unreadable { name: variable.name, value, expected })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with<'a>(pairs: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
        |name| pairs.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned())
    }

    #[test]
    fn one_error_names_everything_that_is_missing() {
        let pairs = [(BUCKET.name, "b"), (TOPIC.name, " ")];
        let error = Environment::read(&[&BUCKET, &TOPIC, &STACK], with(&pairs)).unwrap_err();
        let said = error.to_string();
        assert!(said.contains(TOPIC.name) && said.contains(STACK.name) && !said.contains("DROPSCOPE_BUCKET"), "{said}");
    }

    #[test]
    fn a_variable_that_cannot_be_read_is_named_with_its_value() {
        let environment = Environment::read(&[&MAX_INSTANCES], with(&[(MAX_INSTANCES.name, "many")])).unwrap();
        let error = environment.parsed(&MAX_INSTANCES, "a number", |text| text.parse::<usize>().ok()).unwrap_err();
        assert_eq!(error.to_string(), "`DROPSCOPE_MAX_INSTANCES` is `many`, not a number: correct it");
    }
}
