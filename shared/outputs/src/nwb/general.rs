//! The session, the animal, the microscope and its planes; and the schema that all this follows.

use serde_json::Value as Json;

use super::hdf5::{Node, Type, Value};
use super::{Source, of_type, typed};

/// NWB 2.7.0 with hdmf-common 1.8.0, as files carry it: the oldest schema with all that is used here, so that no reader meets one
/// that is newer than itself. One object, from `<namespace>/<version>/<document>` to the document.
const SCHEMA: &str = include_str!("../../assets/nwb-schema.json");
const VERSION: &str = "2.7.0";

/// What NWB wants as a text and nobody stated.
const UNKNOWN: &str = "unknown";
/// The animals: what a subject of unstated species is, as a term of the NCBI taxonomy.
const ANIMALS: &str = "http://purl.obolibrary.org/obo/NCBITaxon_33208";
/// From nought days upwards: the age of any animal.
const ANY_AGE: &str = "P0D/";

/// The file without what was computed.
pub(super) fn file(source: Source<'_>) -> Node<'_> {
    let session = source.session;
    let start = || Node::text(&session.start);
    typed("core", "NWBFile")
        .with("nwb_version", VERSION)
        .with(".specloc", Value::Reference("/specifications".into()))
        .holding("acquisition", Node::group())
        .holding("analysis", Node::group())
        // The same run gives the same bytes; when they were made stands in provenance.json.
        .holding("file_create_date", Node::texts(vec![session.start.clone()]))
        .holding("general", general(source))
        .holding("identifier", Node::text(&session.identifier))
        .holding("session_description", Node::text(&session.description))
        .holding("session_start_time", start())
        .holding("specifications", specifications())
        .holding("stimulus", Node::group().holding("presentation", Node::group()).holding("templates", Node::group()))
        .holding("timestamps_reference_time", start())
}

fn general(source: Source<'_>) -> Node<'_> {
    let s = source.session;
    let device = device(source);
    let named = typed("core", "Device").with("description", s.device_description.as_deref().unwrap_or(UNSTATED_DEVICE));
    let mut general = Node::group()
        .holding("devices", Node::group().holding(device.as_str(), named))
        .holding("optophysiology", planes(source))
        .holding("subject", subject(source));
    let texts =
        [("experiment_description", &s.experiment), ("institution", &s.institution), ("lab", &s.lab), ("session_id", &s.id)];
    for (name, text) in texts {
        if let Some(text) = text {
            general = general.holding(name, Node::text(text));
        }
    }
    for (name, texts) in [("experimenter", &s.experimenters), ("keywords", &s.keywords)] {
        if !texts.is_empty() {
            general = general.holding(name, Node::texts(texts.clone()));
        }
    }
    general
}

const UNSTATED_DEVICE: &str = "The microscope; nobody stated which (nwb.device in dropscope.toml).";

/// Name of the microscope; a slash would make folders of it.
fn device(source: Source<'_>) -> String {
    let name = source.session.device.as_deref().unwrap_or("Microscope").replace('/', "_");
    if name.is_empty() || name == "." || name == ".." { "Microscope".to_owned() } else { name }
}

/// The animal: what is stated, and where nothing is, what is true of every animal.
fn subject(source: Source<'_>) -> Node<'_> {
    let stated = source.session.subject.clone().unwrap_or_default();
    let missing = [
        ("id", stated.id.is_none()),
        ("species", stated.species.is_none()),
        ("sex", stated.sex.is_none()),
        ("age", stated.age.is_none()),
    ];
    let missing: Vec<&str> = missing.iter().filter(|(_, is)| *is).map(|(name, _)| *name).collect();
    let unsaid =
        (!missing.is_empty()).then(|| format!("Nobody stated its {}: see nwb.subject in dropscope.toml.", missing.join(", ")));
    let about: Vec<String> = stated.description.into_iter().chain(unsaid).collect();
    let about = if about.is_empty() { "The animal that was imaged.".to_owned() } else { about.join(" ") };
    let age = Node::text(stated.age.as_deref().unwrap_or(ANY_AGE)).with("reference", "birth");
    let mut subject = typed("core", "Subject")
        .holding("age", age)
        .holding("description", Node::text(about))
        .holding("sex", Node::text(stated.sex.as_deref().unwrap_or("U")))
        .holding("species", Node::text(stated.species.as_deref().unwrap_or(ANIMALS)))
        .holding("subject_id", Node::text(stated.id.as_deref().unwrap_or(UNKNOWN)));
    for (name, text) in [("genotype", stated.genotype), ("strain", stated.strain)] {
        if let Some(text) = text {
            subject = subject.holding(name, Node::text(text));
        }
    }
    subject
}

/// Path of the plane with this number.
pub(super) fn plane_path(plane: usize) -> String {
    format!("/general/optophysiology/{}", plane_name(plane))
}

fn plane_name(plane: usize) -> String {
    format!("ImagingPlane{plane}")
}

fn planes(source: Source<'_>) -> Node<'_> {
    let all = source.recording.planes.len();
    (0..all).fold(Node::group(), |group, p| group.holding(plane_name(p), plane(source, p, all)))
}

fn plane(source: Source<'_>, p: usize, all: usize) -> Node<'_> {
    let (meta, session) = (source.meta, source.session);
    let (height, width) = source.recording.planes[p].first_frame.dim();
    let assumed = if meta.frame_rate_assumed { " The frame rate is assumed, since nobody stated it." } else { "" };
    let what = format!("Plane {p} of {all}, {width} columns (x) by {height} rows (y) of pixels.{assumed}");
    // NaN is NWB's word for a number that nobody knows.
    let unless_stated = |nm: Option<f64>| Node::number(nm.unwrap_or(f64::NAN));
    let stated = |text: &Option<String>| Node::text(text.as_deref().unwrap_or(UNKNOWN));
    let channel = typed("core", "OpticalChannel")
        .holding("description", Node::text("The channel that was segmented: the first."))
        .holding("emission_lambda", unless_stated(session.emission_nm));
    let mut plane = typed("core", "ImagingPlane")
        .holding("OpticalChannel", channel)
        .holding("description", Node::text(what))
        .linking("device", format!("/general/devices/{}", device(source)))
        .holding("excitation_lambda", unless_stated(session.excitation_nm))
        .holding("imaging_rate", Node::number(meta.frame_rate_hz))
        .holding("indicator", stated(&session.indicator))
        .holding("location", stated(&session.location));
    if let Some(um) = meta.pixel_size_um {
        plane = plane.holding("grid_spacing", Node::numbers(&[um * 1e-6; 2]).with("unit", "meters"));
    }
    plane
}

/// The schema, for readers that know another version.
fn specifications() -> Node<'static> {
    let documents: serde_json::Map<String, Json> = serde_json::from_str(SCHEMA).unwrap_or_default();
    let mut namespaces: Vec<(String, Vec<(String, Node<'static>)>)> = Vec::new();
    for (path, document) in documents {
        let Some((folder, name)) = path.rsplit_once('/') else { continue };
        let entry = (name.to_owned(), Node::text(document.to_string()));
        match namespaces.iter_mut().find(|(known, _)| known == folder) {
            Some((_, documents)) => documents.push(entry),
            None => namespaces.push((folder.to_owned(), vec![entry])),
        }
    }
    namespaces.into_iter().fold(Node::group(), |all, (folder, documents)| {
        let (namespace, version) = folder.split_once('/').unwrap_or((&folder, VERSION));
        let group = documents.into_iter().fold(Node::group(), |group, (name, text)| group.holding(name, text));
        all.holding(namespace, Node::group().holding(version, group))
    })
}

/// A column of a table, or anything else that one value of each row makes.
pub(super) fn column<'a>(of: Type, rows: usize, bytes: Vec<u8>, what: &str) -> Node<'a> {
    let data = Node::dataset(of, Some(vec![rows]), super::hdf5::Data::Bytes(bytes));
    of_type(data, "hdmf-common", "VectorData").with("description", what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_that_files_carry_is_whole() {
        let documents: serde_json::Map<String, Json> = serde_json::from_str(SCHEMA).unwrap();
        for namespace in ["core/2.7.0", "hdmf-common/1.8.0", "hdmf-experimental/0.5.0"] {
            let list = &documents[&format!("{namespace}/namespace")]["namespaces"][0]["schema"];
            for source in list.as_array().unwrap().iter().filter_map(|part| part["source"].as_str()) {
                assert!(documents.contains_key(&format!("{namespace}/{source}")), "{namespace} {source}");
            }
        }
    }
}
