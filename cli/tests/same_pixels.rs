//! The same pixels in another file give the same cells: no compression, sample type or range is read as something else.
//!
//! suite2p 1.1.0 reads LZW and Deflate stacks as noise, wraps int32 and float32 above 32,767, and truncates float32 between
//! 0 and 1 to 0; each of them without a word.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use dropscope_testkit::movie::{Movie, Scene, score};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::process::Command;
use tiff::encoder::colortype::{ColorType, Gray16, Gray32, Gray32Float, GrayI32};
use tiff::encoder::{Compression, DeflateLevel, TiffEncoder, TiffValue};

/// Rows and columns of every ROI.
type Rois = Vec<(Vec<u32>, Vec<u32>)>;

fn movie() -> Movie {
    // Up to about 1500 counts.
    let scene = Scene { height: 96, width: 112, frames: 240, cells: 12, groups: 3, ..Scene::default() };
    scene.generate().unwrap()
}

fn written<C: ColorType>(movie: &Movie, file: &Path, how: Compression, sample: impl Fn(u16) -> C::Inner)
where
    [C::Inner]: TiffValue,
{
    let mut tiff = TiffEncoder::new(BufWriter::new(File::create(file).unwrap())).unwrap().with_compression(how);
    let (width, height) = (movie.scene.width as u32, movie.scene.height as u32);
    for frame in movie.frames() {
        let samples: Vec<C::Inner> = frame.iter().map(|v| sample(*v)).collect();
        tiff.write_image::<C>(width, height, &samples).unwrap();
    }
}

/// What the program finds in a file: every byte of its table of pixels, and the cells among them.
fn found(folder: &Path, name: &str) -> (String, Rois) {
    let (file, out) = (folder.join(name), folder.join(format!("{name}.out")));
    let mut command = Command::new(env!("CARGO_BIN_EXE_dropscope"));
    let run = command.arg("segment").arg(&file).arg("--out").arg(&out).args(["--fs", "15", "--tau", "1"]).output().unwrap();
    assert_eq!(run.status.code(), Some(0), "{name}: {}", String::from_utf8_lossy(&run.stderr));
    let table = std::fs::read_to_string(out.join("pixels.csv")).unwrap();
    let mut rois: BTreeMap<usize, (Vec<u32>, Vec<u32>)> = BTreeMap::new();
    for line in table.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let roi = rois.entry(cells[0].parse().unwrap()).or_default();
        roi.0.push(cells[3].parse().unwrap());
        roi.1.push(cells[4].parse().unwrap());
    }
    let cells = cells(&std::fs::read_to_string(out.join("rois.csv")).unwrap());
    (table, rois.into_iter().filter(|(roi, _)| cells.contains(roi)).map(|(_, pixels)| pixels).collect())
}

/// The ROIs that `rois.csv` takes for cells.
fn cells(table: &str) -> Vec<usize> {
    let mut lines = table.lines();
    let column = lines.next().unwrap().split(',').position(|name| name == "cell").unwrap();
    let rows = lines.map(|line| line.split(',').collect::<Vec<_>>());
    rows.filter(|row| row[column] == "1").map(|row| row[0].parse().unwrap()).collect()
}

#[test]
fn compression_and_sample_type_change_no_pixel_of_any_roi() {
    let (dir, movie) = (tempfile::tempdir().unwrap(), movie());
    let place = |name: &str| dir.path().join(name);
    written::<Gray16>(&movie, &place("plain.tif"), Compression::Uncompressed, |v| v);
    written::<Gray16>(&movie, &place("lzw.tif"), Compression::Lzw, |v| v);
    written::<Gray16>(&movie, &place("deflate.tif"), Compression::Deflate(DeflateLevel::Balanced), |v| v);
    written::<Gray16>(&movie, &place("packbits.tif"), Compression::Packbits, |v| v);
    written::<GrayI32>(&movie, &place("int32.tif"), Compression::Lzw, i32::from);
    written::<Gray32Float>(&movie, &place("float32.tif"), Compression::Deflate(DeflateLevel::Fast), f32::from);
    let (plain, cells) = found(dir.path(), "plain.tif");
    let score = score::found(&movie.truth, &cells);
    assert!(4 * score.found >= 3 * score.planted, "{score:?}");
    for name in ["lzw.tif", "deflate.tif", "packbits.tif", "int32.tif", "float32.tif"] {
        assert!(found(dir.path(), name).0 == plain, "{name} gives other ROIs");
    }
}

#[test]
fn counts_above_int16_and_below_one_give_the_same_cells() {
    let (dir, movie) = (tempfile::tempdir().unwrap(), movie());
    let place = |name: &str| dir.path().join(name);
    written::<Gray16>(&movie, &place("plain.tif"), Compression::Uncompressed, |v| v);
    // From 12,800 to far above 65,535: every cell crosses 32,767.
    written::<GrayI32>(&movie, &place("int32.tif"), Compression::Uncompressed, |v| i32::from(v) * 64);
    written::<Gray32>(&movie, &place("uint32.tif"), Compression::Uncompressed, |v| u32::from(v) * 64 + 100_000);
    written::<Gray32Float>(&movie, &place("float32.tif"), Compression::Uncompressed, |v| f32::from(v) * 64.0);
    written::<Gray32Float>(&movie, &place("unit.tif"), Compression::Uncompressed, |v| f32::from(v) / 65_536.0);
    let (_, plain) = found(dir.path(), "plain.tif");
    for name in ["int32.tif", "uint32.tif", "float32.tif", "unit.tif"] {
        let (_, cells) = found(dir.path(), name);
        assert!(cells.len().abs_diff(plain.len()) <= 1, "{name}: {} cells, {}", cells.len(), plain.len());
        let twin = |a: &(Vec<u32>, Vec<u32>)| cells.iter().any(|b| overlap(a, b) > 0.9);
        assert!(plain.iter().all(twin), "{name} gives other cells");
    }
}

/// Intersection over union.
fn overlap(a: &(Vec<u32>, Vec<u32>), b: &(Vec<u32>, Vec<u32>)) -> f64 {
    let both = a.0.iter().zip(&a.1).filter(|(y, x)| b.0.iter().zip(&b.1).any(|p| p == (*y, *x))).count();
    both as f64 / (a.0.len() + b.0.len() - both) as f64
}
