//! A recording in many files: what lies in its folder, the list that is frozen when its run begins, its `recording.toml`.

use crate::key::ObjectKey;
use crate::{RunId, Settings, SettingsError, Timestamp};
use dropscope_recording::RecordingError;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// Name of the file that says that everything is there, and how to read it.
pub const STATEMENT: &str = "recording.toml";
/// A `recording.toml` is a few lines, or a list of many files; what is larger, bytes, is something else.
pub const LARGEST_STATEMENT: u64 = 8 << 20;
/// Files that are named one by one; of more only the number is told.
const NAMED: usize = 5;

/// One file of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Path below the folder.
    pub name: String,
    /// ETag: its content.
    pub etag: String,
    /// Size, bytes.
    pub size: u64,
}

/// One write of a `recording.toml`: written again, it is another, also with the same content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// ETag.
    pub etag: String,
    /// When, as far as the store tells.
    pub at: Option<Timestamp>,
}

/// What lies in a folder at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// The files of the recording, in the byte order of their names.
    pub members: Vec<Member>,
    /// Its `recording.toml`, and the size of that in bytes.
    pub statement: Option<(Written, u64)>,
    /// When the latest of them was written, as far as the store tells.
    pub newest: Option<Timestamp>,
}

impl Listing {
    /// SHA-256 of names, ETags and sizes in the order of names, then of the `recording.toml`, hex: two listings with the
    /// same digest are of the same recording.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        let mut part = |text: &[u8]| {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        };
        for Member { name, etag, size } in &self.members {
            part(name.as_bytes());
            part(etag.as_bytes());
            part(&size.to_be_bytes());
        }
        if let Some((Written { etag, at }, size)) = &self.statement {
            part(STATEMENT.as_bytes());
            part(etag.as_bytes());
            part(&size.to_be_bytes());
            part(at.map_or_else(String::new, |at| at.to_string()).as_bytes());
        }
        hex::encode(hash.finalize())
    }

    /// The `recording.toml` that lies there.
    pub fn written(&self) -> Option<&Written> {
        self.statement.as_ref().map(|(written, _)| written)
    }

    /// Whether nothing of a recording lies there.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty() && self.statement.is_none()
    }
}

/// The files of a run: written once, before the run is claimed; every later reading is of exactly these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frozen {
    /// Layout of this document.
    pub schema: u32,
    /// The run.
    pub run: RunId,
    /// The recording's folder.
    pub folder: ObjectKey,
    /// What the run's name comes from: [`Listing::digest`].
    pub digest: String,
    /// Every file of the folder, in the byte order of their names.
    pub members: Vec<Member>,
    /// What its `recording.toml` says, where there is one.
    pub statement: Option<Statement>,
}

/// What a `recording.toml` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Statement {
    /// Its text.
    Text(String),
    /// Why it is none.
    Unusable(String),
}

impl Statement {
    /// Takes its bytes for text.
    pub fn of_bytes(bytes: Vec<u8>) -> Self {
        match String::from_utf8(bytes) {
            Ok(text) if text.len() as u64 <= LARGEST_STATEMENT => Self::Text(text),
            Ok(_) => Self::Unusable(format!("it is larger than {LARGEST_STATEMENT} bytes")),
            Err(_) => Self::Unusable("it is not text".into()),
        }
    }
}

impl Frozen {
    /// Freezes what lies in a folder of this bucket; `statement` is the text of its `recording.toml`.
    pub fn new(bucket: &str, folder: &ObjectKey, listing: &Listing, statement: Option<Statement>) -> Self {
        let digest = listing.digest();
        let run = RunId::of_upload(bucket, folder, None, &digest);
        Self { schema: 1, run, folder: folder.clone(), digest, members: listing.members.clone(), statement }
    }

    /// What its `recording.toml` asks for; nothing where there is none.
    ///
    /// # Errors
    /// Why that cannot be used.
    pub fn said(&self) -> Result<RecordingToml, SettingsError> {
        match &self.statement {
            None => Ok(RecordingToml::default()),
            Some(Statement::Text(text)) => RecordingToml::from_toml(text),
            Some(Statement::Unusable(why)) => Err(SettingsError::Unreadable(why.clone())),
        }
    }

    /// All bytes of its files.
    pub fn bytes(&self) -> u64 {
        self.members.iter().fold(0, |sum, member| sum.saturating_add(member.size))
    }

