//! `trace.png`: brightness and motion through time.

use std::fmt::Write;

use super::About;
use super::figures::{distance, mean_trace, shift_trace};
use crate::{ProjectionError, Survey};
use dropscope_picture::Raster;

const WIDTH: f64 = 1200.0;
const HEIGHT: f64 = 640.0;
const LEFT: f64 = 110.0;
const RIGHT: f64 = 1170.0;
/// Points along the page; a longer trace is drawn as the range it has in each.
const POINTS: usize = 1060;
const BLUE: &str = "#1f5fa8";
const RED: &str = "#b5482a";
const GREY: &str = "#444444";

pub(super) fn png(survey: &Survey, about: &About) -> Result<Vec<u8>, ProjectionError> {
    Ok(Raster::of_svg(&svg(survey, about))?.png()?)
}

fn svg(survey: &Survey, about: &About) -> String {
    let means = mean_trace(survey);
    let shifts: Vec<f64> = shift_trace(survey).into_iter().map(|s| s.map_or(f64::NAN, distance)).collect();
    let info = &survey.info;
    let seconds = info.frames.max(2) as f64 / about.frame_rate_hz;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" font-family=\"DejaVu Sans\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>\n"
    );
    let planes = if info.planes == 1 { "1 plane".to_owned() } else { format!("{} planes", info.planes) };
    let assumed = if about.frame_rate_assumed { " (assumed)" } else { "" };
    text(
        &mut svg,
        (LEFT, 42.0),
        24,
        "start",
        &format!("<tspan font-weight=\"bold\">{}</tspan>", escaped(&shortened(&about.name))),
    );
    let facts = format!(
        "{} frames, {}, {} × {} px, {} Hz{assumed}",
        info.frames,
        planes,
        info.width,
        info.height,
        short(about.frame_rate_hz)
    );
    text(&mut svg, (LEFT, 70.0), 16, "start", &facts);
    let upper = Panel { top: 95.0, height: 300.0, range: range(&means, false), seconds };
    upper.axes(&mut svg, "mean brightness");
    upper.trace(&mut svg, &means, BLUE);
    let lower = Panel { top: 430.0, height: 140.0, range: range(&shifts, true), seconds };
    lower.axes(&mut svg, "motion (px)");
    if shifts.iter().any(|s| s.is_finite()) {
        lower.trace(&mut svg, &shifts, RED);
    } else {
        text(&mut svg, (0.5 * (LEFT + RIGHT), 505.0), 16, "middle", "could not be told from these frames");
    }
    text(&mut svg, (0.5 * (LEFT + RIGHT), HEIGHT - 16.0), 16, "middle", "time (s)");
    svg.push_str("</svg>\n");
    svg
}

/// A set of axes across the page.
struct Panel {
    top: f64,
    height: f64,
    /// Values at the lower and the upper edge.
    range: (f64, f64),
    /// Time at the right edge.
    seconds: f64,
}

impl Panel {
    fn y(&self, value: f64) -> f64 {
        self.top + self.height * (self.range.1 - value) / (self.range.1 - self.range.0)
    }

    fn axes(&self, svg: &mut String, name: &str) {
        let bottom = self.top + self.height;
        for tick in ticks(self.range.0, self.range.1, 4) {
            let y = self.y(tick);
            line(svg, (LEFT, y), (RIGHT, y), "#dddddd");
            text(svg, (LEFT - 8.0, y + 5.0), 15, "end", &short(tick));
        }
        for tick in ticks(0.0, self.seconds, 8) {
            let x = LEFT + (RIGHT - LEFT) * tick / self.seconds;
            line(svg, (x, bottom), (x, bottom + 6.0), GREY);
            text(svg, (x, bottom + 22.0), 15, "middle", &short(tick));
        }
        line(svg, (LEFT, self.top), (LEFT, bottom), GREY);
        line(svg, (LEFT, bottom), (RIGHT, bottom), GREY);
        let (x, y) = (26.0, self.top + self.height / 2.0);
        push(
            svg,
            format_args!(
                "<text x=\"{x}\" y=\"{y}\" font-size=\"16\" fill=\"{GREY}\" text-anchor=\"middle\" transform=\"rotate(-90 {x} {y})\">{name}</text>\n"
            ),
        );
    }

