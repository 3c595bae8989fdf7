//! `segmentation.nwb`: the run as one file of Neurodata Without Borders (NWB 2.7.0, "NWB Format Specification",
//! nwb-schema.readthedocs.io), for every program that reads those.
//!
//! Its bytes depend on the recording and the settings alone: identifiers are hashes of the run and of the place in the file, and
//! the date of the file is that of the session. Nothing is compressed: raw traces shrink by little, their readers want any
//! piece of them, and the size is known before the first byte is written.

mod general;
pub(crate) mod hdf5;
mod images;
mod series;
mod session;
mod table;

use std::io::{self, Write};

use dropscope_segmentation::{Segmentation, SegmentedRecording};
use sha2::{Digest, Sha256};

use crate::{OutputError, RunMeta, tables::first_roi};
pub use hdf5::Hdf5Error;
use hdf5::{Child, Kind, Node, Plan, Value};
pub use session::{Session, Subject};

/// Name of the file.
pub(crate) const NAME: &str = "segmentation.nwb";

/// Everything that the parts of the file are made of.
#[derive(Clone, Copy)]
struct Source<'a> {
    meta: &'a RunMeta,
    session: &'a Session,
    recording: &'a SegmentedRecording,
}

impl<'a> Source<'a> {
    /// Every plane with its number and the number of its first ROI.
    fn planes(self) -> impl Iterator<Item = (usize, usize, &'a Segmentation)> {
        let first = first_roi(&self.recording.planes);
        self.recording.planes.iter().zip(first).enumerate().map(|(p, (seg, first))| (p, first, seg))
    }
}

/// Settles the file and hands a function that writes it to `write`.
///
/// # Errors
/// [`OutputError::Nwb`], a mistake of the program; else those of `write`.
pub(crate) fn with_file<E: From<OutputError>>(
    (meta, session, recording): (&RunMeta, &Session, &SegmentedRecording),
    write: impl FnOnce(&dyn Fn(&mut dyn Write) -> io::Result<()>) -> Result<(), E>,
) -> Result<(), E> {
    let source = Source { meta, session, recording };
    let mut root = general::file(source).holding("processing", Node::group().holding("ophys", module(source)));
    identify(&session.identifier, "", &mut root);
    let plan = Plan::of(&root).map_err(OutputError::Nwb)?;
    write(&|out| plan.write_to(out))
}

/// Everything that was computed. A plane without ROIs has no table and no traces, since NWB knows no empty ones.
fn module(source: Source<'_>) -> Node<'_> {
    let version = &source.meta.version;
    let what = format!(
        "Registration, ROIs, traces, deconvolution, classification and clusters by dropscope {version}. Times count from the \
         first frame. Planes and ROIs are numbered from 0, as in rois.csv and traces.csv."
    );
    let mut module = typed("core", "ProcessingModule").with("description", what);
    if source.recording.planes.iter().any(|seg| !seg.rois.is_empty()) {
        module = module.holding("ImageSegmentation", table::segmentation(source));
        module = series::all(source, module);
    }
    images::all(source, module)
}

/// A group of a type of a namespace.
fn typed<'a>(namespace: &'static str, name: &'static str) -> Node<'a> {
    of_type(Node::group(), namespace, name)
}

/// Any object as one of a type of a namespace.
fn of_type<'a>(node: Node<'a>, namespace: &'static str, name: &'static str) -> Node<'a> {
    node.with("namespace", namespace).with("neurodata_type", name)
}

/// Gives every object of a type its identifier.
fn identify(run: &str, path: &str, node: &mut Node<'_>) {
    if node.attributes.iter().any(|(name, _)| *name == "neurodata_type") {
        node.attributes.push(("object_id", Value::Text(object_id(run, path))));
    }
    if let Kind::Group(children) = &mut node.kind {
        for (name, child) in children {
            if let Child::Node(child) = child {
                identify(run, &format!("{path}/{name}"), child);
            }
        }
    }
}

/// A UUID of version 8 (RFC 9562): the hash of the run and of the path in the file.
fn object_id(run: &str, path: &str) -> String {
    let hash = Sha256::new().chain_update(run).chain_update([0]).chain_update(path).finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = |range: std::ops::Range<usize>| bytes[range].iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    [hex(0..4), hex(4..6), hex(6..8), hex(8..10), hex(10..16)].join("-")
}
