//! Object keys, and what a key under `recordings/` says.

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};

/// Longest key of a recording, bytes. S3 allows 1024; the rest is room for the run and the names of its results.
pub const LONGEST_RECORDING_KEY: usize = 800;

/// The key of one object, exactly as S3 stores it: any UTF-8, never encoded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ObjectKey(String);

impl ObjectKey {
    /// Takes a key as it is: from EventBridge, from a listing, or our own.
    pub fn raw(key: impl Into<String>) -> Self {
        Self(key.into())
    }

    /// Takes a key of a classic S3 notification: form-encoded, decoded here exactly once (`+` is a space,
    /// then percent sequences, then UTF-8; S3 user guide, notification-content-structure).
    ///
    /// # Errors
    /// When the decoded bytes are not UTF-8.
    pub fn form_encoded(key: &str) -> Result<Self, KeyError> {
        let spaced = key.replace('+', " ");
        match percent_decode_str(&spaced).decode_utf8() {
            Ok(decoded) => Ok(Self(decoded.into_owned())),
            Err(_) => Err(KeyError::NotUtf8(key.to_owned())),
        }
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Appends a name to a prefix that ends in `/`.
    pub fn child(&self, name: &str) -> Self {
        Self(format!("{}{name}", self.0))
    }
}

impl std::fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A key that is no recording's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// A notification's key does not decode.
    #[error("key `{0}` is not utf-8 once decoded")]
    NotUtf8(String),
    /// Not below `recordings/`.
    #[error("key `{0}` is not under `recordings/`")]
    Elsewhere(String),
    /// A folder marker or a settings file: no recording, no mistake.
    #[error("key `{0}` is not a recording")]
    NotARecording(String),
    /// A member of a recording in many files.
    #[error("key `{0}` belongs to a recording in many files, which are not read yet")]
    Member(String),
}

/// `recordings/<owner>/<path>/<name>.<ext>`, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingKey {
    /// Who uploaded it: the first folder. Empty when the recording lies directly in `recordings/`.
    pub owner: String,
    /// Folders between owner and name, each followed by `/`; may be empty.
    pub path: String,
    /// File name without its extension.
    pub name: String,
}

impl RecordingKey {
    /// Takes a recording's key apart.
    ///
    /// # Errors
    /// When the key is elsewhere, a folder marker, a settings file, a file that no microscope writes, or a member of
    /// a `.rec/` folder.
    pub fn parse(key: &ObjectKey) -> Result<Self, KeyError> {
        let whole = key.as_str();
        let rest = whole.strip_prefix("recordings/").ok_or_else(|| KeyError::Elsewhere(whole.into()))?;
        let (folders, file) = rest.rsplit_once('/').unwrap_or(("", rest));
        let Some(name) = recording_name(file) else {
            return Err(KeyError::NotARecording(whole.into()));
        };
        if folders.split('/').any(|f| f.ends_with(".rec")) {
            return Err(KeyError::Member(whole.into()));
        }
        let (owner, path) = folders.split_once('/').unwrap_or((folders, ""));
        let path = if path.is_empty() { String::new() } else { format!("{path}/") };
        Ok(Self { owner: owner.to_owned(), path, name: name.to_owned() })
    }
}

/// Formats a microscope or its software writes; TIFF is read, the others are refused with a remedy.
const RECORDING_EXTENSIONS: [&str; 21] = [
    ".ome.tiff",
    ".ome.tif",
    ".tiff",
    ".tif",
    ".btf",
    ".tf8",
    ".tf2",
    ".h5",
    ".hdf5",
    ".nwb",
    ".nd2",
    ".czi",
    ".avi",
    ".mp4",
    ".lif",
    ".lsm",
    ".stk",
    ".ims",
    ".oir",
    ".sbx",
    ".raw",
];

fn recording_name(file: &str) -> Option<&str> {
    let lower = file.to_ascii_lowercase();
    let extension = RECORDING_EXTENSIONS.iter().find(|e| lower.ends_with(*e))?;
    let name = file.get(..file.len() - extension.len())?;
    (!name.is_empty() && !name.starts_with("._")).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(key: &str) -> Result<RecordingKey, KeyError> {
        RecordingKey::parse(&ObjectKey::raw(key))
    }

    #[test]
    fn a_notification_key_is_decoded_exactly_once() {
        for (encoded, raw) in [
            ("recordings/alice/day+1/fish+%282%29.tif", "recordings/alice/day 1/fish (2).tif"),
            ("recordings/alice/plus%2Btest.tif", "recordings/alice/plus+test.tif"),
            ("recordings/a%2520b.tif", "recordings/a%20b.tif"),
            ("recordings/j%C3%BCrgen/%E6%B5%8B%E8%AF%95+%2301.tif", "recordings/jürgen/测试 #01.tif"),
            ("recordings%2Fx.tif", "recordings/x.tif"),
        ] {
            assert_eq!(ObjectKey::form_encoded(encoded).unwrap().as_str(), raw);
        }
        assert!(ObjectKey::form_encoded("recordings/%FF.tif").is_err());
    }

    #[test]
    fn an_eventbridge_key_stays_as_it_is() {
        assert_eq!(ObjectKey::raw("recordings/a/plus+test (2) %41.tif").as_str(), "recordings/a/plus+test (2) %41.tif");
    }

    #[test]
    fn owner_path_and_name_come_from_the_folders() {
        let key = parse("recordings/ana/day 1/fish.ome.tif").unwrap();
        assert_eq!((key.owner.as_str(), key.path.as_str(), key.name.as_str()), ("ana", "day 1/", "fish"));
        assert_eq!(parse("recordings/x.tif").unwrap().owner, "");
        assert_eq!(parse("recordings/ana/X.TIF").unwrap().name, "X");
    }

    #[test]
    fn what_is_no_recording_is_named_so() {
        assert!(matches!(parse("results/a/b.tif"), Err(KeyError::Elsewhere(_))));
        for key in [
            "recordings/a/",
            "recordings/a/dropscope.toml",
            "recordings/a/notes.txt",
            "recordings/a/.tif",
            "recordings/a/._x.tif",
        ] {
            assert!(matches!(parse(key), Err(KeyError::NotARecording(_))), "{key}");
        }
        assert!(matches!(parse("recordings/a/x.rec/t1.tif"), Err(KeyError::Member(_))));
    }

    proptest! {
        #[test]
        fn encoding_then_decoding_gives_the_key_back(key in "\\PC{1,60}") {
            let encoded = percent_encoding::utf8_percent_encode(&key, percent_encoding::NON_ALPHANUMERIC).to_string().replace("%20", "+");
            prop_assert_eq!(ObjectKey::form_encoded(&encoded).unwrap().0, key);
        }

        #[test]
        fn no_key_makes_the_parser_panic(key in "(recordings/)?\\PC{0,40}(\\.tif)?") {
            let _ = parse(&key);
        }
    }
}
