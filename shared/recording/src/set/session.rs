//! The session file that Prairie View writes beside its frames, as the order of their files.

use std::collections::HashMap;

use super::Members;
use super::files::{Files, Seen};
use crate::metadata::prairie::Prairie;
use crate::metadata::{CHANNEL_PLANE_TIME, Metadata, Stated};
use crate::{Limits, RecordingError, Source};

/// A session of a hundred thousand frames takes some 30 MB of XML.
const LARGEST: u64 = 256 << 20;
/// XML files beside the frames that are looked at: a session has one, and some settings.
const MOST: usize = 8;
/// Enough of a file to tell whether it is a session.
const START: u64 = 4096;

/// A session, and its files by name in the order in which they come first.
pub(super) struct Session {
    prairie: Prairie,
    files: Vec<String>,
}

impl Session {
    /// The session file among the members, if there is one.
    pub(super) fn among(members: &dyn Members, limits: &Limits) -> Result<Option<Self>, RecordingError> {
        let is_xml = |name: &String| name.to_ascii_lowercase().ends_with(".xml");
        let xmls = members.names().iter().enumerate().filter(|(_, name)| is_xml(name)).take(MOST);
        for (member, name) in xmls {
            if let Some(text) = text_of(members, member)? {
                let prairie = Prairie::parse(&text, limits).map_err(|error| error.of_file(name))?;
                return Ok(Some(Self::of(prairie)));
            }
        }
        Ok(None)
    }

    fn of(prairie: Prairie) -> Self {
        let mut seen = std::collections::HashSet::new();
        let files = prairie.pages.iter().map(|page| &page.file).filter(|file| seen.insert(*file)).cloned().collect();
        Self { prairie, files }
    }

    pub(super) fn files(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(String::as_str)
    }

    pub(super) fn notes(&self) -> Vec<String> {
        self.prairie.notes.clone()
    }

    /// Which page of which file each page of the session is.
    pub(super) fn places(&self, files: &Files, seen: &[Seen]) -> Result<Vec<(u32, u32)>, RecordingError> {
        let number: HashMap<&str, u32> = (0u32..).zip(&self.files).map(|(number, file)| (file.as_str(), number)).collect();
        let place = |page: &crate::metadata::prairie::PrairiePage| {
            let file = *number.get(page.file.as_str())?;
            let there = page.page < seen.get(file as usize)?.pages;
            there.then_some((file, u32::try_from(page.page).ok()?))
        };
        let find = |page| {
            place(page).ok_or_else(|| {
                let missing = format!("page {} of {}", page.page + 1, page.file);
                RecordingError::incomplete(&[missing], crate::names::NAMED)
            })
        };
        debug_assert_eq!(files.count(), self.files.len());
        self.prairie.pages.iter().map(find).collect()
    }

    /// What the session states, over what the first file does.
    pub(super) fn state(&self, metadata: Metadata) -> Metadata {
        let source = |fact: &str| match self.prairie.sources.get(fact) {
            Some(Source::Metadata(field)) => field.clone(),
            _ => "Prairie View".to_owned(),
        };
        let stated = |value, field: &str| Some(Stated::new(value, field));
        Metadata {
            frames: None,
            planes: stated(self.prairie.planes, "Prairie View Sequence"),
            channels: stated(self.prairie.channels, "Prairie View File channel"),
            flyback: 0,
            order: CHANNEL_PLANE_TIME,
            channels_are_simultaneous: true,
            frame_rate_hz: self
                .prairie
                .frame_rate_hz
                .map(|hz| Stated::new(hz, source("frame_rate_hz")))
                .or(metadata.frame_rate_hz),
            pixel_size_um: self
                .prairie
                .pixel_size_um
                .map(|um| Stated::new(um, source("pixel_size_um")))
                .or(metadata.pixel_size_um),
            pages: None,
            ..metadata
        }
    }
}

/// The text of a member that is a session.
fn text_of(members: &dyn Members, member: usize) -> Result<Option<String>, RecordingError> {
    let source = members.open(member)?;
    let size = source.size()?;
    let mut start = vec![0; size.min(START) as usize];
    source.read_exact_at(0, &mut start)?;
    if !String::from_utf8_lossy(&start).contains("<PVScan") {
        return Ok(None);
    }
    if size > LARGEST {
        return Err(RecordingError::too_big(
            format!("the session file has `{size}` bytes, at most `{LARGEST}` are read"),
            "split the recording",
        )
        .of_file(&members.names()[member]));
    }
    let mut text = vec![0; size as usize];
    source.read_exact_at(0, &mut text)?;
    Ok(Some(String::from_utf8_lossy(&text).into_owned()))
}
