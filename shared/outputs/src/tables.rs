//! Tables for people and spreadsheets: RFC 4180, a point for the decimals.
//!
//! `roi` counts through all planes in order and is the number in the column names of
//! `traces.csv`; `roi_in_plane` is the row in that plane's suite2p arrays. Clusters are counted
//! from 1, the largest, and are the same in all planes. A cell without a value is empty.

use std::fmt::Write;

use dropscope_segmentation::{Segmentation, SegmentedRecording};

use crate::{RunMeta, delta_f_over_f};

const END: &str = "\r\n";
const DIGITS: usize = 6;

/// Renders `traces.csv`: `time_s`, then a column `roi_<n>` of neuropil-corrected ΔF/F for every
/// ROI, cell or not, as a fraction (see [`delta_f_over_f`]).
///
/// Time counts from the first frame. Planes that ended a frame early have empty cells there.
pub(crate) fn traces_csv(meta: &RunMeta, planes: &[Segmentation]) -> String {
    let columns: Vec<Vec<f32>> =
        planes.iter().flat_map(|seg| (0..seg.rois.len()).map(|r| delta_f_over_f(seg, r, meta.frame_rate_hz))).collect();
    let frames = planes.iter().map(|seg| seg.f.ncols()).max().unwrap_or(0);
    let mut out = String::from("time_s");
    for roi in 0..columns.len() {
        let _ = write!(out, ",roi_{roi}");
    }
    out.push_str(END);
    for t in 0..frames {
        // Microseconds: six significant digits would merge frames after a few hours.
        let _ = write!(out, "{:.6}", t as f64 / meta.frame_rate_hz);
        for column in &columns {
            out.push(',');
            out.push_str(&column.get(t).map_or(String::new(), |&v| number(f64::from(v))));
        }
        out.push_str(END);
    }
    out
}

/// Renders `rois.csv`: one row per ROI with place, size, quality, verdict and cluster.
///
/// `y`, `x` are pixels from the upper left corner, `skewness` and `snr` those of the
/// neuropil-corrected trace, `cell` 1 or 0.
pub(crate) fn rois_csv(recording: &SegmentedRecording) -> String {
    let mut out = String::from(
        "roi,plane,roi_in_plane,y,x,area_px,radius_px,aspect_ratio,compactness,snr,skewness,cell,probability,cluster",
    );
    out.push_str(END);
    let clusters = cluster_of_each_roi(recording);
    let mut roi = 0;
    for (plane, seg) in recording.planes.iter().enumerate() {
        for (i, r) in seg.rois.iter().enumerate() {
            let measures = [r.radius, r.aspect_ratio, r.compact, r.snr, r.skew];
            let measures = measures.map(|v| number(f64::from(v))).join(",");
            let (y, x) = r.med;
            let area = r.ypix.len();
            let cell = u8::from(r.is_cell);
            let probability = number(f64::from(r.cell_probability));
            let cluster = clusters[roi].map_or(String::new(), |c| (c + 1).to_string());
            let _ = write!(out, "{roi},{plane},{i},{y},{x},{area},{measures},{cell},{probability},{cluster}{END}");
            roi += 1;
        }
    }
    out
}

/// Renders `pixels.csv`: one row per pixel of every ROI with its weight, for readers that open no pickles.
pub(crate) fn pixels_csv(planes: &[Segmentation]) -> String {
    let mut out = format!("roi,plane,roi_in_plane,y,x,weight{END}");
    let mut roi = 0;
    for (plane, seg) in planes.iter().enumerate() {
        for (i, r) in seg.rois.iter().enumerate() {
            for ((y, x), lam) in r.ypix.iter().zip(&r.xpix).zip(&r.lam) {
                let weight = number(f64::from(*lam));
                let _ = write!(out, "{roi},{plane},{i},{y},{x},{weight}{END}");
            }
            roi += 1;
        }
    }
    out
}

/// Renders `clusters.csv`: one row per clustered cell, in the order of the figure.
///
/// `order` counts the rows of `covariance.npy`, and those of the figure's matrix from the top, from 1.
pub(crate) fn clusters_csv(recording: &SegmentedRecording) -> String {
    let mut out = format!("roi,plane,roi_in_plane,cluster,order{END}");
    let (c, first) = (&recording.clustering, first_roi(&recording.planes));
    for (row, &position) in c.order.iter().enumerate() {
        let member = c.members[position];
        let (plane, i) = (member.plane, member.roi);
        let _ = write!(out, "{},{plane},{i},{},{}{END}", first[plane] + i, c.labels[position] + 1, row + 1);
    }
    out
}

/// How many ROIs the planes before each have: the number of its first one.
pub(crate) fn first_roi(planes: &[Segmentation]) -> Vec<usize> {
    let before = |count: &mut usize, seg: &Segmentation| {
        *count += seg.rois.len();
        Some(*count - seg.rois.len())
    };
    planes.iter().scan(0, before).collect()
}

/// The cluster of every ROI of all planes, from 0, where it has one.
pub(crate) fn cluster_of_each_roi(recording: &SegmentedRecording) -> Vec<Option<usize>> {
    let first = first_roi(&recording.planes);
    let mut of = vec![None; recording.planes.iter().map(|seg| seg.rois.len()).sum()];
    let c = &recording.clustering;
    for (member, &label) in c.members.iter().zip(&c.labels) {
        of[first[member.plane] + member.roi] = Some(label);
    }
    of
}

/// Six significant digits without trailing zeros; empty when it is not a number.
pub(crate) fn number(value: f64) -> String {
    if !value.is_finite() {
        return String::new();
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    let magnitude = libm::floor(libm::log10(value.abs())) as i32;
    if !(-5..=14).contains(&magnitude) {
        return format!("{value:.*e}", DIGITS - 1);
    }
    let decimals = (DIGITS as i32 - 1 - magnitude).max(0) as usize;
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_six_digits_and_a_point() {
        for (value, expected) in [
            (0.123_456_789, "0.123457"),
            (-12.5, "-12.5"),
            (1_234_567.0, "1234567"),
            (1e-9, "1.00000e-9"),
            (0.1, "0.1"),
            (f64::NAN, ""),
            (-0.0, "0"),
        ] {
            assert_eq!(number(value), expected, "{value:?}");
        }
    }
}
