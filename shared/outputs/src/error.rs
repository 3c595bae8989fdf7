//! What can go wrong while results become files.

use std::path::PathBuf;

use dropscope_segmentation::Segmentation;

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
    /// There is no plane to write.
    #[error("the result holds no plane")]
    NoPlanes,
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

/// Checks that the parts of each plane agree in size, so that writers need not.
pub(crate) fn check(planes: &[Segmentation]) -> Result<(), OutputError> {
    if planes.is_empty() {
        return Err(OutputError::NoPlanes);
    }
    for (plane, seg) in planes.iter().enumerate() {
        for (what, found, expected) in counts(seg) {
            if found != expected {
                return Err(OutputError::Inconsistent { plane, what, found, expected });
            }
        }
        check_members(plane, seg)?;
    }
    Ok(())
}

fn counts(seg: &Segmentation) -> Vec<(&'static str, usize, usize)> {
    let rois = seg.rois.len();
    let frames = seg.f.ncols();
    let members = seg.clustering.members.len();
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
        ("cluster labels", seg.clustering.labels.len(), members),
        ("ordered cells", seg.clustering.order.len(), members),
        ("rows of the covariance", seg.clustering.covariance.nrows(), members),
        ("columns of the covariance", seg.clustering.covariance.ncols(), members),
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

fn check_members(plane: usize, seg: &Segmentation) -> Result<(), OutputError> {
    let c = &seg.clustering;
    let outside =
        c.members.iter().filter(|&&m| m >= seg.rois.len()).count() + c.order.iter().filter(|&&o| o >= c.members.len()).count();
    if outside > 0 {
        return Err(OutputError::Inconsistent { plane, what: "clustered cells that do not exist", found: outside, expected: 0 });
    }
    Ok(())
}
