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
    /// A file of a recording in many files, see [`MemberKey`].
    #[error("key `{0}` is a file of a recording in many files")]
    Member(String),
}

/// `recordings/<owner>/<path>/<name>.<ext>`, or `recordings/<owner>/<path>/<name>.rec/` for a recording in many files, taken
/// apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingKey {
    /// Who uploaded it: the first folder. Empty when the recording lies directly in `recordings/`.
    pub owner: String,
    /// Folders between owner and name, each followed by `/`; may be empty.
    pub path: String,
    /// Name of the file or folder without its extension.
    pub name: String,
}

impl RecordingKey {
    /// Takes a recording's key apart.
    ///
    /// # Errors
    /// When the key is elsewhere, a folder marker, a settings file, a file that no microscope writes, or a file of a
    /// recording in many files.
    pub fn parse(key: &ObjectKey) -> Result<Self, KeyError> {
        let whole = key.as_str();
        let rest = whole.strip_prefix(RECORDINGS).ok_or_else(|| KeyError::Elsewhere(whole.into()))?;
        let (folders, name) = match end_of_folder(rest) {
            Some(end) if end == rest.len() => {
                let (folders, folder) = split(&rest[..end - 1]);
                (folders, folder_name(folder))
            }
            Some(_) => return Err(KeyError::Member(whole.into())),
            None => {
                let (folders, file) = split(rest);
                (folders, recording_name(file))
            }
        };
        let name = name.ok_or_else(|| KeyError::NotARecording(whole.into()))?;
        let (owner, path) = folders.split_once('/').unwrap_or((folders, ""));
        let path = if path.is_empty() { String::new() } else { format!("{path}/") };
        Ok(Self { owner: owner.to_owned(), path, name: name.to_owned() })
    }
}

/// What lies in the folder of a recording in many files: `recordings/<owner>/<path>/<name>.rec/<member>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberKey {
    /// The folder, which is the recording's own key; ends in `/`. Of nested ones the outermost.
    pub folder: ObjectKey,
    /// Path below the folder; empty for the folder's own marker.
    pub name: String,
}

/// What an object in the folder of a recording is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberKind {
    /// A file of the recording.
    File,
    /// `recording.toml` directly in the folder: says that everything is there.
    Statement,
    /// Settings, hidden files, markers of folders.
    Aside,
}

impl MemberKey {
    /// Takes the key of an object in a `.rec` folder apart; none for any other key.
    pub fn parse(key: &ObjectKey) -> Option<Self> {
        let rest = key.as_str().strip_prefix(RECORDINGS)?;
        let (folder, name) = rest.split_at(end_of_folder(rest)?);
        Some(Self { folder: ObjectKey(format!("{RECORDINGS}{folder}")), name: name.to_owned() })
    }

    /// What it is there for.
    pub fn kind(&self) -> MemberKind {
        let folder = split(self.folder.as_str().trim_end_matches('/')).1;
        if folder.starts_with('.') { MemberKind::Aside } else { kind_of_member(&self.name) }
    }
}

/// What a file is there for, from its path below the folder of a recording.
pub fn kind_of_member(name: &str) -> MemberKind {
    let settings = ["recording.toml", "dropscope.toml"];
    match split(name).1 {
        _ if name == settings[0] => MemberKind::Statement,
        file if file.is_empty() || settings.contains(&file) => MemberKind::Aside,
        _ if name.split('/').any(|part| part.starts_with('.')) => MemberKind::Aside,
        _ => MemberKind::File,
    }
}

const RECORDINGS: &str = "recordings/";

/// Folders and the last part of a path.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// Where the first folder that is a recording ends, its slash included.
fn end_of_folder(path: &str) -> Option<usize> {
    let mut start = 0;
    path.match_indices('/').find_map(|(at, _)| {
        let folder = &path[start..at];
        start = at + 1;
        folder_name(folder).map(|_| start)
    })
}

/// The name of a folder that is a recording: without `.rec`.
pub fn folder_name(folder: &str) -> Option<&str> {
    let (name, extension) = folder.split_at_checked(folder.len().checked_sub(".rec".len())?)?;
    (!name.is_empty() && extension.eq_ignore_ascii_case(".rec")).then_some(name)
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

    #[test]
    fn a_folder_that_is_a_recording_is_named_without_its_extension() {
        let key = parse("recordings/ana/day 1/fish.rec/").unwrap();
        assert_eq!((key.owner.as_str(), key.path.as_str(), key.name.as_str()), ("ana", "day 1/", "fish"));
        assert_eq!(parse("recordings/fish.rec/").unwrap().owner, "");
        assert!(matches!(parse("recordings/ana/.rec/"), Err(KeyError::NotARecording(_))));
        assert_eq!(parse("recordings/ana/.rec/x.tif").unwrap().name, "x", "a folder without a name is none");
    }

    #[test]
    fn a_member_belongs_to_the_outermost_folder() {
        for (key, folder, name, kind) in [
            ("a/x.rec/t1.tif", "a/x.rec/", "t1.tif", MemberKind::File),
            ("x.REC/a/b.rec/t.tif", "x.REC/", "a/b.rec/t.tif", MemberKind::File),
            ("a/x.rec/meta.xml", "a/x.rec/", "meta.xml", MemberKind::File),
            ("a/x.rec/recording.toml", "a/x.rec/", "recording.toml", MemberKind::Statement),
            ("a/x.rec/b/recording.toml", "a/x.rec/", "b/recording.toml", MemberKind::Aside),
            ("a/x.rec/dropscope.toml", "a/x.rec/", "dropscope.toml", MemberKind::Aside),
            ("a/x.rec/", "a/x.rec/", "", MemberKind::Aside),
            ("a/x.rec/b/", "a/x.rec/", "b/", MemberKind::Aside),
            ("a/x.rec/.DS_Store", "a/x.rec/", ".DS_Store", MemberKind::Aside),
            ("a/x.rec/.tmp/t.tif", "a/x.rec/", ".tmp/t.tif", MemberKind::Aside),
            ("a/.x.rec/t.tif", "a/.x.rec/", "t.tif", MemberKind::Aside),
        ] {
            let member = MemberKey::parse(&ObjectKey::raw(format!("recordings/{key}"))).unwrap();
            assert_eq!(member.folder.as_str(), format!("recordings/{folder}"), "{key}");
            assert_eq!((member.name.as_str(), member.kind()), (name, kind), "{key}");
        }
        for key in ["recordings/a/x.tif", "results/a/x.rec/t.tif", "recordings/a/x.rec", "recordings/a/.rec/t.tif"] {
            assert_eq!(MemberKey::parse(&ObjectKey::raw(key)), None, "{key}");
        }
    }

    proptest! {
        #[test]
        fn encoding_then_decoding_gives_the_key_back(key in "\\PC{1,60}") {
            let encoded = percent_encoding::utf8_percent_encode(&key, percent_encoding::NON_ALPHANUMERIC).to_string().replace("%20", "+");
            prop_assert_eq!(ObjectKey::form_encoded(&encoded).unwrap().0, key);
        }

        #[test]
        fn no_key_makes_the_parser_panic(key in "(recordings/)?\\PC{0,40}(\\.tif)?") {
            let _ = (parse(&key), MemberKey::parse(&ObjectKey::raw(key)));
        }
    }
}
