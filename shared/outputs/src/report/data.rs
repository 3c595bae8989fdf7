//! What the page's script reads: one JSON document, and blocks of bytes beside it.

use dropscope_segmentation::{ClusterBy, Clustering, Roi, Segmentation, SegmentedRecording};
use serde_json::{Value, json};

use super::encode::{Kind, Level, Thinned, text};
use super::pictures::Picture;
use super::shown::Shown;
use super::traces::{Packed, Resolution};
use super::{Brightness, ReportFacts};
use crate::{
    RunMeta,
    clusters::word,
    figure::{Matrix, palette},
};

/// Layout of the document.
const SCHEMA: u32 = 1;
/// Rows of the matrix that a page has room for.
const MOST_ROWS: usize = 512;
/// Parts of a series over time, of all planes together.
const PARTS: usize = 40_000;
/// Parts of one series that a page has room for, and that it needs.
const MOST_PARTS: usize = 2000;
const FEWEST_PARTS: usize = 100;

/// A number with five significant digits; null for what is none.
fn number(value: impl Into<f64>) -> Value {
    let value: f64 = value.into();
    format!("{value:.4e}").parse::<f64>().ok().filter(|v| v.is_finite()).map_or(Value::Null, |v| json!(v))
}

/// All but the traces: see [`packed`].
pub(super) fn document(
    meta: &RunMeta,
    recording: &SegmentedRecording,
    facts: &ReportFacts,
    shown: &Shown,
    pictures: &[Picture],
) -> Value {
    let planes = recording.planes.iter().enumerate();
    let planes: Vec<Value> =
        planes.map(|(p, seg)| plane(seg, pictures.iter().filter(|i| i.plane == p), recording.planes.len())).collect();
    json!({
        "schema": SCHEMA,
        "name": meta.name,
        "rate": number(meta.frame_rate_hz),
        "pixel_um": meta.pixel_size_um.map(number),
        "colors": palette::CLUSTERS,
        "diverging": palette::DIVERGING,
        "planes": planes,
        "rois": rois(recording, shown),
        "all_rois": shown.of,
        "masks": text(&shown.masks),
        "clusters": clusters(&recording.clustering, shown),
        "matrix": matrix(&recording.clustering),
        "brightness": facts.brightness.as_ref().map(brightness),
    })
}

/// What the script must know to read the blocks of traces.
pub(super) fn packed(packed: &Packed, resolution: &Resolution, frames: usize) -> Value {
    let mut values = resolution.json();
    values["frames"] = json!(frames);
    values["counts"] = json!(packed.counts);
    values["surround"] = series(&packed.surround, Kind::Envelope, MOST_PARTS);
    values
}

fn plane<'a>(seg: &Segmentation, pictures: impl Iterator<Item = &'a Picture>, planes: usize) -> Value {
    let (height, width) = seg.first_frame.dim();
    let (reg, quality) = (&seg.registration, &seg.quality);
    let parts = (PARTS / planes).clamp(FEWEST_PARTS, MOST_PARTS);
    let bad: Vec<f32> = reg.bad_frames.iter().map(|&bad| f32::from(u8::from(bad))).collect();
    let ranges: serde_json::Map<String, Value> =
        pictures.map(|i| (i.kind.to_owned(), json!([number(i.range.0), number(i.range.1)]))).collect();
    json!({
        "height": height, "width": width, "pictures": ranges,
        "y": series(&reg.yoff, Kind::Envelope, parts), "x": series(&reg.xoff, Kind::Envelope, parts),
        "corr": series(&reg.corr, Kind::Envelope, parts), "bad": series(&bad, Kind::Peak, parts),
        "bad_frames": reg.bad_frames.iter().filter(|bad| **bad).count(),
        "crispness": [number(quality.crispness_raw), number(quality.crispness)],
        "largest_px": number(quality.largest_shift_px), "rms_px": number(quality.rms_shift_px),
    })
}

