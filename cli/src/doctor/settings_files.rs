//! Every `dropscope.toml` under `recordings/`: one that cannot be used has each recording below it rejected.

use super::report::Finding;
use dropscope_pipeline::Settings;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Validate reads no more of a settings file.
const LARGEST: u64 = 64 * 1024;
/// Files that are told one by one.
const TOLD: usize = 20;

/// What the walk over a folder found.
#[derive(Default)]
struct Walked {
    read: usize,
    unusable: Vec<(PathBuf, String)>,
    partial: bool,
}

/// Every settings file that cannot be used, or that all can.
pub(super) fn all(recordings: &Path, until: Instant, stop: &AtomicBool) -> Vec<(String, Finding)> {
    let walked = walk(recordings, &|| Instant::now() > until || stop.load(Ordering::Relaxed));
    findings(&walked, recordings).into_iter().map(|finding| ("settings".to_owned(), finding)).collect()
}

fn findings(walked: &Walked, recordings: &Path) -> Vec<Finding> {
    let above = recordings.parent().unwrap_or(recordings);
    let told = walked.unusable.iter().take(TOLD).map(|(path, why)| {
        let name = path.strip_prefix(above).unwrap_or(path).to_string_lossy();
        let cause = format!("the settings in {name} cannot be used, {why}");
        Finding::missing("unusable", cause, "correct or remove that file, then upload the recordings below it again")
    });
    let mut found: Vec<Finding> = told.collect();
    if let more @ 1.. = walked.unusable.len().saturating_sub(TOLD) {
        found.push(Finding::missing(
            more.to_string(),
            format!("{more} more settings files cannot be used"),
            "correct those first",
        ));
    }
    if walked.partial {
        let cause = "there are so many recordings that not every folder was looked at for a dropscope.toml";
        found.push(Finding::warning(
            "too many",
            cause,
            "run `dropscope validate` on a recording: it names the settings it would use",
        ));
    }
    if found.is_empty() {
        let files = if walked.read == 1 { "file" } else { "files" };
        found.push(Finding::fine(format!("{} settings {files}, all usable", walked.read)));
    }
    found
}

/// Reads every settings file below a folder. As for the store, a link to a folder is no folder.
fn walk(recordings: &Path, enough: &dyn Fn() -> bool) -> Walked {
    let mut walked = Walked::default();
    let mut folders = vec![recordings.to_owned()];
    while let Some(folder) = folders.pop() {
        // A folder that went away or is closed to this user: the check of reading tells of that.
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            if enough() {
                walked.partial = true;
                return walked;
            }
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() && entry.file_name() == "dropscope.toml" {
                walked.read += 1;
                walked.unusable.extend(unusable(&entry.path()).map(|why| (entry.path(), why)));
            }
        }
    }
    walked.unusable.sort();
    walked
}

/// Why a settings file cannot be used, by the rules of validate.
fn unusable(path: &Path) -> Option<String> {
    match start(path) {
        Err(error) => Some(error.to_string()),
        Ok(bytes) if bytes.len() as u64 > LARGEST => Some(format!("it is larger than {LARGEST} bytes")),
        Ok(bytes) => match std::str::from_utf8(&bytes) {
            Ok(text) => Settings::from_toml(text).err().map(|error| error.to_string()),
            Err(_) => Some("it is not text".into()),
        },
    }
}

fn start(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::super::report::Status;
    use super::*;

    #[test]
    fn each_file_that_cannot_be_used_is_named_and_the_others_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let recordings = dir.path().join("recordings");
        for (name, text) in [
            ("ana", &b"tau_s = 0.7"[..]),
            ("bo", b"fps = 30"),
            ("cy", b"frame_rate_hz = -1"),
            ("di", b"\xff\xfe"),
            ("ed", b""),
            ("fay", &[b'#'; LARGEST as usize + 1]),
            ("gus", b"tau_s = "),
        ] {
            std::fs::create_dir_all(recordings.join(name)).unwrap();
            std::fs::write(recordings.join(name).join("dropscope.toml"), text).unwrap();
        }
        let found = findings(&walk(&recordings, &|| false), &recordings);
        let causes: Vec<String> = found.into_iter().filter_map(|finding| finding.cause).collect();
        assert_eq!(causes.len(), 5, "{causes:#?}");
        let named = [("bo", "fps"), ("cy", "0.01 to 10000"), ("di", "not text"), ("fay", "65536"), ("gus", "")];
        for ((owner, why), cause) in named.into_iter().zip(&causes) {
            assert!(cause.contains(&format!("recordings/{owner}/dropscope.toml")) && cause.contains(why), "{cause}");
        }
    }

    #[test]
    fn a_walk_that_takes_too_long_says_so() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("ana")).unwrap();
        let found = findings(&walk(dir.path(), &|| true), dir.path());
        assert_eq!(found.iter().map(|finding| finding.status).collect::<Vec<_>>(), [Status::Warning]);
    }

    #[test]
    fn no_recordings_need_no_settings() {
        let found = findings(&walk(Path::new("nowhere"), &|| false), Path::new("nowhere"));
        assert_eq!(found, [Finding::fine("0 settings files, all usable")]);
    }
}