    /// Draws the trace; it breaks where a value is not known.
    fn trace(&self, svg: &mut String, values: &[f64], color: &str) {
        let step = values.len().div_ceil(POINTS).max(1);
        let points = values.len().div_ceil(step).max(2);
        let mut path = String::new();
        let mut pen = false;
        for (i, part) in values.chunks(step).enumerate() {
            let x = LEFT + (RIGHT - LEFT) * i as f64 / (points - 1) as f64;
            let known = part.iter().copied().filter(|v| v.is_finite());
            let Some((least, most)) =
                known.fold(None, |range: Option<(f64, f64)>, v| Some(range.map_or((v, v), |(a, b)| (a.min(v), b.max(v)))))
            else {
                pen = false;
                continue;
            };
            let word = if pen { "L" } else { "M" };
            push(&mut path, format_args!("{word}{x:.1} {:.2}L{x:.1} {:.2}", self.y(least), self.y(most)));
            pen = true;
        }
        push(
            svg,
            format_args!(
                "<path d=\"{path}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"1.2\" stroke-linejoin=\"round\" stroke-linecap=\"round\"/>\n"
            ),
        );
    }
}

/// From the least to the largest finite value with a little room, never empty.
fn range(values: &[f64], from_zero: bool) -> (f64, f64) {
    let finite = || values.iter().copied().filter(|v| v.is_finite());
    let (least, most) = (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
    let (low, high) = if least > most { (0.0, 1.0) } else { (if from_zero { 0.0 } else { least }, most) };
    let room = (0.05 * (high - low)).max(1e-3 * high.abs()).max(if from_zero { 0.5 } else { 1e-6 });
    (if from_zero { 0.0 } else { low - room }, high + room)
}

/// Round numbers within a range, about `count` of them.
fn ticks(low: f64, high: f64, count: usize) -> Vec<f64> {
    let rough = (high - low) / count as f64;
    if !rough.is_finite() || rough <= 0.0 {
        return Vec::new();
    }
    let decade = libm::pow(10.0, libm::floor(libm::log10(rough)));
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|f| f * decade).find(|s| *s >= rough).unwrap_or(rough);
    let first = libm::ceil(low / step);
    (0..=2 * count).map(|i| (first + i as f64) * step).take_while(|tick| *tick <= high).collect()
}

/// Up to six significant digits.
fn short(value: f64) -> String {
    let rounded: f64 = format!("{value:.5e}").parse().unwrap_or(value);
    format!("{rounded}").replace('-', "\u{2212}")
}

/// Both ends of a long name tell it apart.
fn shortened(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    if letters.len() <= 70 {
        return name.to_owned();
    }
    letters[..34].iter().chain(&['…']).chain(&letters[letters.len() - 34..]).collect()
}

fn text(svg: &mut String, at: (f64, f64), size: u32, anchor: &str, text: &str) {
    let (x, y) = at;
    push(
        svg,
        format_args!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{size}\" fill=\"{GREY}\" text-anchor=\"{anchor}\">{text}</text>\n"
        ),
    );
}

fn line(svg: &mut String, from: (f64, f64), to: (f64, f64), color: &str) {
    push(
        svg,
        format_args!(
            "<path d=\"M{:.1} {:.1}L{:.1} {:.1}\" stroke=\"{color}\" stroke-width=\"1\"/>\n",
            from.0, from.1, to.0, to.1
        ),
    );
}

fn push(svg: &mut String, text: std::fmt::Arguments) {
    // Writing to a String cannot fail.
    let _ = svg.write_fmt(text);
}

/// A name may hold what XML reserves or forbids.
fn escaped(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '&' => "&amp;".to_owned(),
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => "\u{fffd}".to_owned(),
            c => c.to_string(),
        })
        .collect()
}
