//! Where state lies in the bucket.

use crate::key::ObjectKey;
use crate::run::RunId;

/// Every job, one object each.
pub const JOBS: &str = "state/jobs/";
/// Runs that are not closed, one marker each: what has to be looked after can be listed without reading what is over.
pub const OPEN: &str = "state/open/";
/// Runs that may be launched, announced again.
pub const WAKE: &str = "state/wake/";
/// Mails decided on and not known to be sent.
pub const OUTBOX_PENDING: &str = "state/outbox/pending/";
/// Mails known to be sent.
pub const OUTBOX_SENT: &str = "state/outbox/sent/";

/// The job of a run.
pub fn job(run: &RunId) -> ObjectKey {
    ObjectKey::raw(format!("{JOBS}{run}.json"))
}

/// The marker of a run that is not closed.
pub fn open(run: &RunId) -> ObjectKey {
    ObjectKey::raw(format!("{OPEN}{run}.json"))
}

/// What is written to announce a run again: its creation calls launch, and nothing else.
pub fn wake(run: &RunId) -> ObjectKey {
    ObjectKey::raw(format!("{WAKE}{run}.json"))
}

/// The one object that all money decisions go through.
pub fn budget() -> ObjectKey {
    ObjectKey::raw("state/budget.json")
}

/// What one attempt of a run cost in the end.
pub fn ledger_entry(month: &str, run: &RunId, attempt: u32) -> ObjectKey {
    ObjectKey::raw(format!("state/ledger/{month}/{run}.{attempt}.json"))
}

/// The program that instances run, under its digest (SHA-256, hex).
pub fn program(digest: &str) -> ObjectKey {
    ObjectKey::raw(format!("programs/{digest}/dropscope-worker"))
}

/// A mail that is due.
pub fn outbox_pending(mail: &str) -> ObjectKey {
    ObjectKey::raw(format!("{OUTBOX_PENDING}{mail}.json"))
}

/// The proof that a mail was sent.
pub fn outbox_sent(mail: &str) -> ObjectKey {
    ObjectKey::raw(format!("{OUTBOX_SENT}{mail}.json"))
}
