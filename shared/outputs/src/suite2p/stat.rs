//! What suite2p knows of one ROI.

use dropscope_segmentation::Roi;

use crate::pickle::{Value, bools, floats, int, int32s, ints};

/// The dict of one ROI of a plane in `stat.npy`; the plane's first pixel lies at (row, column) `place`.
pub(super) fn dict(roi: &Roi, all: &[Roi], plane: usize, place: (usize, usize)) -> Value {
    let npix = roi.ypix.len();
    let moved = |pixels: &[u32], by: usize| int32s(&pixels.iter().map(|v| v + by as u32).collect::<Vec<_>>());
    Value::Dict(vec![
        ("ypix", moved(&roi.ypix, place.0)),
        ("xpix", moved(&roi.xpix, place.1)),
        ("lam", floats(&roi.lam)),
        ("overlap", bools(&roi.overlap)),
        // The whole ROI counts as soma: dropscope crops no dendrites.
        ("soma_crop", bools(&vec![true; npix])),
        ("med", ints(&[roi.med.0 as usize + place.0, roi.med.1 as usize + place.1])),
        ("npix", int(npix)),
        ("npix_soma", int(npix)),
        ("npix_norm", Value::from(npix as f64 / mean_npix(all))),
        // The scale that suite2p found a ROI at; 0 is its word for one that has none, and its GUI merges by it.
        ("footprint", int(0)),
        ("radius", Value::from(roi.radius)),
        ("aspect_ratio", Value::from(roi.aspect_ratio)),
        ("compact", Value::from(roi.compact)),
        ("skew", Value::from(roi.skew)),
        ("std", Value::from(roi.std)),
        ("snr", Value::from(roi.snr)),
        ("neuropil_coeff", Value::from(roi.neuropil_coefficient)),
        ("iplane", int(plane)),
    ])
}

fn mean_npix(rois: &[Roi]) -> f64 {
    let total: usize = rois.iter().map(|r| r.ypix.len()).sum();
    total.max(1) as f64 / rois.len().max(1) as f64
}
