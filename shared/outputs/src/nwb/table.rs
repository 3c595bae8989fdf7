//! The ROIs of each plane, with their pixels and measures.

use dropscope_segmentation::{Roi, Segmentation};

use super::general::{column, plane_path};
use super::hdf5::{Data, Node, Type, Value};
use super::{Source, of_type, typed};
use crate::tables::cluster_of_each_roi;

const FOLDER: &str = "/processing/ophys/ImageSegmentation";

/// Measures of a ROI: name of the column, what it is, value.
type Measure = (&'static str, &'static str, fn(&Roi) -> f32);

const MEASURES: [Measure; 13] = [
    ("cell_probability", "Evidence that the ROI is a cell, 0 to 1.", |r| r.cell_probability),
    ("y", "Row of the median pixel, pixels from the upper edge.", |r| r.med.0 as f32),
    ("x", "Column of the median pixel, pixels from the left edge.", |r| r.med.1 as f32),
    ("radius", "Radius of the fitted disc, pixels.", |r| r.radius),
    ("aspect_ratio", "Long over short axis, 1 for a disc.", |r| r.aspect_ratio),
    ("compactness", "Mean distance of the pixels from the centre over that of a disc, 1 for a disc.", |r| r.compact),
    ("snr", "Signal to noise of the neuropil-corrected trace.", |r| r.snr),
    ("skewness", "Skewness of the neuropil-corrected trace.", |r| r.skew),
    ("std", "Standard deviation of the neuropil-corrected trace, units of the recording.", |r| r.std),
    ("contrast", "How far it stands out of its surround in the mean image, spreads of the surround.", |r| r.contrast),
    ("halo", "Share of its height that is left in a ring around it, near 0 for what is in focus.", |r| r.halo),
    ("relative_area", "Area over that which cells of this recording usually have.", |r| r.relative_area),
    ("neuropil_coefficient", "Share of the neuropil that was subtracted.", |r| r.neuropil_coefficient),
];

/// Path of the table of this plane.
pub(super) fn path(plane: usize) -> String {
    format!("{FOLDER}/{}", name(plane))
}

fn name(plane: usize) -> String {
    format!("PlaneSegmentation{plane}")
}

/// The tables of all planes that have ROIs.
pub(super) fn segmentation(source: Source<'_>) -> Node<'_> {
    let clusters = cluster_of_each_roi(source.recording);
    let with_rois = source.planes().filter(|(_, _, seg)| !seg.rois.is_empty());
    with_rois.fold(typed("core", "ImageSegmentation"), |all, (p, first, seg)| {
        all.holding(name(p), table(p, first, seg, &clusters[first..first + seg.rois.len()]))
    })
}

fn table<'a>(p: usize, first: usize, seg: &'a Segmentation, clusters: &[Option<usize>]) -> Node<'a> {
    let rois = &seg.rois;
    let names = ["pixel_mask", "iscell", "cluster"].into_iter().chain(MEASURES.iter().map(|(name, _, _)| *name));
    let ids = (first..first + rois.len()).flat_map(|id| (id as i64).to_le_bytes()).collect();
    let ids = Node::dataset(Type::Signed(8), Some(vec![rois.len()]), Data::Bytes(ids));
    let cells = rois.iter().map(|r| u8::from(r.is_cell)).collect();
    // There are a hundred clusters at most.
    let clusters = clusters.iter().map(|c| c.map_or(0, |c| (c + 1).min(255) as u8)).collect();
    let what = format!("ROIs of plane {p}, cells or not. The id is the number of the ROI in rois.csv and traces.csv.");
    let table = typed("core", "PlaneSegmentation")
        .with("description", what)
        .with("colnames", Value::Texts(names.map(str::to_owned).collect()))
        .holding("id", of_type(ids, "hdmf-common", "ElementIdentifiers"))
        .linking("imaging_plane", plane_path(p))
        .holding("reference_images", Node::group())
        .holding("pixel_mask", pixels(rois))
        .holding("pixel_mask_index", index(p, rois))
        .holding("iscell", column(Type::Bool, rois.len(), cells, "Whether the ROI is taken for a cell."))
        .holding("cluster", column(Type::Unsigned(1), rois.len(), clusters, CLUSTER));
    MEASURES.iter().fold(table, |table, (name, what, of)| {
        let values = rois.iter().flat_map(|r| of(r).to_le_bytes()).collect();
        table.holding(*name, column(Type::F32, rois.len(), values, what))
    })
}

const CLUSTER: &str =
    "Cluster of the cell as in clusters.csv, the same in all planes: 1 is the largest. 0 where the ROI is in no cluster.";

fn pixels(rois: &[Roi]) -> Node<'_> {
    let fields = Type::Record(vec![("x", Type::Unsigned(4)), ("y", Type::Unsigned(4)), ("weight", Type::F32)]);
    let count = rois.iter().map(|r| r.ypix.len()).sum();
    let write = move |out: &mut dyn std::io::Write| {
        rois.iter().try_for_each(|r| {
            let pixels = r.xpix.iter().zip(&r.ypix).zip(&r.lam);
            let bytes: Vec<u8> =
                pixels.flat_map(|((x, y), lam)| [x.to_le_bytes(), y.to_le_bytes(), lam.to_le_bytes()].concat()).collect();
            out.write_all(&bytes)
        })
    };
    let what = "Pixels of each ROI: column (x), row (y), weight, as in pixels.csv.";
    let data = Node::dataset(fields, Some(vec![count]), Data::Pieces(Box::new(write)));
    of_type(data, "hdmf-common", "VectorData").with("description", what)
}

/// Where the pixels of each ROI end.
fn index<'a>(p: usize, rois: &[Roi]) -> Node<'a> {
    let mut end = 0_u64;
    let ends = rois.iter().flat_map(|r| {
        end += r.ypix.len() as u64;
        end.to_le_bytes()
    });
    let data = Node::dataset(Type::Unsigned(8), Some(vec![rois.len()]), Data::Bytes(ends.collect()));
    of_type(data, "hdmf-common", "VectorIndex")
        .with("description", "Index for VectorData 'pixel_mask'")
        .with("target", Value::Reference(format!("{}/pixel_mask", path(p))))
}
