//! What can go wrong while results become files.

use std::path::PathBuf;

use dropscope_segmentation::{Clustering, Member, Segmentation, SegmentedRecording};

/// Why an output could not be made or written.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// The result contradicts itself: a mistake of the program, not of the recording.
    #[error("plane `{plane}` has `{found}` {what} where `{expected}` were expected")]
    Inconsistent {
        /// Index of the plane.
        plane: usize,
        /// What was counted.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// The clusters contradict the planes or themselves: a mistake of the program, not of the recording.
    #[error("the clusters have `{found}` {what} where `{expected}` were expected")]
    Clusters {
        /// What was counted.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// There is no plane to write.
    #[error("the result holds no plane")]
    NoPlanes,
    /// A document has no JSON form: a mistake of the program.
    #[error("`clusters.json` cannot be written")]
    Document(#[source] serde_json::Error),
    /// The data of the report have no JSON form: a mistake of the program.
    #[error("`report.html` cannot be written")]
    Report(#[source] serde_json::Error),
    /// The NWB file contradicts itself: a mistake of the program.
    #[error("`segmentation.nwb` cannot be written")]
    Nwb(#[source] crate::nwb::Hdf5Error),
    /// A picture could not be made.
    #[error(transparent)]
    Picture(#[from] dropscope_picture::PictureError),
    /// A file could not be written: space, permission, a vanished folder.
    #[error("`{path}` could not be written")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

/// Checks that the parts of each plane, and the clusters, agree in size, so that writers need not.
pub(crate) fn check(recording: &SegmentedRecording) -> Result<(), OutputError> {
    if recording.planes.is_empty() {
        return Err(OutputError::NoPlanes);
    }
    for (plane, seg) in recording.planes.iter().enumerate() {
        for (what, found, expected) in counts(seg) {
            if found != expected {
                return Err(OutputError::Inconsistent { plane, what, found, expected });
            }
        }
    }
    check_clusters(&recording.clustering, &recording.planes)
}

fn counts(seg: &Segmentation) -> Vec<(&'static str, usize, usize)> {
    let rois = seg.rois.len();
    let frames = seg.f.ncols();
    let (height, width) = seg.first_frame.dim();
    let reg = &seg.registration;
    let mut all = vec![
        ("rows of F", seg.f.nrows(), rois),
        ("shifts along y", reg.yoff.len(), frames),
        ("shifts along x", reg.xoff.len(), frames),
        ("rows of block shifts along y", reg.blocks.yoff1.nrows(), frames),
        ("rows of block shifts along x", reg.blocks.xoff1.nrows(), frames),
        ("columns of block shifts along y", reg.blocks.yoff1.ncols(), reg.blocks.y.len()),
        ("columns of block shifts along x", reg.blocks.xoff1.ncols(), reg.blocks.x.len()),
        ("correlations", reg.corr.len(), frames),
        ("marks of bad frames", reg.bad_frames.len(), frames),
        ("rows of Fneu", seg.fneu.nrows(), rois),
        ("rows of spks", seg.spks.nrows(), rois),
        ("columns of Fneu", seg.fneu.ncols(), frames),
        ("columns of spks", seg.spks.ncols(), frames),
    ];
    for (what, image) in [
        ("pixels of the mean", &reg.mean),
        ("pixels of the raw mean", &reg.mean_raw),
        ("pixels of the maximum", &reg.max),
        ("pixels of the reference", &reg.reference),
        ("pixels of the deviation", &reg.sd),
    ] {
        all.push((what, image.len(), height * width));
    }
    for roi in &seg.rois {
        all.push(("columns of a ROI", roi.xpix.len(), roi.ypix.len()));
        all.push(("weights of a ROI", roi.lam.len(), roi.ypix.len()));
        all.push(("overlap marks of a ROI", roi.overlap.len(), roi.ypix.len()));
    }
    all
}

/// Checks that the clusters agree with themselves and the planes.
pub(crate) fn check_clusters(c: &Clustering, planes: &[Segmentation]) -> Result<(), OutputError> {
    let members = c.members.len();
    let exists = |m: &Member| planes.get(m.plane).is_some_and(|seg| m.roi < seg.rois.len());
    let strays = |positions: &[usize]| positions.iter().filter(|&&p| p >= members).count();
    for (what, found, expected) in [
        ("labels", c.labels.len(), members),
        ("ordered cells", c.order.len(), members),
        ("rows of the covariance", c.covariance.nrows(), members),
        ("columns of the covariance", c.covariance.ncols(), c.references.len()),
        (
            "cells that do not exist",
            c.members.iter().filter(|m| !exists(m)).count() + strays(&c.order) + strays(&c.references),
            0,
        ),
    ] {
        if found != expected {
            return Err(OutputError::Clusters { what, found, expected });
        }
    }
    Ok(())
}
