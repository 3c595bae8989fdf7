//! Deconvolves traces given as text, for comparisons with other programs (benches/cascade.py).
//!
//! Standard input: one trace a line, `frame_rate_hz tau_s rise_s value value …`; a rise of `-` is left to the program.
//! Standard output: its events, one trace a line.

use std::io::{BufRead, Write};

use dropscope_segmentation::{Params, deconvolve};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let mut words = line.split_whitespace();
        let mut word = || words.next().ok_or("a line needs a frame rate, a tau and a rise");
        let (frame_rate_hz, tau_s) = (word()?.parse()?, word()?.parse()?);
        let rise = word()?;
        let rise_s = if rise == "-" { None } else { Some(rise.parse()?) };
        let params = Params { frame_rate_hz, tau_s, rise_s, ..Params::default() };
        params.check()?;
        let trace = words.map(str::parse).collect::<Result<Vec<f32>, _>>()?;
        let events: Vec<String> = deconvolve(&trace, &params).iter().map(f32::to_string).collect();
        writeln!(out, "{}", events.join(" "))?;
    }
    Ok(())
}
