//! The `dropscope.toml` that holds for a recording: the one in the nearest folder.

use dropscope_pipeline::job::Verdict;
use dropscope_pipeline::{ObjectKey, Settings};
use dropscope_ports::{Objects, ObjectsError, Select};

/// A settings file is a few lines; what is larger is something else.
const LARGEST: u64 = 64 * 1024;

/// Settings found for a recording, or why those found cannot be used.
pub(crate) async fn nearest(objects: &dyn Objects, recording: &ObjectKey) -> Result<Result<Settings, Verdict>, ObjectsError> {
    for key in candidates(recording.as_str()) {
        match objects.get(&key, &Select { range: Some(0..LARGEST + 1), ..Select::default() }).await {
            Ok(object) => return Ok(parse(&key, &object.bytes)),
            Err(ObjectsError::NotFound { .. }) => {}
            // An empty file has no first byte to read: it sets nothing, and is the nearest all the same.
            Err(ObjectsError::Invalid { .. }) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(Ok(Settings::default()))
}

fn parse(key: &ObjectKey, bytes: &[u8]) -> Result<Settings, Verdict> {
    let refused = |why: String| Verdict {
        cause: format!("the settings in {key} cannot be used: {why}"),
        remedy: "correct or remove that file, then upload the recording again".into(),
    };
    if bytes.len() as u64 > LARGEST {
        return Err(refused(format!("it is larger than {LARGEST} bytes")));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| refused("it is not text".into()))?;
    Settings::from_toml(text).map_err(|error| refused(error.to_string()))
}

/// From the recording's own folder up to `recordings/`.
fn candidates(recording: &str) -> impl Iterator<Item = ObjectKey> {
    let slashes: Vec<usize> = recording.match_indices('/').map(|(at, _)| at).collect();
    slashes.into_iter().rev().map(|at| ObjectKey::raw(format!("{}dropscope.toml", &recording[..=at])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_folder_comes_first_and_recordings_last() {
        let keys: Vec<String> = candidates("recordings/ana/day 1/x.tif").map(|k| k.to_string()).collect();
        assert_eq!(keys, ["recordings/ana/day 1/dropscope.toml", "recordings/ana/dropscope.toml", "recordings/dropscope.toml"]);
    }

    #[test]
    fn settings_that_cannot_be_used_name_their_file() {
        let key = ObjectKey::raw("recordings/ana/dropscope.toml");
        let verdict = parse(&key, b"taus = 1").unwrap_err();
        assert!(verdict.cause.contains("recordings/ana/dropscope.toml") && verdict.cause.contains("taus"), "{}", verdict.cause);
        assert!(parse(&key, b"\xff\xfe").is_err());
    }
}
