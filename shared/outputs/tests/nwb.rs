//! pynwb, nwbinspector and roiextractors judge the NWB file against the arrays and tables beside it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::process::Command;

use dropscope_outputs::{Session, Subject, write_folder};
use dropscope_segmentation::SegmentedRecording;
use dropscope_testkit::python_with;
use support::{joined, meta, planted, scene, session};

/// Pinned: what they find fault with changes with their versions. The same as in the tests of the writer.
const PACKAGES: [&str; 4] = ["pynwb==4.2.0", "nwbinspector==0.7.2", "roiextractors==0.10.0", "h5py==3.16.0"];

fn stated() -> Session {
    let text = |text: &str| Some(text.to_owned());
    Session {
        experimenters: vec!["Roe, Ana".to_owned(), "Doe, Jö".to_owned()],
        experiment: text("Whether the files can be read."),
        institution: text("Institute"),
        lab: text("Lab"),
        id: text("7"),
        keywords: vec!["calcium".to_owned()],
        device: text("Scope"),
        device_description: text("A microscope."),
        location: text("tectum"),
        indicator: text("GCaMP6s"),
        excitation_nm: Some(920.0),
        emission_nm: Some(510.0),
        subject: Some(Subject {
            id: text("fish 7 ä"),
            species: text("Danio rerio"),
            sex: text("U"),
            age: text("P7D"),
            genotype: text("Tg(elavl3:GCaMP6s)"),
            ..Subject::default()
        }),
        ..session()
    }
}

fn judge(recording: &SegmentedRecording, session: &Session) {
    let dir = tempfile::tempdir().unwrap();
    write_folder(dir.path(), &meta(), session, recording).unwrap();
    let rois: Vec<String> = recording.planes.iter().map(|seg| seg.rois.len().to_string()).collect();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/nwb.py");
    let output = Command::new(python_with(&PACKAGES).expect("tests need a Python"))
        .arg(script)
        .args([rois.join(","), if session.subject.is_some() { "stated" } else { "none" }.to_owned()])
        .current_dir(dir.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{rois:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// With an ROI that is no cell, and so in no cluster.
fn one_is_no_cell() -> SegmentedRecording {
    let mut recording = planted(&scene(64, 72, 60, 6));
    let (roi, clustering) = (&mut recording.planes[0].rois[5], &mut recording.clustering);
    (roi.is_cell, roi.cell_probability) = (false, 0.25);
    clustering.members.pop();
    clustering.labels.pop();
    clustering.references.pop();
    clustering.order.retain(|&i| i != 5);
    clustering.covariance = ndarray::Array2::from_shape_fn((5, 5), |at| clustering.covariance[at]);
    recording
}

#[test]
fn a_file_of_one_plane_is_what_the_arrays_are_and_keeps_best_practice() {
    for session in [session(), stated()] {
        judge(&one_is_no_cell(), &session);
    }
}

#[test]
fn a_file_of_several_planes_is_what_the_arrays_are_and_keeps_best_practice() {
    let of = |rois| planted(&scene(64, 72, 60, rois));
    for session in [session(), stated()] {
        judge(&joined(&[of(5), of(0), of(1)]), &session);
    }
}

#[test]
fn a_recording_without_rois_has_images_and_motion() {
    judge(&planted(&scene(64, 72, 20, 0)), &session());
}
