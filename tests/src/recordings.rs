//! Recordings for the end-to-end laws.

use dropscope_testkit::movie::Scene;
use std::error::Error;
use std::io::Cursor;
use std::path::PathBuf;
use tiff::decoder::{Decoder, DecodingResult};
use tiff::encoder::{TiffEncoder, colortype::Gray16};

/// A small generated recording, as the bytes of its TIFF.
///
/// # Errors
/// When the scene cannot be planted or written.
pub fn small(seed: u64) -> Result<Vec<u8>, Box<dyn Error>> {
    let scene = Scene { seed, height: 48, width: 48, frames: 90, cells: 4, groups: 2, ..Scene::default() };
    let mut bytes = Cursor::new(Vec::new());
    scene.generate()?.write_tiff(&mut bytes)?;
    Ok(bytes.into_inner())
}

/// The same recording cut in at most `count` files, in the order of time, without metadata.
///
/// # Errors
/// When the scene cannot be planted or written.
pub fn pieces(seed: u64, count: usize) -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
    let mut stack = Decoder::new(Cursor::new(small(seed)?))?;
    let ((width, height), mut frames) = (stack.dimensions()?, Vec::new());
    loop {
        let DecodingResult::U16(pixels) = stack.read_image()? else { return Err("the recording is not of 16 bits".into()) };
        frames.push(pixels);
        if !stack.more_images() {
            break;
        }
        stack.next_image()?;
    }
    let piece = |frames: &[Vec<u16>]| -> Result<Vec<u8>, Box<dyn Error>> {
        let mut bytes = Cursor::new(Vec::new());
        let mut file = TiffEncoder::new(&mut bytes)?;
        frames.iter().try_for_each(|frame| file.write_image::<Gray16>(width, height, frame))?;
        Ok(bytes.into_inner())
    };
    frames.chunks(frames.len().div_ceil(count.max(1))).map(piece).collect()
}

/// A file of the shared data that lies beside a checkout, if it is there; says so when it is not.
pub fn shared(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data").join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: shared/data/{name} is not beside this checkout");
    None
}
