//! Panel D: the cells in time.

use super::{
    Subject, covariance,
    images::no_cells,
    label, palette,
    svg::{Area, Svg, TextStyle},
};
use crate::{
    delta_f_over_f,
    dff::{corrected, median, resting},
};

/// More rows than this cannot be told apart in print.
const MOST: usize = 60;
/// A lonely trace need not fill the panel.
const TALLEST_ROW: f64 = 150.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 95.0;
const BELOW: f64 = 75.0;
/// Where in its row a trace rests, from the top.
const BASE: f64 = 0.85;

/// Traces in one unit, from the top.
struct Rows {
    values: Vec<Vec<f32>>,
    /// Whether the unit is ΔF/F, else the standard deviation of the noise.
    relative: bool,
}

/// Positions within the clustering of the cells that are drawn: all, or evenly chosen ones.
pub(super) fn shown(subject: &Subject) -> Vec<usize> {
    let order = &subject.order;
    let rows = order.len().min(MOST);
    (0..rows).map(|row| order[row * order.len() / rows]).collect()
}

pub(super) fn draw(svg: &mut Svg, area: Area, subject: &Subject) {
    let positions = shown(subject);
    let frames = subject.segs().iter().map(|seg| seg.f.ncols()).max().unwrap_or(0);
    if positions.is_empty() || frames == 0 {
        no_cells(svg, area);
        return;
    }
    let rows = rows(subject, &positions);
    let layout = Layout::new(area, frames, &rows.values);
    let plot = layout.plot;
    let order = subject.labels(&positions);
    let bar = Area { x: plot.x - 22.0, width: 16.0, ..plot };
    covariance::side_bar(svg, bar, &order, plot.height);
    for (row, values) in rows.values.iter().enumerate() {
        trace(svg, &layout, row, values, palette::line(order[row]));
    }
    scale(svg, &layout, rows.relative);
    time_axis(svg, plot, frames, subject.meta.frame_rate_hz);
}

/// Where rows are, and how tall a unit is.
struct Layout {
    /// The rows, without the headroom above the first.
    plot: Area,
    /// Highest place a trace may reach.
    ceiling: f64,
    step: f64,
    per_unit: f64,
    /// Width of a frame.
    frame: f64,
}

impl Layout {
    /// Gives each row the height of a typical peak; a taller one reaches into the rows above,
    /// and where there are none, into headroom made for it.
    fn new(area: Area, frames: usize, rows: &[Vec<f32>]) -> Self {
        let typical = typical_peak(rows);
        let n = rows.len() as f64;
        let excess = |(row, values): (usize, &Vec<f32>)| {
            let top = values.iter().copied().fold(0.0, f32::max);
            f64::from(top) / typical - (row as f64 + BASE)
        };
        let headroom = rows.iter().enumerate().map(excess).fold(0.0, f64::max).min(n / 3.0 + 0.5);
        let step = ((area.height - BELOW) / (n + headroom)).min(TALLEST_ROW);
        Self {
            plot: Area { x: area.x + LEFT, y: area.y + headroom * step, width: area.width - LEFT - RIGHT, height: n * step },
            ceiling: area.y,
            step,
            per_unit: step / typical,
            frame: (area.width - LEFT - RIGHT) / frames as f64,
        }
    }
}

/// ΔF/F, or multiples of the noise for all when it has no meaning for one of them.
fn rows(subject: &Subject, positions: &[usize]) -> Rows {
    let members = || positions.iter().map(|&p| subject.cell(p));
    let values: Vec<Vec<f32>> = members().map(|(seg, r)| delta_f_over_f(seg, r, subject.meta.frame_rate_hz)).collect();
    if values.iter().flatten().all(|v| v.is_finite()) {
        return Rows { values, relative: true };
    }
    let values =
        members().map(|(seg, r)| over_noise(&corrected(&seg.rois[r], seg.f.row(r), seg.fneu.row(r), resting(seg, r)))).collect();
    Rows { values, relative: false }
}

/// Deviation from the median over the noise, which is the median step between frames over the
/// 0.954 that white noise of unit variance has.
fn over_noise(trace: &[f32]) -> Vec<f32> {
    let rest = median(trace.iter().copied());
    let noise = median(trace.windows(2).map(|w| (w[1] - w[0]).abs())) / 0.954;
    let noise = if noise > 0.0 { noise } else { 1.0 };
    trace.iter().map(|&v| (v - rest) / noise).collect()
}

