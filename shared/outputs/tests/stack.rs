//! tifffile judges the stacks.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use dropscope_outputs::{Stack, StackShape};
use dropscope_testkit::python;
use std::fs::File;
use std::path::Path;
use std::process::Command;

fn judge(file: &Path, script: &str) {
    let prelude = "import sys, numpy as np, tifffile\nstack = tifffile.TiffFile(sys.argv[1])\n";
    let output = Command::new(python().expect("tests need a Python"))
        .args(["-W", "error", "-c", &format!("{prelude}{script}")])
        .arg(file)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn shape() -> StackShape {
    StackShape { frames: 7, planes: 3, height: 5, width: 11, float: false, frame_rate_hz: 7.5, pixel_size_um: Some(0.65) }
}

/// The value of a pixel, which tells where it belongs.
fn value(plane: usize, t: usize, pixel: usize) -> f32 {
    (plane * 10_000 + t * 100 + pixel) as f32
}

fn written(folder: &Path, shape: &StackShape) -> std::path::PathBuf {
    let file = folder.join("stack.tif");
    let mut stack = Stack::begin(File::create(&file).unwrap(), shape.clone()).unwrap();
    let pixels = shape.height * shape.width;
    // The last plane first, in pieces of different length.
    for plane in (0..shape.planes).rev() {
        for times in [0..4, 4..7] {
            let frames: Vec<f32> = times.clone().flat_map(|t| (0..pixels).map(move |pixel| value(plane, t, pixel))).collect();
            stack.put(plane, times.start, &frames).unwrap();
        }
    }
    stack.finish().unwrap();
    file
}

#[test]
fn a_stack_is_a_hyperstack_of_imagej_with_every_pixel_at_its_place() {
    let dir = tempfile::tempdir().unwrap();
    for (float, kind) in [(false, "uint16"), (true, "float32")] {
        let file = written(dir.path(), &StackShape { float, ..shape() });
        judge(
            &file,
            &format!(
                r"
assert stack.is_imagej and not stack.is_bigtiff
assert stack.series[0].axes == 'TZYX' and stack.series[0].shape == (7, 3, 5, 11), stack.series[0]
found = stack.asarray()
t, z, pixel = np.meshgrid(np.arange(7), np.arange(3), np.arange(55), indexing='ij')
assert found.dtype == '{kind}' and (found.reshape(7, 3, 55) == z * 10000 + t * 100 + pixel).all()
for page, image in zip(stack.pages, found.reshape(21, 5, 11)):
    assert (page.asarray() == image).all()
meta = stack.imagej_metadata
assert abs(meta['finterval'] - 1 / 7.5) < 1e-9 and meta['unit'] == 'micron'
a, b = stack.pages[0].tags['XResolution'].value
assert abs(b / a - 0.65) < 1e-6
"
            ),
        );
    }
}

#[test]
fn samples_beyond_16_bits_stay_at_their_end() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("stack.tif");
    let shape = StackShape { frames: 2, planes: 1, height: 1, width: 3, pixel_size_um: None, ..shape() };
    let mut stack = Stack::begin(File::create(&file).unwrap(), shape).unwrap();
    stack.put(0, 0, &[-3.0, 70_000.0, 41.5, 0.4, 65_534.6, f32::NAN]).unwrap();
    stack.finish().unwrap();
    judge(&file, "assert stack.asarray().ravel().tolist() == [0, 65535, 42, 0, 65535, 0], stack.asarray()");
}

#[test]
fn beyond_4_gb_it_is_a_bigtiff_that_is_read_to_its_last_page() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("stack.tif");
    let shape = StackShape { frames: 1100, planes: 2, height: 1024, width: 1024, ..shape() };
    let mut stack = Stack::begin(File::create(&file).unwrap(), shape).unwrap();
    // All others stay holes, which take no room.
    stack.put(1, 1099, &vec![1234.0; 1 << 20]).unwrap();
    stack.finish().unwrap();
    judge(
        &file,
        r"
assert stack.is_bigtiff and stack.is_imagej and len(stack.pages) == 2200
assert stack.series[0].axes == 'TZYX' and stack.series[0].shape == (1100, 2, 1024, 1024)
assert (stack.pages[2199].asarray() == 1234).all() and (stack.pages[2198].asarray() == 0).all()
",
    );
}
