//! The registered movie, as who asks for it meets it; tifffile and NumPy judge.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use dropscope_testkit::movie::Scene;
use dropscope_testkit::python;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::process::Command;
use tiff::decoder::{Decoder, DecodingResult};
use tiff::encoder::{TiffEncoder, colortype::Gray16};

const MOVIE: [&str; 2] = ["registered.tif", "registered.gif"];

/// A recording of two planes: two scenes by turns.
fn two_planes(folder: &Path) -> std::path::PathBuf {
    let of =
        |seed| Scene { seed, height: 64, width: 72, frames: 120, cells: 6, groups: 2, ..Scene::default() }.generate().unwrap();
    let file = folder.join("fish.tif");
    let mut tiff = TiffEncoder::new(BufWriter::new(File::create(&file).unwrap())).unwrap();
    let (one, other) = (of(1), of(2));
    for (one, other) in one.frames().zip(other.frames()) {
        tiff.write_image::<Gray16>(72, 64, &one).unwrap();
        tiff.write_image::<Gray16>(72, 64, &other).unwrap();
    }
    file
}

fn segment(file: &Path, out: &Path, more: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dropscope"));
    let done = command.arg("segment").arg(file).arg("--out").arg(out).args(["--planes", "2", "--fs", "5"]).args(more).output();
    let done = done.unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

#[test]
fn the_movie_is_there_when_it_is_asked_for_and_has_the_mean_of_the_result() {
    let dir = tempfile::tempdir().unwrap();
    let (file, out) = (two_planes(dir.path()), dir.path().join("out"));
    segment(&file, &out, &["--registered-movie", "--threads", "1"]);
    let script = r"
import numpy as np, tifffile
stack = tifffile.TiffFile('registered.tif')
movie = stack.asarray()
assert stack.is_imagej and stack.series[0].axes == 'TZYX' and movie.shape == (120, 2, 64, 72) and movie.dtype == np.uint16
assert abs(stack.imagej_metadata['finterval'] - 0.2) < 1e-9
for p in range(2):
    ops = np.load(f'suite2p/plane{p}/ops.npy', allow_pickle=True).item()
    mean = movie[~ops['badframes'], p].mean(axis=0, dtype='f8')
    assert np.abs(mean - ops['meanImg']).max() <= 0.5, np.abs(mean - ops['meanImg']).max()
    assert np.abs(mean - ops['meanImg_raw']).max() > 5
";
    let judged =
        Command::new(python().expect("tests need a Python")).args(["-W", "error", "-c", script]).current_dir(&out).output();
    let judged = judged.unwrap();
    assert!(judged.status.success(), "{}", String::from_utf8_lossy(&judged.stderr));
    let gif = std::fs::read(out.join("registered.gif")).unwrap();
    assert!(gif.starts_with(b"GIF89a") && gif.len() <= 8_000_000);
    assert!(!out.join(".movie").exists(), "what it was made in is gone");

    let again = dir.path().join("again");
    segment(&file, &again, &["--registered-movie", "--threads", "3"]);
    for name in MOVIE {
        assert!(std::fs::read(out.join(name)).unwrap() == std::fs::read(again.join(name)).unwrap(), "{name} depends on threads");
    }
    // And without one nothing of it is left.
    segment(&file, &again, &["--registered-movie=false"]);
    assert!(MOVIE.iter().all(|name| !again.join(name).exists()));
}

#[test]
fn a_still_scene_moves_in_the_recording_and_not_in_the_movie() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("dropscope.toml"), "registered_movie = true").unwrap();
    let (file, out) = (two_planes(dir.path()), dir.path().join("out"));
    segment(&file, &out, &[]);
    // How much neighbouring frames of the first plane differ, in a middle that all frames cover.
    let unrest = |path: &Path| {
        let mut stack = Decoder::new(File::open(path).unwrap()).unwrap();
        let mut pages = Vec::new();
        loop {
            let DecodingResult::U16(pixels) = stack.read_image().unwrap() else { panic!("not of 16 bits") };
            pages.push(pixels);
            if !stack.more_images() {
                break;
            }
            stack.next_image().unwrap();
        }
        let frames: Vec<&Vec<u16>> = pages.iter().step_by(2).collect();
        let middle = |frame: &[u16]| (16..48).flat_map(|y| frame[y * 72 + 16..y * 72 + 56].to_vec()).collect::<Vec<u16>>();
        let apart = |a: &[u16], b: &[u16]| a.iter().zip(b).map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>();
        frames.iter().zip(&frames[20..]).map(|(a, b)| apart(&middle(a), &middle(b))).sum::<f64>()
    };
    let (raw, registered) = (unrest(&file), unrest(&out.join("registered.tif")));
    assert!(registered < 0.9 * raw, "{registered} {raw}");
}
