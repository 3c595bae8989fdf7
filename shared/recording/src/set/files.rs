//! Which of the members are the recording's files, and in which order.

use std::collections::HashMap;
use std::sync::Arc;

use super::Members;
use super::session::Session;
use crate::metadata::FileSet;
use crate::page::Shape;
use crate::survey::{self, Looked};
use crate::{Limits, RecordingError, SampleType, names};

/// The TIFF files among the members, in the order of their pages.
pub(super) struct Files {
    members: Box<dyn Members>,
    order: Vec<usize>,
    /// Channels that alternate from file to file, where names tell of several.
    pub(super) channels: Option<usize>,
    pub(super) notes: Vec<String>,
    /// What a session file says of them.
    pub(super) session: Option<Session>,
}

/// What is kept of a file that was looked through.
pub(super) struct Seen {
    pub(super) pages: usize,
    pub(super) shape: Shape,
    pub(super) dtype: SampleType,
}

impl Files {
    pub(super) fn of(members: Box<dyn Members>, limits: &Limits) -> Result<Self, RecordingError> {
        let tiffs: Vec<usize> = (0..members.names().len()).filter(|at| is_tiff(&members.names()[*at])).collect();
        if tiffs.is_empty() {
            return Err(RecordingError::not_a_recording(
                "the folder holds no TIFF file",
                "put the recording's TIFF files (.tif or .tiff) into the folder",
            ));
        }
        if let Some(session) = Session::among(&*members, limits)? {
            let order = chosen(&*members, &tiffs, session.files())?;
            let mut notes = session.notes();
            if let Some(more) = tiffs.len().checked_sub(order.len()).filter(|more| *more > 0) {
                notes.push(format!("`{more}` TIFF files beside the session are none of its frames and are left aside"));
            }
            return Ok(Self { members, order, channels: None, notes, session: Some(session) });
        }
        let names: Vec<String> = tiffs.iter().map(|member| members.names()[*member].clone()).collect();
        let arranged = names::arrange(&names, members.is_list())?;
        let order = arranged.order.iter().map(|at| tiffs[*at]).collect();
        Ok(Self { members, order, channels: arranged.channels, notes: arranged.notes, session: None })
    }

    /// Takes the files in the order of a set that one of them describes. Says whether that changed anything.
    pub(super) fn follow(&mut self, set: Option<&FileSet>) -> Result<bool, RecordingError> {
        let Some(set) = set.filter(|set| set.files.len() > 1 && self.session.is_none()) else { return Ok(false) };
        let is_there = |name: &String| self.order.iter().any(|at| last(&self.members.names()[*at]) == name);
        if !set.files.iter().any(is_there) {
            // Renamed since: what is there is all that is known.
            return Ok(false);
        }
        let order = match self.members.is_list() {
            true => {
                self.order.iter().copied().filter(|at| set.files.iter().any(|f| f == last(&self.members.names()[*at]))).collect()
            }
            false => chosen(&*self.members, &self.order, set.files.iter().map(String::as_str))?,
        };
        let changed = order != self.order;
        self.order = order;
        Ok(changed)
    }

    pub(super) fn count(&self) -> usize {
        self.order.len()
    }

    pub(super) fn name(&self, file: usize) -> &str {
        &self.members.names()[self.order[file]]
    }

    pub(super) fn look(&self, file: usize, limits: &Limits) -> Result<Looked, RecordingError> {
        let source = self.members.open(self.order[file])?;
        survey::look(&Arc::from(source), limits).map_err(|error| error.of_file(self.name(file)))
    }

    /// Looks through one file for what must be the same in all.
    pub(super) fn see(&self, file: usize, limits: &Limits) -> Result<Seen, RecordingError> {
        let looked = self.look(file, limits)?;
        let (pages, shape) = (looked.part.pages(), looked.part.shape);
        let signed16 = looked.metadata.signed16 && shape.stored == SampleType::U16;
        Ok(Seen { pages, shape, dtype: if signed16 { SampleType::I16 } else { shape.stored } })
    }

    pub(super) fn check_same(&self, seen: &[Seen]) -> Result<(), RecordingError> {
        let describe = |s: &Seen| format!("{} × {} {}", s.shape.height, s.shape.width, s.dtype);
        let odd = seen.iter().position(|s| s.shape != seen[0].shape || s.dtype != seen[0].dtype);
        let Some(odd) = odd else { return Ok(()) };
        let (name, first) = (self.name(odd), self.name(0));
        Err(RecordingError::unsupported(
            format!("`{name}` is `{}` and the first file, `{first}`, is `{}`", describe(&seen[odd]), describe(&seen[0])),
            "move the files that do not belong to the recording, such as reference images, out of the folder",
        ))
    }
}

/// Names that microscopes and Fiji give TIFFs; `.btf`, `.tf2` and `.tf8` are BigTIFFs of OME and Bio-Formats.
fn is_tiff(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    [".tif", ".tiff", ".btf", ".tf2", ".tf8"].iter().any(|end| lower.ends_with(end))
}

/// A name without folders.
pub(super) fn last(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or(name)
}

/// The members of these names, in this order; those that are not there are named.
fn chosen<'a>(
    members: &dyn Members,
    among: &[usize],
    wanted: impl Iterator<Item = &'a str>,
) -> Result<Vec<usize>, RecordingError> {
    let there: HashMap<&str, usize> = among.iter().map(|at| (last(&members.names()[*at]), *at)).collect();
    let mut missing = Vec::new();
    let mut order = Vec::new();
    for name in wanted {
        match there.get(name) {
            Some(at) => order.push(*at),
            None => missing.push(name.to_owned()),
        }
    }
    if missing.is_empty() { Ok(order) } else { Err(RecordingError::incomplete(&missing, names::NAMED)) }
}
