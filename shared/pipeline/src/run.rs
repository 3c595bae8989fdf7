//! The name of a run.

use crate::key::ObjectKey;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// 16 hex digits, with `-2`, `-3` … for a rerun of the same upload.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(String);

impl RunId {
    /// Names the run of one upload: the same bucket, key and version (or ETag, in a bucket without versions) is
    /// always the same run, so a second event finds the first one's claim.
    pub fn of_upload(bucket: &str, key: &ObjectKey, version: Option<&str>, etag: &str) -> Self {
        let mut hash = Sha256::new();
        let (kind, identity) = version.map_or(("etag", etag), |v| ("version", v));
        for part in [bucket, key.as_str(), kind, identity] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let digest = hash.finalize();
        Self(hex::encode(&digest[..8]))
    }

    /// The name of the `n`th run of the same upload; the first has no number.
    pub fn again(&self, n: u32) -> Self {
        let base = self.0.split('-').next().unwrap_or_default();
        if n < 2 { Self(base.to_owned()) } else { Self(format!("{base}-{n}")) }
    }

    /// The run as text; safe in any key, tag, path or command line.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for RunId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Text that names no run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a run: 16 hex digits, perhaps followed by `-` and a number")]
pub struct NotARun(String);

impl TryFrom<String> for RunId {
    type Error = NotARun;
    fn try_from(text: String) -> Result<Self, NotARun> {
        let (base, rerun) = text.split_once('-').unwrap_or((&text, "2"));
        let hex16 = base.len() == 16 && base.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        let number = rerun.len() <= 6 && rerun.parse::<u32>().is_ok_and(|n| n >= 2) && rerun.bytes().all(|b| b.is_ascii_digit());
        if hex16 && number { Ok(Self(text)) } else { Err(NotARun(text)) }
    }
}

impl std::str::FromStr for RunId {
    type Err = NotARun;
    fn from_str(text: &str) -> Result<Self, NotARun> {
        text.to_owned().try_into()
    }
}

impl From<RunId> for String {
    fn from(run: RunId) -> Self {
        run.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(bucket: &str, key: &str, version: Option<&str>, etag: &str) -> RunId {
        RunId::of_upload(bucket, &ObjectKey::raw(key), version, etag)
    }

    #[test]
    fn the_same_upload_is_the_same_run_and_any_difference_another() {
        let first = run("b", "recordings/a/x.tif", Some("v1"), "e1");
        assert_eq!(first, run("b", "recordings/a/x.tif", Some("v1"), "e1"));
        for other in [
            run("c", "recordings/a/x.tif", Some("v1"), "e1"),
            run("b", "recordings/a/y.tif", Some("v1"), "e1"),
            run("b", "recordings/a/x.tif", Some("v2"), "e1"),
            run("b", "recordings/a/x.tif", None, "v1"),
        ] {
            assert_ne!(first, other);
        }
    }

    #[test]
    fn a_rerun_has_a_number_that_parses() {
        let run: RunId = "0123456789abcdef".parse().unwrap();
        assert_eq!(
            [1, 2, 17].map(|n| run.again(n).to_string()),
            ["0123456789abcdef", "0123456789abcdef-2", "0123456789abcdef-17"]
        );
        assert_eq!(run.again(2).again(3), run.again(3));
        assert!(run.again(3).as_str().parse::<RunId>().is_ok());
    }

    #[test]
    fn a_run_is_sixteen_hex_digits_and_perhaps_a_rerun() {
        for good in ["0123456789abcdef", "0123456789abcdef-2", "0123456789abcdef-17"] {
            assert!(good.parse::<RunId>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "0123456789ABCDEF",
            "0123456789abcde",
            "../../etc/passwd",
            "0123456789abcdef-1",
            "0123456789abcdef-x",
            "0123456789abcdef-+3",
        ] {
            assert!(bad.parse::<RunId>().is_err(), "{bad}");
        }
    }
}
