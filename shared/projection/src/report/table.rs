//! `trace.csv`.

use std::fmt::Write;

use super::About;
use super::figures::{distance, mean_trace, shift_trace};
use crate::Survey;

/// One row for each time point that was read. Empty where nothing is known; `blank` and `repeated` count planes.
pub(super) fn csv(survey: &Survey, about: &About) -> String {
    let planes = &survey.planes;
    let mut text = String::from("frame,time_s,mean,motion_px,shift_y_px,shift_x_px,blank,repeated");
    let single = planes.len() < 2;
    let each = if single { &planes[..0] } else { planes.as_slice() };
    for plane in 0..each.len() {
        // Writing to a String cannot fail.
        let _ = write!(text, ",mean_plane{plane}");
    }
    text.push('\n');
    let (means, shifts) = (mean_trace(survey), shift_trace(survey));
    for (t, ((frame, mean), shift)) in survey.times().zip(&means).zip(&shifts).enumerate() {
        let count = |is: fn(&crate::FrameFigures) -> bool| planes.iter().filter(|p| p.frames.get(t).is_some_and(is)).count();
        let _ = write!(text, "{frame},{:.6},{}", frame as f64 / about.frame_rate_hz, number(*mean));
        let _ = match shift {
            Some(shift) => write!(text, ",{:.2},{:.2},{:.2}", distance(*shift), shift.y, shift.x),
            None => write!(text, ",,,"),
        };
        let _ = write!(text, ",{},{}", count(|f| f.blank), count(|f| f.repeated));
        for plane in each {
            let _ = write!(text, ",{}", plane.frames.get(t).map_or_else(String::new, |f| number(f.mean)));
        }
        text.push('\n');
    }
    text
}

fn number(value: f64) -> String {
    if value.is_finite() { format!("{value}") } else { String::new() }
}
