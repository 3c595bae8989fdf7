//! Recordings for the laws.
#![allow(dead_code)]

use dropscope_recording::{Limits, Overrides, Recording};
use std::io::Cursor;
use std::path::Path;
use tiff::encoder::{TiffEncoder, colortype};

/// Opens a recording in memory.
pub(crate) fn open(bytes: Vec<u8>) -> Recording {
    dropscope_recording::open(Box::new(Cursor::new(bytes)), &Limits::default(), &Overrides::default()).unwrap()
}

/// Opens a file of the shared data beside the checkout; says so where it is not there.
pub(crate) fn open_shared(name: &str) -> Option<Recording> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    if !path.exists() {
        eprintln!("skipped: shared/data/{name} is not beside this checkout");
        return None;
    }
    Some(open(std::fs::read(path).unwrap()))
}

/// A TIFF stack of uint16.
pub(crate) fn stack_u16(height: usize, width: usize, frames: &[Vec<u16>]) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let mut tiff = TiffEncoder::new(&mut bytes).unwrap();
    for frame in frames {
        tiff.write_image::<colortype::Gray16>(width as u32, height as u32, frame).unwrap();
    }
    bytes.into_inner()
}

/// A TIFF stack of float32.
pub(crate) fn stack_f32(height: usize, width: usize, frames: &[Vec<f32>]) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let mut tiff = TiffEncoder::new(&mut bytes).unwrap();
    for frame in frames {
        tiff.write_image::<colortype::Gray32Float>(width as u32, height as u32, frame).unwrap();
    }
    bytes.into_inner()
}
