//! Recordings that are copied into the folder: nobody says when a copy is complete, so it is looked at until it rests.

use crate::cloud::BUCKET;
use dropscope_local::{LocalStore, Sighting};
use dropscope_pipeline::{MemberKey, MemberKind, ObjectKey, RecordingKey, Upload};
use dropscope_ports::{Objects, ObjectsError, Select};
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::UnboundedSender;

/// Pause between two looks; a folder of very many files is looked at for a tenth of the time at most.
const PAUSE: Duration = Duration::from_secs(1);
const SHARE: u32 = 9;
/// A file that has kept its size and time for so long is complete.
const REST: Duration = Duration::from_secs(2);
/// After so long everything is announced again: an event that was given up comes back, the others change nothing.
const REMEMBERED: Duration = Duration::from_secs(3600);

/// Watches the folder and announces what came to rest.
pub(super) struct Arrivals {
    store: LocalStore,
    announce: UnboundedSender<Upload>,
}

/// Files, and how long each has been as it is.
#[derive(Default)]
struct Memory {
    files: HashMap<ObjectKey, Known>,
}

struct Known {
    file: Sighting,
    since: Instant,
    announced: Option<Instant>,
}

impl Arrivals {
    pub(super) fn new(store: LocalStore, announce: UnboundedSender<Upload>) -> Self {
        Self { store, announce }
    }

    /// Looks for ever.
    pub(super) async fn follow(self) {
        let mut memory = Memory::default();
        loop {
            let began = Instant::now();
            match self.store.sightings("recordings/").await {
                Ok(seen) => {
                    for file in memory.rested(seen, began) {
                        self.announce(&file, &mut memory).await;
                    }
                }
                Err(error) => tracing::warn!(error = dropscope_runtime::chain(&error), "the recordings cannot be looked at"),
            }
            tokio::time::sleep(PAUSE.max(began.elapsed() * SHARE)).await;
        }
    }

    /// Announces a file as the object that it is. One that cannot be read now is tried again.
    async fn announce(&self, file: &Sighting, memory: &mut Memory) {
        match self.store.head(&file.key, &Select::default()).await {
            // It went on after all: its rest begins anew.
            Ok(meta) if meta.size != file.size => {}
            Ok(meta) => {
                memory.announced(&file.key, Instant::now());
                let (bucket, key) = (BUCKET.to_owned(), meta.key);
                let upload =
                    Upload { bucket, key, version: None, etag: meta.etag, size: Some(meta.size), sequencer: sequencer(file) };
                // Nobody listens any more: the program ends.
                let _ = self.announce.send(upload);
            }
            Err(ObjectsError::NotFound { .. }) => {}
            Err(error) => tracing::warn!(key = %file.key, error = dropscope_runtime::chain(&error), "a recording cannot be read"),
        }
    }
}

/// The time of the last write, as the store numbers its own: a file copied there again is a later upload, a file that is
/// looked at again, or that the store wrote itself, is not.
fn sequencer(file: &Sighting) -> Option<String> {
    let (seconds, nanoseconds) = file.modified;
    let time = i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds);
    u128::try_from(time).ok().map(|time| format!("{time:016X}"))
}

/// Whether anybody works on such a file.
fn is_ours(key: &ObjectKey) -> bool {
    match MemberKey::parse(key) {
        Some(member) => member.kind() != MemberKind::Aside,
        None => RecordingKey::parse(key).is_ok(),
    }
}

impl Memory {
    /// The files that have come to rest and are not announced. Files that no microscope writes are nobody's.
    fn rested(&mut self, seen: Vec<Sighting>, now: Instant) -> Vec<Sighting> {
        let mut before = std::mem::take(&mut self.files);
        let (mut rested, mut restless) = (Vec::new(), HashSet::new());
        for file in seen.into_iter().filter(|file| is_ours(&file.key)) {
            let known = before.remove(&file.key).filter(|known| known.file == file);
            let mut known = known.unwrap_or(Known { file, since: now, announced: None });
            known.announced = known.announced.filter(|at| now.duration_since(*at) < REMEMBERED);
            let rests = now.duration_since(known.since) >= REST;
            if rests && known.announced.is_none() {
                rested.push(known.file.clone());
            } else if let (false, Some(member)) = (rests, MemberKey::parse(&known.file.key)) {
                restless.insert(member.folder);
            }
            self.files.insert(known.file.key.clone(), known);
        }
        // A copied folder has no order: its recording.toml speaks when all that is there has come to rest.
        let too_early = |key: &ObjectKey| {
            MemberKey::parse(key).is_some_and(|m| m.kind() == MemberKind::Statement && restless.contains(&m.folder))
        };
        rested.retain(|file| !too_early(&file.key));
        rested
    }

    fn announced(&mut self, key: &ObjectKey, now: Instant) {
        if let Some(known) = self.files.get_mut(key) {
            known.announced = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, size: u64) -> Sighting {
        Sighting { key: ObjectKey::raw(format!("recordings/ana/{name}")), size, inode: 1, modified: (1, 0) }
    }

    #[test]
    fn a_file_is_announced_once_it_rests_and_once_only() {
        let (mut memory, start) = (Memory::default(), Instant::now());
        let mut rested = |seconds: u64, size: u64| {
            let now = start + Duration::from_secs(seconds);
            let rested = memory.rested(vec![file("x.tif", size)], now);
            rested.iter().for_each(|file| memory.announced(&file.key, now));
            rested.len()
        };
        // It grows for three seconds, rests, is announced; then it is replaced.
        let found: Vec<usize> = [(0, 1), (1, 2), (2, 3), (3, 3), (4, 3), (5, 3), (60, 3), (61, 4), (62, 4), (63, 4)]
            .into_iter()
            .map(|(seconds, size)| rested(seconds, size))
            .collect();
        assert_eq!(found, [0, 0, 0, 0, 1, 0, 0, 0, 0, 1]);
        assert_eq!(rested(63 + REMEMBERED.as_secs(), 4), 1, "an event that was given up comes back");
    }

    #[test]
    fn a_folders_statement_waits_until_its_files_rest() {
        let (mut memory, start) = (Memory::default(), Instant::now());
        let mut rested = |seconds: u64, size: u64| -> Vec<String> {
            let now = start + Duration::from_secs(seconds);
            let seen = ["x.rec/recording.toml", "x.rec/1.tif", "x.rec/2.tif", "y.rec/recording.toml", "x.rec/.hidden"];
            let seen = seen.map(|name| file(name, if name.ends_with("2.tif") { size } else { 1 }));
            let rested = memory.rested(seen.to_vec(), now);
            rested.iter().for_each(|file| memory.announced(&file.key, now));
            rested.iter().map(|file| file.key.as_str().trim_start_matches("recordings/ana/").to_owned()).collect()
        };
        assert!(rested(0, 1).is_empty());
        assert_eq!(rested(2, 2), ["x.rec/1.tif", "y.rec/recording.toml"]);
        assert_eq!(rested(4, 2), ["x.rec/recording.toml", "x.rec/2.tif"]);
        assert!(rested(6, 2).is_empty());
    }

    #[test]
    fn what_no_microscope_writes_is_not_read() {
        let (mut memory, now) = (Memory::default(), Instant::now());
        let seen = || vec![file("notes.docx", 1), file("._x.tif", 1), file(".x.tif.AbC1", 1)];
        memory.rested(seen(), now);
        assert_eq!(memory.rested(seen(), now + REST), []);
        assert!(memory.files.is_empty());
    }
}
