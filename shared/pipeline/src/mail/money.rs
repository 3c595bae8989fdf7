//! Mails about money: a run waits for it or goes on, an alert of AWS Budgets.

use super::{Lines, Mail, MailKind, counted, file_name, shown, subject_line};
use crate::alert::Reaction;
use crate::budget::Budget;
use crate::job::{Job, State};

/// The mail about a run that a cap or a freeze keeps waiting, or has stopped. One each time that it begins to wait.
pub fn waiting(job: &Job, why: &str, budget: &Budget) -> Mail {
    let mut lines = Lines::default();
    let stopped = matches!(job.state, State::Stopped { .. });
    lines.row("Cause", &shown(why));
    lines.row("What to do", "nothing: it starts by itself when it may, at the latest when a new month");
    lines.row("", "begins or the operator has let launches go again. If it cannot wait,");
    lines.row("", "ask the operator: dropscope budget set USD, dropscope budget thaw");
    lines.blank();
    lines.text(match stopped {
        true => "The segmentation of your recording was stopped. Nothing is lost: the recording is",
        false => "Your recording was checked and waits to be segmented. Nothing is lost: it is",
    });
    lines.text("untouched, and its previews are there.");
    if stopped {
        lines.text("What was computed until its last checkpoint is kept, and need not be paid again.");
    }
    lines.blank();
    lines.row("Recording", &shown(job.upload.key.as_str()));
    this_month(&mut lines, job, budget);
    lines.row("Run", job.run.as_str());
    let what = if stopped { "was stopped, and goes on later" } else { "waits for money" };
    told(job, MailKind::Waiting, what, lines)
}

/// The mail about a run that goes on, after its owner was told that it waits.
pub fn resumed(job: &Job, budget: &Budget) -> Mail {
    let mut lines = Lines::default();
    lines.text("Your recording is being segmented now: what it waited for is there.");
    lines.text("There is nothing to do; another mail says what was found.");
    lines.blank();
    lines.row("Recording", &shown(job.upload.key.as_str()));
    lines.row("Attempt", &job.attempt.to_string());
    lines.row("Saved", "it begins where the last checkpoint of an earlier attempt ends, if there is one");
    this_month(&mut lines, job, budget);
    lines.row("Run", job.run.as_str());
    told(job, MailKind::Resumed, "goes on", lines)
}

/// What is spent and reserved against the caps, by all and by the owner.
fn this_month(lines: &mut Lines, job: &Job, budget: &Budget) {
    let cap = budget.cap_within(&budget.allowed).map_or_else(String::new, |cap| format!(" of {cap}"));
    lines.row("This month", &format!("{} spent or reserved{cap}, by all", budget.committed()));
    let cap = budget.owner_cap_within(&budget.allowed, &job.owner).map_or_else(String::new, |cap| format!(" of {cap}"));
    lines.row("", &format!("{}{cap}, by {}", budget.committed_by(&job.owner), shown(&job.owner)));
}

/// The mail to the owner of a run. The first of its kind has the id of [`super::mail_id`], each later one a number as well.
fn told(job: &Job, kind: MailKind, what: &str, lines: Lines) -> Mail {
    let id = super::mail_id(&job.run, kind);
    Mail {
        id: if job.tellings == 0 { id } else { format!("{id}-{}", job.tellings + 1) },
        owner: job.owner.clone(),
        kind,
        subject: subject_line(&format!("{} {what}", file_name(job))),
        body: lines.0,
    }
}

/// The operator's mail about an alert of AWS Budgets. `message` is the id that SNS gave it: repeated, it is one mail.
pub fn budget_alert(message: &str, why: &str, reaction: Reaction, ended: &[String], unended: &[String], text: &str) -> Mail {
    let mut lines = Lines::default();
    lines.row("Frozen", "no recording is segmented until you thaw it");
    lines.row("Why", &shown(why));
    lines.row("Ended", &counted(ended.len(), "instance"));
    for one in unended {
        lines.row("Not ended", &shown(one));
    }
    lines.blank();
    lines.text(match reaction {
        Reaction::FreezeAndEnd => {
            "The limit is reached: what ran was ended. Its recordings are untouched and go on after a thaw."
        }
        Reaction::Freeze => "A threshold below the limit, or a forecast: what runs may finish, its money is reserved.",
        Reaction::FreezeAndAsk => {
            "This alert is in doubt, so nothing was ended. Look at the bill, and end instances by hand if it is true."
        }
    });
    lines.text("To go on: dropscope budget thaw");
    lines.blank();
    lines.text("The alert said:");
    for line in text.lines().take(30) {
        lines.text(&format!("  {}", shown(line)));
    }
    let id: String = message.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(64).collect();
    Mail {
        id: format!("alert-{id}.budget"),
        owner: String::new(),
        kind: MailKind::Budget,
        subject: subject_line("launches are frozen"),
        body: lines.0,
    }
}

#[cfg(test)]
#[path = "money_tests.rs"]
mod tests;