    /// Files that came or changed since, by name.
    pub fn late(&self, listing: &Listing) -> Vec<String> {
        let known: BTreeMap<&str, &str> = self.members.iter().map(|m| (m.name.as_str(), m.etag.as_str())).collect();
        let late = listing.members.iter().filter(|m| known.get(m.name.as_str()) != Some(&m.etag.as_str()));
        late.map(|member| member.name.clone()).collect()
    }
}

/// The latest run of a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    /// Layout of this document.
    pub schema: u32,
    /// The recording's folder.
    pub folder: ObjectKey,
    /// Its latest run.
    pub run: RunId,
    /// What lay there: [`Listing::digest`].
    pub digest: String,
    /// The `recording.toml` that it began with.
    pub statement: Option<Written>,
}

impl Begun {
    /// Whether what lies there now begins no other run: only another `recording.toml` does.
    pub fn holds(&self, listing: &Listing) -> bool {
        listing.written().is_none_or(|written| self.statement.as_ref() == Some(written))
    }
}

/// What a `recording.toml` says; everything may be left out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RecordingToml {
    /// The files of the recording; all files of the folder where it names none.
    pub members: Option<Vec<String>>,
    /// Settings, which win over `dropscope.toml`.
    pub settings: Settings,
}

/// Which files of a folder are the recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// Places in the list of names.
    pub places: Vec<usize>,
    /// Whether somebody named each of them.
    pub is_list: bool,
    /// What the owner should know, one sentence each.
    pub notes: Vec<String>,
}

impl RecordingToml {
    /// Reads a `recording.toml`.
    ///
    /// # Errors
    /// When it is no TOML, names an unknown setting or no file or one file twice, or a value is out of range.
    pub fn from_toml(text: &str) -> Result<Self, SettingsError> {
        let unreadable = |error: toml::de::Error| SettingsError::Unreadable(error.message().to_owned());
        let mut table: toml::Table = toml::from_str(text).map_err(unreadable)?;
        let members = match table.remove("members") {
            Some(members) => Some(listed(members.try_into().map_err(unreadable)?)?),
            None => None,
        };
        let settings = Settings::deserialize(table).map_err(unreadable)?;
        settings.check()?;
        Ok(Self { members, settings })
    }

    /// Chooses the recording's files among those that lie in its folder.
    ///
    /// # Errors
    /// Names those that are asked for and are not there.
    pub fn choose(&self, names: &[String]) -> Result<Chosen, RecordingError> {
        let Some(members) = &self.members else {
            return Ok(Chosen { places: (0..names.len()).collect(), is_list: false, notes: Vec::new() });
        };
        let there: BTreeSet<&String> = names.iter().collect();
        let missing: Vec<&str> = members.iter().filter(|m| !there.contains(m)).map(String::as_str).collect();
        if !missing.is_empty() {
            return Err(RecordingError::Settings {
                cause: format!("{STATEMENT} names files that are not in the folder: {}", few(&missing)),
                remedy: format!("put them there and write {STATEMENT} again, or take their names out of it"),
            });
        }
        let asked: BTreeSet<&String> = members.iter().collect();
        let (places, others): (Vec<usize>, Vec<usize>) = (0..names.len()).partition(|at| asked.contains(&names[*at]));
        let others: Vec<&str> = others.into_iter().map(|at| names[at].as_str()).collect();
        let note = || format!("files of the folder that {STATEMENT} does not name are left aside: {}", few(&others));
        let notes = if others.is_empty() { Vec::new() } else { vec![note()] };
        Ok(Chosen { places, is_list: true, notes })
    }
}

fn listed(members: Vec<String>) -> Result<Vec<String>, SettingsError> {
    let mut seen = BTreeSet::new();
    match members.iter().find(|member| !seen.insert(*member)) {
        Some(twice) => Err(SettingsError::Unreadable(format!("`members` names `{twice}` twice"))),
        None if members.is_empty() => Err(SettingsError::Unreadable("`members` names no file".into())),
        None => Ok(members),
    }
}

fn few(names: &[&str]) -> String {
    let list = names[..names.len().min(NAMED)].iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => list,
        more => format!("{list} and {more} more"),
    }
}

#[cfg(test)]
#[path = "folder_tests.rs"]
mod tests;
