//! What suite2p knows of one ROI.

use dropscope_segmentation::Roi;

use crate::pickle::{Value, bools, floats, int, int32s, ints};

/// The dict of one ROI in `stat.npy`.
pub(super) fn dict(roi: &Roi, all: &[Roi], plane: usize) -> Value {
    let npix = roi.ypix.len();
    Value::Dict(vec![
        ("ypix", int32s(&roi.ypix)),
        ("xpix", int32s(&roi.xpix)),
        ("lam", floats(&roi.lam)),
        ("overlap", bools(&roi.overlap)),
        // The whole ROI counts as soma: dropscope crops no dendrites.
        ("soma_crop", bools(&vec![true; npix])),
        ("med", ints(&[roi.med.0 as usize, roi.med.1 as usize])),
        ("npix", int(npix)),
        ("npix_soma", int(npix)),
        ("npix_norm", Value::from(npix as f64 / mean_npix(all))),
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