/// The height that half of the cells reach: the median of their 99.8th percentiles.
fn typical_peak(rows: &[Vec<f32>]) -> f64 {
    let mut peaks: Vec<f32> = rows.iter().map(|r| percentile(r, 0.998)).collect();
    peaks.sort_by(f32::total_cmp);
    let peak = f64::from(percentile(&peaks, 0.5));
    if peak.is_finite() && peak > 0.0 { peak } else { 1.0 }
}

fn percentile(values: &[f32], part: f64) -> f32 {
    let mut sorted: Vec<f32> = values.iter().copied().filter(|v| v.is_finite()).collect();
    sorted.sort_by(f32::total_cmp);
    let at = (sorted.len().max(1) - 1) as f64 * part;
    sorted.get(at.round() as usize).copied().unwrap_or(0.0)
}

fn trace(svg: &mut Svg, layout: &Layout, row: usize, values: &[f32], color: &str) {
    let plot = layout.plot;
    let base = plot.y + (row as f64 + BASE) * layout.step;
    svg.push(format_args!("<path fill=\"none\" stroke=\"{color}\" stroke-width=\"1.3\" stroke-linejoin=\"round\" d=\""));
    for (i, t) in kept(values, plot.width as usize).into_iter().enumerate() {
        let x = plot.x + (t as f64 + 0.5) * layout.frame;
        let y = (base - f64::from(values[t]) * layout.per_unit).max(layout.ceiling);
        svg.push(format_args!("{}{x:.1} {y:.1}", if i == 0 { 'M' } else { 'L' }));
    }
    svg.push(format_args!("\"/>\n"));
}

/// Frames that are drawn: all, or the lowest and highest of each column of the plot, so that no
/// transient is lost.
fn kept(values: &[f32], columns: usize) -> Vec<usize> {
    if values.len() <= 2 * columns {
        return (0..values.len()).filter(|&t| values[t].is_finite()).collect();
    }
    let mut all = Vec::with_capacity(2 * columns);
    for column in 0..columns {
        let part = column * values.len() / columns..(column + 1) * values.len() / columns;
        let finite = || part.clone().filter(|&t| values[t].is_finite());
        let low = finite().min_by(|&a, &b| values[a].total_cmp(&values[b]));
        let high = finite().max_by(|&a, &b| values[a].total_cmp(&values[b]));
        if let (Some(low), Some(high)) = (low, high) {
            all.extend([low.min(high), low.max(high)]);
        }
    }
    all.dedup();
    all
}

/// A bar of round height beside the traces.
fn scale(svg: &mut Svg, layout: &Layout, relative: bool) {
    let (plot, per_unit) = (layout.plot, layout.per_unit);
    let size = label::nice_below(layout.step.max(60.0) / per_unit);
    let words = if relative { format!("{} %", label::short(100.0 * size)) } else { format!("{} s.d.", label::short(size)) };
    let x = plot.x + plot.width + 14.0;
    let bottom = plot.y + plot.height - 4.0;
    svg.line((x, bottom), (x, bottom - size * per_unit), "#111111", 3.0);
    let style = TextStyle::new(19.0);
    let middle = bottom - size * per_unit / 2.0;
    let unit = if relative { "ΔF/F" } else { "of noise" };
    svg.text(x + 8.0, middle - 4.0, &style, &words);
    svg.text(x + 8.0, middle + 18.0, &style, unit);
}

fn time_axis(svg: &mut Svg, plot: Area, frames: usize, frame_rate_hz: f64) {
    let y = plot.y + plot.height + 8.0;
    let duration = frames as f64 / frame_rate_hz;
    let step = label::nice_below(duration / 3.0);
    svg.line((plot.x, y), (plot.x + plot.width, y), "#111111", 1.5);
    let style = TextStyle::new(20.0).middle();
    for tick in 0..=(duration / step + 1e-9) as usize {
        let time = tick as f64 * step;
        let x = plot.x + time / duration * plot.width;
        svg.line((x, y), (x, y + 7.0), "#111111", 1.5);
        svg.text(x, y + 29.0, &style, &label::short(time));
    }
    svg.text(plot.x + plot.width / 2.0, y + 58.0, &style, "time (s)");
}