/// A series over time: the frames it spans, its layout, its ends and its codes.
fn series(values: &[f32], thinned: Kind, parts: usize) -> Value {
    let level = Level::within(values.len(), parts, thinned, 2);
    let mut codes = Vec::new();
    let ends = Thinned::default().append(values, values.len(), level, &mut codes);
    let layout = [level.parts, usize::from(level.code()), level.bytes];
    json!({ "frames": values.len(), "level": layout, "ends": [ends.0, ends.1], "codes": text(&codes) })
}

fn brightness(seen: &Brightness) -> Value {
    let mut values = series(&seen.means, Kind::Envelope, MOST_PARTS);
    values["every"] = json!(seen.every);
    values
}

/// A column for each fact, a row for each ROI that is shown.
fn rois(recording: &SegmentedRecording, shown: &Shown) -> Value {
    let column = |of: &dyn Fn(&Roi) -> Value| -> Vec<Value> {
        shown.rois.iter().map(|at| of(&recording.planes[at.plane].rois[at.roi])).collect()
    };
    let mut clusters = vec![-1i64; shown.rois.len()];
    let c = &recording.clustering;
    for (member, &label) in c.members.iter().zip(&c.labels) {
        if let Some(position) = shown.position(member.plane, member.roi) {
            clusters[position] = label as i64;
        }
    }
    json!({
        "number": shown.rois.iter().map(|at| at.number).collect::<Vec<_>>(),
        "plane": shown.rois.iter().map(|at| at.plane).collect::<Vec<_>>(),
        "roi": shown.rois.iter().map(|at| at.roi).collect::<Vec<_>>(),
        "cluster": clusters,
        "cell": column(&|r| json!(u8::from(r.is_cell))),
        "y": column(&|r| json!(r.med.0)),
        "x": column(&|r| json!(r.med.1)),
        "area": column(&|r| json!(r.ypix.len())),
        "snr": column(&|r| number(r.snr)),
        "skew": column(&|r| number(r.skew)),
        "probability": column(&|r| number(r.cell_probability)),
        "coefficient": column(&|r| number(r.neuropil_coefficient)),
    })
}

fn clusters(c: &Clustering, shown: &Shown) -> Value {
    let order: Vec<usize> =
        c.order.iter().filter_map(|&p| c.members.get(p)).filter_map(|m| shown.position(m.plane, m.roi)).collect();
    let silhouettes: Vec<Value> = c.silhouettes.iter().map(|s| json!([s.k, number(s.mean)])).collect();
    json!({ "by": word(c.by), "in_use": c.in_use(), "order": order, "silhouettes": silhouettes })
}

/// The matrix by cluster, in steps of 1/127 of the value where colours saturate.
fn matrix(c: &Clustering) -> Value {
    let matrix = Matrix::of(c, &c.order);
    if matrix.is_empty() {
        return Value::Null;
    }
    let (height, width, means) = matrix.means(MOST_ROWS);
    let limit = if c.by == ClusterBy::Correlation { matrix.limit().min(1.0) } else { matrix.limit() };
    let codes: Vec<u8> = means.iter().map(|v| (128.0 + 127.0 * (v / limit).clamp(-1.0, 1.0)).round() as u8).collect();
    // The clusters of all rows and of the columns, which are some of them.
    let label = |&p: &usize| c.labels[p];
    let columns: Vec<usize> = c.order.iter().filter(|p| c.references.binary_search(p).is_ok()).map(label).collect();
    json!({
        "height": height, "width": width, "limit": number(limit), "codes": text(&codes),
        "rows": runs(&c.order.iter().map(label).collect::<Vec<_>>()), "columns": runs(&columns),
    })
}

/// Stretches of one cluster: `[cluster, how many]`.
fn runs(labels: &[usize]) -> Vec<[usize; 2]> {
    labels.chunk_by(|a, b| a == b).map(|run| [run[0], run.len()]).collect()
}
