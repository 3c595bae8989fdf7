//! Segments a raw movie and leaves plain binary files for a script to look at.
//!
//! `segment_raw MOVIE T H W FS TAU OUT [THREADS [DIAMETER]]`: MOVIE holds little-endian frames of
//! float32, or of uint16 if that is what its length says. OUT gets images
//! (`mean`, `mean_raw`, `max`, `sd`: H × W), `shifts` (y, x, corr, bad per frame), `f`, `fneu`, `spks` (ROIs × T), all
//! float32, `rois.json` and `clusters.json`.

use dropscope_segmentation::{FrameSource, Params, Progress, SourceError, Stage, cluster, segment};
use std::error::Error;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Mutex;
use std::time::Instant;

struct RawMovie {
    file: File,
    frames: usize,
    shape: (usize, usize),
    /// Bytes of a pixel.
    size: usize,
    bytes: Vec<u8>,
}

impl RawMovie {
    fn open(path: &str, frames: usize, shape: (usize, usize)) -> std::io::Result<Self> {
        let file = File::open(path)?;
        let pixels = (frames * shape.0 * shape.1) as u64;
        let size = if file.metadata()?.len() == 2 * pixels { 2 } else { 4 };
        Ok(Self { file, frames, shape, size, bytes: Vec::new() })
    }
}

impl FrameSource for RawMovie {
    fn frames(&self) -> usize {
        self.frames
    }
    fn shape(&self) -> (usize, usize) {
        self.shape
    }
    fn read(&mut self, index: usize, out: &mut [f32]) -> Result<(), SourceError> {
        self.bytes.resize(out.len() * self.size, 0);
        let at = SeekFrom::Start((index * self.bytes.len()) as u64);
        let done = self.file.seek(at).and_then(|_| self.file.read_exact(&mut self.bytes));
        done.map_err(|e| SourceError { index, source: Box::new(e) })?;
        if self.size == 2 {
            let values = self.bytes.chunks_exact(2);
            out.iter_mut().zip(values).for_each(|(o, b)| *o = f32::from(u16::from_le_bytes([b[0], b[1]])));
        } else {
            let values = self.bytes.chunks_exact(4);
            out.iter_mut().zip(values).for_each(|(o, b)| *o = f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        }
        Ok(())
    }
}

/// Prints how long each stage took.
struct Clock(Mutex<(Option<Stage>, Instant)>);

impl Progress for Clock {
    fn step(&self, stage: Stage, _: usize, _: usize) {
        if let Ok(mut state) = self.0.lock()
            && state.0 != Some(stage)
        {
            println!("{:?} ended after {:.2} s", state.0, state.1.elapsed().as_secs_f64());
            *state = (Some(stage), Instant::now());
        }
    }
}

fn write<'a>(out: &Path, name: &str, values: impl IntoIterator<Item = &'a f32>) -> std::io::Result<()> {
    let bytes: Vec<u8> = values.into_iter().flat_map(|v| v.to_le_bytes()).collect();
    std::fs::write(out.join(name), bytes)
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().collect();
    let arg = |i: usize| args.get(i).map(String::as_str).ok_or("too few arguments");
    let mut source = RawMovie::open(arg(1)?, arg(2)?.parse()?, (arg(3)?.parse()?, arg(4)?.parse()?))?;
    let params = Params {
        frame_rate_hz: arg(5)?.parse()?,
        tau_s: arg(6)?.parse()?,
        threads: arg(8).unwrap_or("0").parse()?,
        diameter_px: args.get(9).map(|d| d.parse()).transpose()?,
        ..Params::default()
    };
    let out = Path::new(arg(7)?);
    std::fs::create_dir_all(out)?;
    let start = Instant::now();
    let clock = Clock(Mutex::new((None, start)));
    let result = segment(&mut source, &params, &clock)?;
    let cells = result.rois.iter().filter(|r| r.is_cell).count();
    let (rois, seconds) = (result.rois.len(), start.elapsed().as_secs_f64());
    println!("{rois} ROIs, {cells} cells, {seconds:.2} s");
    let r = &result.registration;
    for (name, image) in [("mean", &r.mean), ("mean_raw", &r.mean_raw), ("max", &r.max), ("sd", &r.sd)] {
        write(out, name, image)?;
    }
    let shifts: Vec<f32> =
        (0..r.yoff.len()).flat_map(|t| [r.yoff[t], r.xoff[t], r.corr[t], f32::from(u8::from(r.bad_frames[t]))]).collect();
    write(out, "shifts", &shifts)?;
    for (name, traces) in [("f", &result.f), ("fneu", &result.fneu), ("spks", &result.spks)] {
        write(out, name, traces)?;
    }
    let describe = |r: &dropscope_segmentation::Roi| {
        serde_json::json!({"ypix": r.ypix, "xpix": r.xpix, "lam": r.lam, "is_cell": r.is_cell,
            "p": r.cell_probability, "aspect": r.aspect_ratio, "compact": r.compact, "skew": r.skew, "snr": r.snr,
            "contrast": r.contrast, "halo": r.halo, "relative_area": r.relative_area})
    };
    let rois: Vec<_> = result.rois.iter().map(describe).collect();
    let rois = serde_json::json!({"yrange": r.yrange, "xrange": r.xrange, "rois": rois});
    std::fs::write(out.join("rois.json"), rois.to_string())?;
    let c = cluster(&[result], &params, &clock)?;
    let members: Vec<usize> = c.members.iter().map(|m| m.roi).collect();
    let clusters = serde_json::json!({"members": members, "labels": c.labels, "order": c.order});
    std::fs::write(out.join("clusters.json"), clusters.to_string())?;
    Ok(())
}
