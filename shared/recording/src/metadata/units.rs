//! Units, plausible ranges, and the time between frames told from their time stamps.

use super::Stated;

/// From a frame every quarter of an hour to the fastest line scan, in Hz.
const RATES: std::ops::RangeInclusive<f64> = 0.001..=100_000.0;
/// From beyond the resolution of light to a whole brain in one pixel, in µm.
const PIXELS: std::ops::RangeInclusive<f64> = 0.001..=1000.0;

/// A length in µm of one `unit`, or `None` for units that are no length.
pub(super) fn micrometres(unit: &str) -> Option<f64> {
    match unit.trim().to_lowercase().as_str() {
        // The last two are µ in Latin-1 read as UTF-8, and ImageJ's escape of it.
        "micron" | "microns" | "um" | "µm" | "μm" | "micrometer" | "micrometers" | "\u{fffd}m" | "\\u00b5m" => Some(1.0),
        "nm" | "nanometer" | "nanometers" => Some(1e-3),
        "mm" | "millimeter" | "millimeters" => Some(1e3),
        "cm" | "centimeter" | "centimeters" => Some(1e4),
        "m" | "meter" | "meters" => Some(1e6),
        _ => None,
    }
}

/// Seconds in one `unit` of time.
pub(super) fn seconds(unit: &str) -> Option<f64> {
    match unit.trim().to_lowercase().as_str() {
        "" | "s" | "sec" | "second" | "seconds" => Some(1.0),
        "ms" | "msec" | "millisecond" | "milliseconds" => Some(1e-3),
        "us" | "µs" | "μs" | "usec" | "\u{fffd}s" | "\\u00b5s" => Some(1e-6),
        "ns" => Some(1e-9),
        "min" | "minute" | "minutes" => Some(60.0),
        "h" | "hour" | "hours" => Some(3600.0),
        "d" | "day" | "days" => Some(86400.0),
        _ => None,
    }
}

/// A positive finite number.
pub(super) fn positive(text: &str) -> Option<f64> {
    let value: f64 = text.trim().parse().ok()?;
    is_positive(value).then_some(value)
}

pub(super) fn is_positive(value: f64) -> bool {
    value.is_finite() && value > 0.0
}

/// A count of at least 1.
pub(super) fn count(text: &str) -> Option<usize> {
    text.trim().parse().ok().filter(|n| *n > 0)
}

/// The rate if a microscope can have it; otherwise a note.
pub(super) fn plausible_rate(rate: Option<Stated<f64>>, notes: &mut Vec<String>) -> Option<Stated<f64>> {
    keep(rate?, |hz| RATES.contains(&hz), ("frame rate", "Hz"), notes)
}

/// The pixel size if a microscope can have it; otherwise a note.
pub(super) fn plausible_pixel(size: Option<Stated<f64>>, notes: &mut Vec<String>) -> Option<Stated<f64>> {
    keep(size?, is_pixel_size, ("pixel size", "µm"), notes)
}

pub(super) fn is_pixel_size(size_um: f64) -> bool {
    PIXELS.contains(&size_um)
}

fn keep(
    stated: Stated<f64>,
    plausible: impl Fn(f64) -> bool,
    (what, unit): (&str, &str),
    notes: &mut Vec<String>,
) -> Option<Stated<f64>> {
    let Stated { value, field } = &stated;
    if plausible(*value) {
        return Some(stated);
    }
    notes.push(format!("the file states a {what} of `{value}` {unit} ({field}), which cannot be; it counts as not stated"));
    None
}

/// The usual time between neighbours of `times`, or `None` where it is nothing above 0.
///
/// It is the mean of the differences that lie within `tolerance` of their median: clocks that tick in whole
/// milliseconds are averaged out, pauses and lost frames do not count. With a tolerance of 0 it is the median.
pub(super) fn interval(times: impl IntoIterator<Item = f64>, tolerance: f64) -> Option<f64> {
    let times: Vec<f64> = times.into_iter().filter(|t| t.is_finite()).collect();
    let mut steps: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    steps.sort_unstable_by(f64::total_cmp);
    let median = *steps.get(steps.len().checked_sub(1)? / 2)?;
    let near: Vec<f64> = steps.into_iter().filter(|step| (step - median).abs() <= tolerance).collect();
    let mean = near.iter().sum::<f64>() / near.len() as f64;
    Some(mean).filter(|mean| is_positive(*mean))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_do_not_change_the_usual_interval() {
        assert_eq!(interval([0.0, 1.0, 2.0, 60.0, 61.0], 0.0), Some(1.0));
    }

    #[test]
    fn ticks_of_a_coarse_clock_average_out() {
        let ticks = (0..=300).map(|i| (f64::from(i) * 1000.0 / 30.0).floor());
        let interval = interval(ticks, 1.5).unwrap();
        assert!((interval - 1000.0 / 30.0).abs() < 0.01, "{interval}");
    }

    #[test]
    fn times_that_do_not_advance_are_no_interval() {
        for times in [vec![], vec![1.0], vec![0.0; 9], vec![3.0, 2.0, 1.0], vec![f64::NAN; 4], vec![f64::MAX, f64::MIN]] {
            assert_eq!(interval(times.clone(), 1.5), None, "{times:?}");
        }
    }

    #[test]
    fn what_cannot_be_is_a_note_and_not_stated() {
        let mut notes = Vec::new();
        for rate in [0.0, 1e-4, 2e5, f64::INFINITY, f64::NAN, -3.0] {
            assert_eq!(plausible_rate(Some(Stated::new(rate, "field")), &mut notes), None);
        }
        for size in [0.0, 1e-5, 2e3] {
            assert_eq!(plausible_pixel(Some(Stated::new(size, "field")), &mut notes), None);
        }
        assert_eq!(notes.len(), 9);
        let stated = Some(Stated::new(30.0, "field"));
        assert_eq!(plausible_rate(stated.clone(), &mut notes), stated);
        assert_eq!((plausible_rate(None, &mut notes), plausible_pixel(None, &mut notes), notes.len()), (None, None, 9));
    }
}
