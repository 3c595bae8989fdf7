//! How long each stage takes on a generated movie: what benches/README.md shows.
//!
//! `stages [SIDE [FRAMES [THREADS [ROUNDS]]]]`, 256 256 pixels, 1000 frames, 2 threads and 3 rounds unless said. The movie lies in
//! memory, so nothing is read from disk. Printed are, for each stage, the best and the median of the
//! rounds in seconds, frames a second and megabytes (of 16 bit samples) a second.

use dropscope_segmentation::{FrameSource, Params, Progress, SourceError, Stage, segment};
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Cells on a smooth ground under shot noise, moving by whole pixels.
struct Movie {
    side: usize,
    frames: Vec<Vec<u16>>,
}

impl FrameSource for Movie {
    fn frames(&self) -> usize {
        self.frames.len()
    }
    fn shape(&self) -> (usize, usize) {
        (self.side, self.side)
    }
    fn read(&mut self, index: usize, out: &mut [f32]) -> Result<(), SourceError> {
        out.iter_mut().zip(&self.frames[index]).for_each(|(o, &v)| *o = f32::from(v));
        Ok(())
    }
}

/// One cell a square of `APART` pixels, of radius 5.
const APART: usize = 28;

fn movie(side: usize, frames: usize) -> Movie {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let cells: Vec<(f32, f32)> = (0..(side / APART) * (side / APART))
        .map(|i| {
            let mut at = |k: usize| (k * APART) as f32 + rng.gen_range(8.0..20.0);
            (at(i / (side / APART)), at(i % (side / APART)))
        })
        .collect();
    let ground: Vec<f32> =
        (0..side * side).map(|i| 60.0 + 15.0 * ((i % side) as f32 / 7.0).sin() * ((i / side) as f32 / 9.0).cos()).collect();
    let mut levels = vec![0.0f32; cells.len()];
    let frame = |t: usize| {
        let mut scene = ground.clone();
        for (&(cy, cx), level) in cells.iter().zip(&mut levels) {
            *level = *level * 0.97 + if rng.gen_bool(0.01) { 50.0 } else { 0.0 };
            for y in cy as usize - 6..(cy as usize + 7).min(side) {
                for x in cx as usize - 6..(cx as usize + 7).min(side) {
                    let r = (y as f32 - cy).hypot(x as f32 - cx);
                    scene[y * side + x] += (40.0 + *level) * (5.5 - r).clamp(0.0, 1.0);
                }
            }
        }
        let walk = |k: f32| (3.0 * (t as f32 / 40.0 + k).sin()).round() as i32;
        let (dy, dx) = (walk(0.0), walk(2.0));
        let last = side as i32 - 1;
        let seen = |i: usize| {
            let (y, x) = ((i / side) as i32 - dy, (i % side) as i32 - dx);
            scene[y.clamp(0, last) as usize * side + x.clamp(0, last) as usize]
        };
        // Four uniforms stand for the noise of a photon count.
        let noise = |rng: &mut Xoshiro256PlusPlus| (0..4).map(|_| rng.r#gen::<f32>()).sum::<f32>() - 2.0;
        (0..side * side).map(|i| (seen(i) + 1.7 * seen(i).sqrt() * noise(&mut rng)).max(0.0) as u16).collect()
    };
    Movie { side, frames: (0..frames).map(frame).collect() }
}

/// Seconds that each stage took.
#[derive(Default)]
struct Clock(Mutex<Laps>);

#[derive(Default)]
struct Laps {
    current: Option<(Stage, Instant)>,
    ended: Vec<(Stage, f64)>,
}

impl Clock {
    fn turn(&self, next: Option<Stage>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((stage, since)) = state.current
            && next != Some(stage)
        {
            state.ended.push((stage, since.elapsed().as_secs_f64()));
            state.current = None;
        }
        if let (None, Some(stage)) = (state.current, next) {
            state.current = Some((stage, Instant::now()));
        }
    }
}

impl Progress for Clock {
    fn step(&self, stage: Stage, _: usize, _: usize) {
        self.turn(Some(stage));
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut numbers = std::env::args().skip(1).map(|word| word.parse::<usize>());
    let mut next = |usual: usize| numbers.next().unwrap_or(Ok(usual));
    let (side, frames, threads, rounds) = (next(256)?, next(1000)?, next(2)?, next(3)?);
    let mut movie = movie(side, frames);
    let params = Params { frame_rate_hz: 30.0, threads, ..Params::default() };
    let mut all: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for _ in 0..rounds {
        let clock = Clock::default();
        let start = Instant::now();
        let found = segment(&mut movie, &params, &clock)?;
        let whole = start.elapsed().as_secs_f64();
        clock.turn(None);
        println!("{} ROIs in {whole:.2} s", found.rois.len());
        let state = clock.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        for (stage, seconds) in state.ended.into_iter().map(|(s, t)| (format!("{} {s:?}", s as u8), t)) {
            all.entry(stage).or_default().push(seconds);
        }
        all.entry("whole".into()).or_default().push(whole);
    }
    println!("| stage | best s | median s | frames/s | MB/s |\n|---|---|---|---|---|");
    for (stage, mut seconds) in all {
        seconds.sort_by(f64::total_cmp);
        let (best, median) = (seconds[0], seconds[seconds.len() / 2]);
        let megabytes = (frames * side * side * 2) as f64 / 1e6;
        let stage = stage.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ');
        println!("| {stage} | {best:.3} | {median:.3} | {:.0} | {:.0} |", frames as f64 / median, megabytes / median);
    }
    Ok(())
}
