//! What was found, for people and for programs.

use crate::text::shown;
use serde::Serialize;

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    /// As it should be.
    Ok,
    /// Something will be slow, refused or left lying; nothing needed is missing.
    Warning,
    /// Something needed is missing.
    Missing,
}

/// What a person may want to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) enum Section {
    /// Anything at all.
    #[serde(rename = "this machine")]
    Machine,
    /// Watching a folder.
    #[serde(rename = "the folder")]
    Folder,
    /// Deploying the stack; never needed on a laptop.
    #[serde(rename = "tools to deploy")]
    Tools,
    /// A deployed stack and its account.
    #[serde(rename = "the stack")]
    Stack,
}

impl Section {
    fn title(self) -> &'static str {
        match self {
            Self::Machine => "this machine",
            Self::Folder => "the folder",
            Self::Tools => "tools to deploy",
            Self::Stack => "the stack",
        }
    }
}

/// The outcome of a check: what was found, and if that will not do, why and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    pub(super) status: Status,
    pub(super) found: String,
    pub(super) cause: Option<String>,
    pub(super) remedy: Option<String>,
}

/// A finding with its place in the report.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Check {
    pub(super) name: String,
    pub(super) section: Section,
    #[serde(flatten)]
    finding: Finding,
}

impl std::ops::Deref for Check {
    type Target = Finding;
    fn deref(&self) -> &Finding {
        &self.finding
    }
}

impl Finding {
    /// As it should be.
    pub(super) fn fine(found: impl Into<String>) -> Self {
        Self { status: Status::Ok, found: found.into(), cause: None, remedy: None }
    }

    /// Not as it should be, and no hindrance.
    pub(super) fn warning(found: impl Into<String>, cause: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { status: Status::Warning, found: found.into(), cause: Some(cause.into()), remedy: Some(remedy.into()) }
    }

    /// A hindrance.
    pub(super) fn missing(found: impl Into<String>, cause: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { status: Status::Missing, ..Self::warning(found, cause, remedy) }
    }

    /// Whether something needed is missing.
    pub(super) fn is_hindrance(&self) -> bool {
        self.status == Status::Missing
    }

    /// Gives it its place.
    pub(super) fn named(self, section: Section, name: impl Into<String>) -> Check {
        Check { name: name.into(), section, finding: self }
    }
}

/// How many needed things are missing.
pub(super) fn missing(checks: &[Check]) -> usize {
    count(checks, Status::Missing)
}

fn count(checks: &[Check], status: Status) -> usize {
    checks.iter().filter(|check| check.status == status).count()
}

/// One object, its checks in the order of the report.
pub(super) fn json(checks: &[Check]) -> serde_json::Value {
    serde_json::json!({ "checks": checks, "ready": missing(checks) == 0 })
}

/// One line for each check under the title of its section; the remedy below, indented. Names from outside are harmless
/// for a terminal.
pub(super) fn lines(checks: &[Check]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut section = None;
    for check in checks {
        if section.replace(check.section) != Some(check.section) {
            lines.push(check.section.title().to_owned());
        }
        let status = match check.status {
            Status::Ok => "ok",
            Status::Warning => "warning",
            Status::Missing => "missing",
        };
        let said = check.cause.as_ref().unwrap_or(&check.found);
        let colon = if check.remedy.is_some() { ":" } else { "" };
        lines.push(format!("  {status:<8} {:<12} {}{colon}", check.name, shown(said)));
        lines.extend(check.remedy.iter().map(|remedy| format!("{:24}{}", "", shown(remedy))));
    }
    lines.push(verdict(checks));
    lines
}

fn verdict(checks: &[Check]) -> String {
    let things = |n: usize, one: &str, more: &str| format!("{n} {}", if n == 1 { one } else { more });
    let warnings = match count(checks, Status::Warning) {
        0 => String::new(),
        n => format!(", {}", things(n, "warning", "warnings")),
    };
    match missing(checks) {
        0 => format!("ready{warnings}"),
        n => format!("not ready: {} missing{warnings}", things(n, "thing", "things")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_do_not_fail_and_what_is_missing_does() {
        let warning = Finding::warning("x", "x is old", "renew it").named(Section::Tools, "x");
        assert_eq!(json(std::slice::from_ref(&warning))["ready"], true);
        let missing = Finding::missing("y", "no y", "get one").named(Section::Machine, "y");
        let both = [missing, warning];
        assert_eq!(json(&both)["ready"], false);
        assert_eq!(lines(&both).last().map(String::as_str), Some("not ready: 1 thing missing, 1 warning"));
    }

    #[test]
    fn a_name_from_outside_cannot_write_a_line_of_its_own() {
        let check = Finding::warning("x", "a\n  ok  forged\u{1b}[2J", "b\rc").named(Section::Folder, "settings");
        let lines = lines(&[check]);
        assert_eq!(lines.len(), 4);
        assert!(lines.iter().all(|line| !line.contains(['\n', '\r', '\u{1b}'])), "{lines:?}");
    }
}
