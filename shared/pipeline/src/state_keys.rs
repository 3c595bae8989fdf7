//! Where state lies in the bucket.

use crate::key::ObjectKey;
use crate::run::RunId;
use sha2::{Digest, Sha256};

/// Every job, one object each.
pub const JOBS: &str = "state/jobs/";
/// Runs that are not closed, one marker each: what has to be looked after can be listed without reading what is over.
pub const OPEN: &str = "state/open/";
/// Runs that may be launched, announced again.
pub const WAKE: &str = "state/wake/";
/// Folders of recordings in many files that gather, one marker each.
pub const FOLDERS: &str = "state/folders/";
/// Folders that were quiet for long enough, announced.
pub const RIPE: &str = "state/ripe/";
/// What has begun of each folder: its latest run.
pub const BEGUN: &str = "state/begun/";
/// The files of each run of a folder, frozen.
pub const MEMBERS: &str = "state/members/";
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

/// The name of a folder in the keys below: 16 hex digits of the SHA-256 of its key.
pub fn folder_id(folder: &ObjectKey) -> String {
    hex::encode(&Sha256::digest(folder.as_str().as_bytes())[..8])
}

/// The marker of a folder that gathers.
pub fn folder(id: &str) -> ObjectKey {
    ObjectKey::raw(format!("{FOLDERS}{id}.json"))
}

/// What is written to announce a folder that was quiet for long enough: its creation calls validate.
pub fn ripe(id: &str) -> ObjectKey {
    ObjectKey::raw(format!("{RIPE}{id}.json"))
}

/// The folder that such an object announces.
pub fn ripened(key: &ObjectKey) -> Option<&str> {
    let id = key.as_str().strip_prefix(RIPE)?.strip_suffix(".json")?;
    (id.len() == 16 && id.bytes().all(|b| b.is_ascii_hexdigit())).then_some(id)
}

/// What has begun of a folder.
pub fn begun(id: &str) -> ObjectKey {
    ObjectKey::raw(format!("{BEGUN}{id}.json"))
}

/// The files of a run of a folder; a rerun has those of the run that it repeats.
pub fn members(run: &RunId) -> ObjectKey {
    ObjectKey::raw(format!("{MEMBERS}{}.json", run.again(1)))
}

/// The one object that all money decisions go through.
pub fn budget() -> ObjectKey {
    ObjectKey::raw("state/budget.json")
}

/// What signs the links in mails, and which are revoked.
pub fn links() -> ObjectKey {
    ObjectKey::raw("state/links.json")
}

/// What one attempt of a run cost in the end.
pub fn ledger_entry(month: &str, run: &RunId, attempt: u32) -> ObjectKey {
    ObjectKey::raw(format!("{}{run}.{attempt}.json", ledger(month)))
}

/// What stands before all entries of a month, that of their reservation.
pub fn ledger(month: &str) -> String {
    format!("state/ledger/{month}/")
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
