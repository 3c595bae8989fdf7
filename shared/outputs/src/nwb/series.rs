//! Traces of the ROIs and shifts of the frames, time first.

use std::io::{self, Write};
use std::ops::Range;

use dropscope_segmentation::{Registration, Segmentation};
use ndarray::Array2;

use super::hdf5::{Data, Node, Type, Value};
use super::{Source, of_type, table, typed};
use crate::dff::{part, resting};

/// Values that are held at once: the traces of a recording may be larger than memory should be.
const BLOCK: usize = 1 << 22;

/// Adds the traces of all planes that have ROIs.
pub(super) fn all<'a>(source: Source<'a>, module: Node<'a>) -> Node<'a> {
    let rate = source.meta.frame_rate_hz;
    let kinds: [(&'static str, &'static str, &str, &str, Make<'a>); 4] = [
        ("Fluorescence", "Fluorescence", "a.u.", "Weighted mean fluorescence of each ROI, units of the recording.", |seg, _| {
            stored(&seg.f)
        }),
        ("Neuropil", "Fluorescence", "a.u.", "Mean fluorescence around each ROI, units of the recording.", |seg, _| {
            stored(&seg.fneu)
        }),
        ("Deconvolved", "Fluorescence", "a.u.", "Deconvolved activity, units of the recording, never negative.", |seg, _| {
            stored(&seg.spks)
        }),
        ("DfOverF", "DfOverF", "n.a.", DFF, ratio),
    ];
    kinds.into_iter().fold(module, |module, (name, kind, unit, what, make)| {
        let with_rois = source.planes().filter(|(_, _, seg)| !seg.rois.is_empty());
        let container = with_rois.fold(typed("core", kind), |group, (p, _, seg)| {
            let data = Node::dataset(Type::F32, Some(vec![seg.f.ncols(), seg.rois.len()]), make(seg, rate));
            let what = format!("{what} Plane {p}, frames by ROIs in the order of its table.");
            let series = series("RoiResponseSeries", data, unit, what, rate);
            group.holding(format!("plane{p}"), series.holding("rois", rois(p, seg.rois.len())))
        });
        module.holding(name, container)
    })
}

const DFF: &str = "dF/F of the neuropil-corrected trace as in traces.csv, a fraction: 1 is doubled. NaN where the baseline is not \
                   positive.";

type Make<'a> = fn(&'a Segmentation, f64) -> Data<'a>;

/// All rows of a table, in order.
fn rois<'a>(plane: usize, count: usize) -> Node<'a> {
    let rows = (0..count as i64).flat_map(i64::to_le_bytes).collect();
    let data = Node::dataset(Type::Signed(8), Some(vec![count]), Data::Bytes(rows));
    of_type(data, "hdmf-common", "DynamicTableRegion")
        .with("description", format!("All ROIs of plane {plane}."))
        .with("table", Value::Reference(table::path(plane)))
}

/// A series that begins with the first frame.
pub(super) fn series<'a>(kind: &'static str, data: Node<'a>, unit: &str, what: String, rate: f64) -> Node<'a> {
    let data = data
        .with("conversion", Value::F64(1.0))
        .with("offset", Value::F64(0.0))
        .with("resolution", Value::F64(-1.0))
        .with("unit", unit);
    let start = Node::number(0.0).with("rate", Value::F64(rate)).with("unit", "seconds");
    typed("core", kind).with("description", what).holding("data", data).holding("starting_time", start)
}

/// ROIs × frames that are there, as frames × ROIs.
fn stored(values: &Array2<f32>) -> Data<'_> {
    Data::Pieces(Box::new(move |out| {
        let (rois, frames) = values.dim();
        transposed(out, rois, frames, |roi, frames| {
            values.row(roi).iter().copied().skip(frames.start).take(frames.len()).collect()
        })
    }))
}

/// dF/F is not stored: it is computed block by block, the same as in traces.csv.
fn ratio(seg: &Segmentation, rate: f64) -> Data<'_> {
    Data::Pieces(Box::new(move |out| {
        let (rois, frames) = seg.f.dim();
        let resting: Vec<f32> = (0..rois).map(|roi| resting(seg, roi)).collect();
        transposed(out, rois, frames, |roi, frames| part(seg, roi, rate, resting[roi], frames))
    }))
}

/// Writes what `of` gives for each row and some columns, by columns.
fn transposed(out: &mut dyn Write, rows: usize, columns: usize, of: impl Fn(usize, Range<usize>) -> Vec<f32>) -> io::Result<()> {
    let step = (BLOCK / rows.max(1)).max(1);
    for from in (0..columns).step_by(step) {
        let range = from..(from + step).min(columns);
        let mut block = vec![0; 4 * rows * range.len()];
        for row in 0..rows {
            for (column, value) in of(row, range.clone()).into_iter().enumerate() {
                let at = 4 * (column * rows + row);
                block[at..at + 4].copy_from_slice(&value.to_le_bytes());
            }
        }
        out.write_all(&block)?;
    }
    Ok(())
}

/// Shifts, correlations and marks of each frame of one plane.
pub(super) fn motion<'a>(module: Node<'a>, p: usize, reg: &'a Registration, rate: f64) -> Node<'a> {
    let frames = reg.yoff.len();
    let floats = |values: Vec<f32>, shape: Vec<usize>| {
        Node::dataset(Type::F32, Some(shape), Data::Bytes(values.into_iter().flat_map(f32::to_le_bytes).collect()))
    };
    let shifts = floats(reg.xoff.iter().zip(&reg.yoff).flat_map(|(x, y)| [*x, *y]).collect(), vec![frames, 2]);
    let what = format!(
        "Mean shift of each frame of plane {p}, x and y: registered(y, x) = frame(y + shift_y, x + shift_x). The shifts of the parts \
         of each frame stand in suite2p/plane{p}/ops.npy."
    );
    let shifts = series("TimeSeries", shifts, "pixels", what, rate);
    let peak = floats(reg.corr.clone(), vec![frames]);
    let what = format!("Peak of the phase correlation of each frame of plane {p} with the reference, 0 to 1.");
    let peak = series("TimeSeries", peak, "n.a.", what, rate);
    let bad = reg.bad_frames.iter().map(|bad| u8::from(*bad)).collect();
    let bad = Node::dataset(Type::Unsigned(1), Some(vec![frames]), Data::Bytes(bad));
    let what = format!("1 for each frame of plane {p} that was kept out of detection, else 0.");
    let bad = series("TimeSeries", bad, "n.a.", what, rate);
    module
        .holding(format!("Shifts_plane{p}"), shifts)
        .holding(format!("Correlation_plane{p}"), peak)
        .holding(format!("BadFrames_plane{p}"), bad)
}
