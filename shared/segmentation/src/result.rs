//! What a segmented recording holds: the types every later room reads.

use crate::{ClusterBy, Quality};
use ndarray::Array2;

/// A recording, segmented: its planes, and the clusters of the cells of all of them.
#[derive(Debug, Clone)]
pub struct SegmentedRecording {
    /// The planes, in the order of their acquisition.
    pub planes: Vec<Segmentation>,
    /// Which cells are active together, over all planes.
    pub clustering: Clustering,
}

/// One plane, segmented. Arrays of traces are ROIs × frames, in the order of `rois`.
#[derive(Debug, Clone)]
pub struct Segmentation {
    /// The first raw frame, height × width, in the recording's own units.
    pub first_frame: Array2<f32>,
    /// Motion and the images made of the registered movie.
    pub registration: Registration,
    /// Regions of interest, brightest evidence first.
    pub rois: Vec<Roi>,
    /// Weighted mean fluorescence over the pixels no other ROI shares, raw units.
    pub f: Array2<f32>,
    /// Mean fluorescence of the surround, raw units.
    pub fneu: Array2<f32>,
    /// Deconvolved activity, units of the corrected trace, never negative.
    pub spks: Array2<f32>,
    /// How well it was registered, and what its owner should know.
    pub quality: Quality,
}

/// The outcome of registration. Sign as in suite2p: `registered(y, x) = frame(y + yoff + yoff1, x + xoff + xoff1)`.
#[derive(Debug, Clone)]
pub struct Registration {
    /// Reference image, height × width.
    pub reference: Array2<f32>,
    /// Mean shift of each frame along y, pixels, with fractions.
    pub yoff: Vec<f32>,
    /// Mean shift of each frame along x, pixels, with fractions.
    pub xoff: Vec<f32>,
    /// What the parts of each frame moved beside that.
    pub blocks: Blocks,
    /// Peak of the phase correlation of each frame, 0 to 1.
    pub corr: Vec<f32>,
    /// Frames kept out of detection (blank, or a shift no neighbour shares).
    pub bad_frames: Vec<bool>,
    /// Rows that every good frame covers, end exclusive.
    pub yrange: (usize, usize),
    /// Columns that every good frame covers, end exclusive.
    pub xrange: (usize, usize),
    /// Mean of the registered good frames.
    pub mean: Array2<f32>,
    /// Mean of the raw frames, before registration.
    pub mean_raw: Array2<f32>,
    /// Maximum of the registered, temporally binned good frames.
    pub max: Array2<f32>,
    /// Standard deviation of the registered good frames.
    pub sd: Array2<f32>,
}

/// Motion of the parts of a frame against the frame as a whole, at the centres of overlapping blocks.
#[derive(Debug, Clone, PartialEq)]
pub struct Blocks {
    /// Rows of each block, end exclusive.
    pub y: Vec<(usize, usize)>,
    /// Columns of each block, end exclusive.
    pub x: Vec<(usize, usize)>,
    /// Blocks along y and along x; they are listed row by row.
    pub shape: (usize, usize),
    /// Shift of each block along y beside `yoff`, pixels, frames × blocks.
    pub yoff1: Array2<f32>,
    /// Shift of each block along x beside `xoff`, pixels, frames × blocks.
    pub xoff1: Array2<f32>,
}

/// A region of interest: a cell, or something that looks like one.
#[derive(Debug, Clone, PartialEq)]
pub struct Roi {
    /// Row of each pixel.
    pub ypix: Vec<u32>,
    /// Column of each pixel.
    pub xpix: Vec<u32>,
    /// Weight of each pixel, positive.
    pub lam: Vec<f32>,
    /// Which pixels another ROI has too.
    pub overlap: Vec<bool>,
    /// Median pixel (y, x): the centre.
    pub med: (u32, u32),
    /// Radius of the fitted disc, pixels.
    pub radius: f32,
    /// Long over short axis of the pixel cloud, 1 for a disc.
    pub aspect_ratio: f32,
    /// Mean distance of the pixels from the centre over that of a disc of the same area, 1 for a disc.
    pub compact: f32,
    /// Skewness of the neuropil-corrected trace.
    pub skew: f32,
    /// Standard deviation of the neuropil-corrected trace, raw units.
    pub std: f32,
    /// Signal to noise of the neuropil-corrected trace (95th percentile above the median, over the noise).
    pub snr: f32,
    /// How far it stands out of its surround in the mean image, spreads of the surround.
    pub contrast: f32,
    /// Share of its height that is left in a ring around it: near 0 for what is in focus.
    pub halo: f32,
    /// Area over that which cells of this recording usually have.
    pub relative_area: f32,
    /// Neuropil coefficient used for this ROI.
    pub neuropil_coefficient: f32,
    /// Whether this ROI is taken for a cell.
    pub is_cell: bool,
    /// Evidence for that, 0 to 1.
    pub cell_probability: f32,
}

/// A cell of a recording: which ROI of which plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// Index of the plane.
    pub plane: usize,
    /// Index into the `rois` of that plane.
    pub roi: usize,
}

/// k-means of the rows of the covariance matrix of the cells' corrected traces, over all planes.
#[derive(Debug, Clone)]
pub struct Clustering {
    /// Which matrix: of covariances, or of correlations, which are the covariances of standardised traces.
    pub by: ClusterBy,
    /// The clustered cells (those with `is_cell`), plane by plane, in ROI order.
    pub members: Vec<Member>,
    /// Cluster of each member, 0 to k−1; clusters are numbered by size, largest first.
    pub labels: Vec<usize>,
    /// Positions within `members` of the cells that the columns of `covariance` stand for, in their order: all of them, or,
    /// of more than some thousands, evenly chosen ones.
    pub references: Vec<usize>,
    /// Covariance of the members' traces with those of the references, members × references. The traces are averaged over
    /// half of the indicator's decay time first.
    pub covariance: Array2<f64>,
    /// Positions within `members`, ordered by cluster, then by how typical the cell is.
    pub order: Vec<usize>,
    /// Number of clusters asked for, or chosen; fewer when there are fewer cells.
    pub k: usize,
    /// What the numbers of clusters tried were worth, where the number was to be chosen.
    pub silhouettes: Vec<Silhouette>,
}

impl Clustering {
    /// Number of clusters that have cells.
    #[must_use]
    pub fn in_use(&self) -> usize {
        self.labels.iter().max().map_or(0, |most| most + 1)
    }

    /// Positions within `members`, in the order of the clusters, of the cells of one plane.
    pub fn order_in(&self, plane: usize) -> impl Iterator<Item = usize> + '_ {
        self.order.iter().copied().filter(move |&position| self.members[position].plane == plane)
    }
}

/// How well a number of clusters fits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Silhouette {
    /// Number of clusters.
    pub k: usize,
    /// Mean silhouette of the cells, −1 to 1 (Rousseeuw 1987).
    pub mean: f64,
}
