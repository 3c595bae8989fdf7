//! The state of a bucket, read as files: a look through the store would keep records, and fail where it cannot.

use dropscope_pipeline::budget::Budget;
use dropscope_pipeline::{Job, state_keys};
use serde::de::DeserializeOwned;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// What lies under `state/`.
#[derive(Debug, Default)]
pub(super) struct BucketState {
    /// Every run that can be read.
    pub(super) jobs: Vec<Job>,
    /// The money.
    pub(super) budget: Budget,
    /// Names of mails that are not known to be sent.
    pub(super) unsent: Vec<String>,
    /// Documents that cannot be read: which, and why.
    pub(super) broken: Vec<(String, String)>,
    /// Whether there was more than could be read in time.
    pub(super) partial: bool,
}

/// Reads the state of the bucket in `folder`, until it is time or somebody stops it. What is not there is empty.
pub(super) fn read(folder: &Path, until: Instant, stop: &AtomicBool) -> BucketState {
    let mut state = BucketState::default();
    state.budget = document(folder, state_keys::budget().as_str(), &mut state.broken).unwrap_or_default();
    state.unsent = unsent(folder, &mut state.broken);
    for name in documents(folder, state_keys::JOBS, &mut state.broken) {
        if Instant::now() > until || stop.load(Ordering::Relaxed) {
            state.partial = true;
            break;
        }
        state.jobs.extend(document::<Job>(folder, &format!("{}{name}", state_keys::JOBS), &mut state.broken));
    }
    state
}

/// Mails that were decided on and have no proof of their sending.
fn unsent(folder: &Path, broken: &mut Vec<(String, String)>) -> Vec<String> {
    let pending = documents(folder, state_keys::OUTBOX_PENDING, broken);
    pending.into_iter().filter(|name| !folder.join(state_keys::OUTBOX_SENT).join(name).is_file()).collect()
}

/// Names of the JSON files in a folder, in order; none when it is not there.
fn documents(folder: &Path, prefix: &str, broken: &mut Vec<(String, String)>) -> Vec<String> {
    let entries = match std::fs::read_dir(folder.join(prefix)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            broken.push((prefix.to_owned(), error.to_string()));
            return Vec::new();
        }
    };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".json")).collect();
    names.sort();
    names
}

fn document<T: DeserializeOwned>(folder: &Path, key: &str, broken: &mut Vec<(String, String)>) -> Option<T> {
    let path: PathBuf = folder.join(key);
    let why = match std::fs::read(path) {
        Ok(text) => match serde_json::from_slice(&text) {
            Ok(document) => return Some(document),
            Err(error) => error.to_string(),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        Err(error) => error.to_string(),
    };
    broken.push((key.to_owned(), why));
    None
}
