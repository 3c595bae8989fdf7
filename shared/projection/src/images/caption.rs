//! What stands under the frames of an animation: when each was, and how large things are.

use super::text::{Piece, written};
use crate::{About, ProjectionError, Survey, Windows};

/// Rows of the caption; nothing of the picture is covered.
pub(crate) const ROWS: usize = 18;
/// Pixels of a letter of this size, digits and `m` included: an upper bound for short words.
const LETTER: usize = 8;
/// Size of the letters, pixels.
const SIZE: usize = 12;
/// Black around text and bar.
const MARGIN: usize = 4;
/// Shortest bar that can be judged, pixels.
const SHORTEST: f64 = 12.0;
/// Height of the bar.
const THICK: usize = 4;

/// The captions of an animation's windows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Caption {
    /// When each window begins.
    times: Vec<String>,
    /// That nobody stated the frame rate, in words; empty where somebody did.
    assumed: String,
    /// Width of a pixel of the projections as they are binned for animations, µm, where it is known.
    um: Option<f64>,
    /// Names of the tiles, where those of planes do not tell.
    pub(crate) names: Vec<String>,
}

impl Caption {
    /// Of the windows of a survey.
    pub(crate) fn of(survey: &Survey, about: &About) -> Self {
        let windows = survey.planes.first().map_or(0, |plane| plane.window_max.len());
        let cut = Windows { count: windows, ..Windows::default() }.cut(survey.times().len());
        let seconds: Vec<f64> = cut.iter().map(|w| (w.start * survey.every.max(1)) as f64 / about.frame_rate_hz).collect();
        let um = survey.info.pixel_size_um.map(|um| um * (survey.binned * survey.layout.factor) as f64);
        Self::at(&seconds, um, about)
    }

    /// Of frames at so many seconds, whose pixels are `um` µm wide.
    pub(crate) fn at(seconds: &[f64], um: Option<f64>, about: &About) -> Self {
        let assumed = if about.frame_rate_assumed { format!(" ({} Hz assumed)", about.frame_rate_hz) } else { String::new() };
        Self { times: stamps(seconds), assumed, um, names: Vec::new() }
    }

    /// The captions one below the other, [`ROWS`] rows of `width` pixels for each window; a pixel of the binned projections
    /// is shown `zoom` pixels wide, and the bar takes a quarter of `tile` pixels at most.
    pub(crate) fn sheet(&self, width: usize, tile: usize, zoom: f64) -> Result<Vec<u8>, ProjectionError> {
        let bar = self.um.and_then(|um| Bar::fitting(um / zoom, tile as f64 / 4.0));
        let mut pieces = Vec::new();
        for (row, time) in self.times.iter().enumerate() {
            let (top, mut text) = (row * ROWS, format!("{time}{}", self.assumed));
            let room = width.saturating_sub(2 * MARGIN) / LETTER;
            if text.chars().count() > room {
                text.clone_from(time);
            }
            let used = text.chars().count() * LETTER + 2 * MARGIN;
            pieces.push(Piece::Text { text, top: top + 2, left: MARGIN - 2, size: SIZE });
            if let Some(bar) = bar.as_ref().filter(|bar| used + bar.width() <= width) {
                bar.draw(top, width, &mut pieces);
            }
        }
        written(self.times.len() * ROWS, width, &pieces)
    }
}

/// Times in the unit that fits the last of them, as finely as they differ: `12.3 s`, `1:23`, `1:02:03`.
fn stamps(seconds: &[f64]) -> Vec<String> {
    let (last, count) = (seconds.last().copied().unwrap_or(0.0), seconds.len());
    let step = last / count.saturating_sub(1).max(1) as f64;
    let decimals = [1.0, 0.1, 0.01].iter().filter(|least| step < **least).count();
    let of = |s: f64| {
        let whole = s as u64;
        match last {
            ..60.0 => format!("{s:.decimals$} s"),
            ..3600.0 if step < 1.0 => format!("{}:{:02}.{}", whole / 60, whole % 60, (s * 10.0) as u64 % 10),
            ..3600.0 => format!("{}:{:02}", whole / 60, whole % 60),
            _ => format!("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60),
        }
    };
    seconds.iter().map(|s| of(*s)).collect()
}

/// A bar of a round length.
#[derive(Debug, PartialEq)]
struct Bar {
    /// Length, pixels.
    length: usize,
    /// Length in words.
    name: String,
}

impl Bar {
    /// The longest of 1, 2 or 5 times a power of ten micrometres that is no longer than `most` pixels of `um` µm each.
    fn fitting(um: f64, most: f64) -> Option<Self> {
        let powers = (-2..=6_i32).flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * libm::pow(10.0, f64::from(power))));
        let length = powers.rev().find(|length| length / um <= most)?;
        let pixels = length / um;
        (pixels >= SHORTEST).then(|| Self { length: libm::round(pixels) as usize, name: named(length) })
    }

    /// Pixels that bar and name take.
    fn width(&self) -> usize {
        self.length + self.name.chars().count() * LETTER + 3 * MARGIN
    }

    /// Puts it at the right, its name before it.
    fn draw(&self, top: usize, width: usize, pieces: &mut Vec<Piece>) {
        let left = width - MARGIN - self.length;
        pieces.push(Piece::Bar { top: top + (ROWS - THICK) / 2, left, width: self.length, height: THICK });
        pieces.push(Piece::TextBefore { text: self.name.clone(), top: top + 2, right: left - MARGIN, size: SIZE });
    }
}

fn named(um: f64) -> String {
    if um >= 1000.0 { format!("{} mm", um / 1000.0) } else { format!("{um} µm") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_time_is_written_as_people_say_it() {
        assert_eq!(stamps(&[0.0, 1.25, 2.5]), ["0 s", "1 s", "2 s"]);
        assert_eq!(stamps(&[0.0, 0.5, 1.0]), ["0.0 s", "0.5 s", "1.0 s"]);
        assert_eq!(stamps(&[0.0, 83.4]), ["0:00", "1:23"]);
        assert_eq!(stamps(&(0..101).map(|i| f64::from(i) * 0.6).collect::<Vec<_>>())[99..], ["0:59.4", "1:00.0"]);
        assert_eq!(stamps(&[59.0, 3723.0]), ["0:00:59", "1:02:03"]);
        assert_eq!(stamps(&[0.0]), ["0.000 s"]);
    }

    proptest! {
        #[test]
        fn windows_of_a_millisecond_or_more_have_times_of_their_own(step in 0.001_f64..900.0, count in 2_usize..100) {
            let seconds: Vec<f64> = (0..count).map(|i| i as f64 * step).collect();
            let mut said = stamps(&seconds);
            said.dedup();
            prop_assert_eq!(said.len(), count);
        }

        #[test]
        fn a_bar_is_as_long_as_it_says(um in 0.01_f64..50.0, most in 64.0_f64..200.0) {
            let bar = Bar::fitting(um, most).unwrap();
            let (number, unit) = bar.name.split_once(' ').unwrap();
            let said = number.parse::<f64>().unwrap() * if unit == "mm" { 1000.0 } else { 1.0 };
            prop_assert!((bar.length as f64 * um - said).abs() <= um / 2.0 + 1e-9);
            // A longer one of the same digits would not fit.
            prop_assert!(bar.length as f64 <= most + 0.5 && bar.length as f64 > most / 2.5 - 1.0);
        }
    }
}
