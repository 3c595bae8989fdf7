//! Recordings in many files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::fs::File;
use std::io::{self, Cursor};
use std::path::PathBuf;

use common::Tiff;
use dropscope_recording::{FrameBuffer, Limits, Members, Overrides, ReadAt, Recording, RecordingError, open_set};

/// Files in memory, or below a folder.
struct Folder {
    names: Vec<String>,
    files: Vec<Vec<u8>>,
    list: bool,
}

impl Members for Folder {
    fn names(&self) -> &[String] {
        &self.names
    }
    fn open(&self, member: usize) -> io::Result<Box<dyn ReadAt>> {
        Ok(Box::new(Cursor::new(self.files[member].clone())))
    }
    fn is_list(&self) -> bool {
        self.list
    }
}

struct OnDisk(PathBuf, Vec<String>);

impl Members for OnDisk {
    fn names(&self) -> &[String] {
        &self.1
    }
    fn open(&self, member: usize) -> io::Result<Box<dyn ReadAt>> {
        Ok(Box::new(File::open(self.0.join(&self.1[member]))?))
    }
}

/// A file of `pages` pages of 6 × 4 pixels, all samples of page `p` being `first + p`.
fn numbered(first: u8, pages: u8) -> Tiff {
    let mut tiff = Tiff::counting(usize::from(pages), 6, 4);
    tiff.frames = (0..pages).map(|p| vec![[first + p, 0].repeat(24)]).collect();
    tiff
}

fn set(files: Vec<(&str, Vec<u8>)>, overrides: &Overrides) -> Result<Recording, RecordingError> {
    let (names, files) = files.into_iter().map(|(name, file)| (name.to_owned(), file)).unzip();
    open_set(Box::new(Folder { names, files, list: false }), &Limits::default(), overrides)
}

/// The first byte of each frame of a plane and channel.
fn marks(recording: &Recording, plane: usize, channel: usize) -> Vec<u8> {
    recording.frames(plane, channel).map(|frame| frame.unwrap().pixels().to_le_bytes()[0]).collect()
}

#[test]
fn frames_in_a_file_each_follow_the_numbers_in_the_names() {
    let file = |n: u8| {
        (["f_1.tif", "f_2.tif", "f_10.tif", "f_9.tif"][usize::from(n)], numbered([1, 2, 10, 9][usize::from(n)], 1).bytes())
    };
    let recording = set(vec![file(2), file(0), file(1), file(3)], &Overrides::default()).unwrap();
    assert_eq!((recording.info().frames, recording.info().files), (4, 4));
    assert_eq!(marks(&recording, 0, 0), [1, 2, 9, 10]);
}

#[test]
fn pieces_of_a_long_recording_are_one() {
    let files = vec![("b_2.tif", numbered(5, 3).bytes()), ("b_1.tif", numbered(0, 5).bytes()), ("notes.txt", vec![1, 2])];
    let recording = set(files, &Overrides::default()).unwrap();
    assert_eq!(marks(&recording, 0, 0), [0, 1, 2, 3, 4, 5, 6, 7]);
    let mut buffers = vec![FrameBuffer::new(); 8];
    recording.read_pages(&[7, 0, 4, 5, 6, 1, 2, 3], &mut buffers).unwrap();
    let read: Vec<u8> = buffers.iter().map(|b| b.pixels().to_le_bytes()[0]).collect();
    assert_eq!(read, [7, 0, 4, 5, 6, 1, 2, 3]);
    assert!(matches!(recording.read_page(8, &mut buffers[0]), Err(RecordingError::NoSuchPage { .. })));
}

#[test]
fn a_volume_in_each_file_gives_planes() {
    let volume = |n: u8| (["v1.tif", "v2.tif", "v3.tif"][usize::from(n)], numbered(10 * n, 2).bytes());
    let recording = set((0..3).map(volume).collect(), &Overrides::default()).unwrap();
    let info = recording.info();
    assert_eq!((info.frames, info.planes, info.sources["planes"].to_string()), (3, 2, "assumed".to_owned()));
    assert!(info.notes.iter().any(|note| note.contains("planes = 1")), "{:?}", info.notes);
    assert_eq!([marks(&recording, 0, 0), marks(&recording, 1, 0)], [[0, 10, 20], [1, 11, 21]]);
    let flat = set((0..3).map(volume).collect(), &Overrides { planes: Some(1), ..Overrides::default() }).unwrap();
    assert_eq!(marks(&flat, 0, 0), [0, 1, 10, 11, 20, 21]);
}

#[test]
fn slices_in_each_of_many_files_are_planes_although_in_one_file_they_are_time() {
    let volume = |n: u8| numbered(10 * n, 2).described("ImageJ=1.54f\nimages=2\nslices=2\n").bytes();
    let recording = set(vec![("v1.tif", volume(0)), ("v2.tif", volume(1))], &Overrides::default()).unwrap();
    let info = recording.info();
    assert_eq!((info.frames, info.planes, info.sources["planes"].to_string()), (2, 2, "metadata: ImageJ slices".to_owned()));
    assert_eq!(marks(&recording, 1, 0), [1, 11]);
    assert!(!info.notes.iter().any(|note| note.contains("time points of one plane")), "{:?}", info.notes);
}

#[test]
fn channels_in_files_of_their_own_alternate() {
    let file = |name, n| (name, numbered(n, 1).bytes());
    let files = vec![file("x_Ch2_2.tif", 22), file("x_Ch1_1.tif", 11), file("x_Ch2_1.tif", 21), file("x_Ch1_2.tif", 12)];
    let recording = set(files, &Overrides::default()).unwrap();
    assert_eq!(recording.info().channels, 2);
    assert_eq!([marks(&recording, 0, 0), marks(&recording, 0, 1)], [[11, 12], [21, 22]]);
}

/// A session of Prairie View: two channels in files of their own, each of three pages.
const SESSION: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<PVScan version="5.5.64.100" date="1/1/2024 1:00:00 PM">
  <PVStateShard>
    <PVStateValue key="framePeriod" value="0.05" />
    <PVStateValue key="micronsPerPixel"><IndexedValue index="XAxis" value="1.25" /></PVStateValue>
  </PVStateShard>
  <Sequence type="TSeries Timed Element" cycle="1">
    <Frame relativeTime="0" absoluteTime="0" index="1"><File channel="1" filename="T_Ch1.ome.tif" page="1" /><File channel="2" filename="T_Ch2.ome.tif" page="1" /></Frame>
    <Frame relativeTime="0.05" absoluteTime="0.05" index="2"><File channel="1" filename="T_Ch1.ome.tif" page="2" /><File channel="2" filename="T_Ch2.ome.tif" page="2" /></Frame>
    <Frame relativeTime="0.1" absoluteTime="0.1" index="3"><File channel="1" filename="T_Ch1.ome.tif" page="3" /><File channel="2" filename="T_Ch2.ome.tif" page="3" /></Frame>
  </Sequence>
</PVScan>"#;

#[test]
fn a_session_file_says_which_page_is_which() {
    let session = || ("T.xml", SESSION.as_bytes().to_vec());
    let files = vec![("T_Ch2.ome.tif", numbered(21, 3).bytes()), session(), ("T_Ch1.ome.tif", numbered(11, 3).bytes())];
    let recording = set(files, &Overrides::default()).unwrap();
    let info = recording.info();
    assert_eq!((info.frames, info.channels, info.frame_rate_hz, info.pixel_size_um), (3, 2, Some(20.0), Some(1.25)));
    assert!(info.sources["frame_rate_hz"].to_string().contains("Prairie View"), "{:?}", info.sources);
    assert_eq!([marks(&recording, 0, 0), marks(&recording, 0, 1)], [[11, 12, 13], [21, 22, 23]]);
    let lacking = set(vec![session(), ("T_Ch1.ome.tif", numbered(11, 3).bytes())], &Overrides::default()).unwrap_err();
    assert!(lacking.cause().contains("T_Ch2.ome.tif"), "{lacking}");
    let short = vec![("T_Ch2.ome.tif", numbered(21, 2).bytes()), session(), ("T_Ch1.ome.tif", numbered(11, 3).bytes())];
    assert!(set(short, &Overrides::default()).unwrap_err().cause().contains("page 3 of T_Ch2.ome.tif"));
}

#[test]
fn planes_in_files_of_their_own_are_not_taken_for_time() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/odd/exampletiffs_ome_master");
    assert!(folder.is_dir(), "missing: the files for tests, expected in {}", folder.display());
    let names: Vec<String> = (1..=5).map(|z| format!("multifile-Z{z}.ome.tiff")).collect();
    let error = open_set(Box::new(OnDisk(folder, names)), &Limits::default(), &Overrides::default()).unwrap_err();
    assert!(error.cause().contains("`5` planes"), "{error}");
}

#[test]
fn a_missing_or_different_or_damaged_file_is_named() {
    let one = |n| numbered(n, 1).bytes();
    let gap = vec![("f1.tif", one(1)), ("f2.tif", one(2)), ("f3.tif", one(3)), ("f5.tif", one(5))];
    assert!(set(gap, &Overrides::default()).unwrap_err().cause().contains("f3.tif and f5.tif"));
    let odd = vec![("f1.tif", one(1)), ("f2.tif", Tiff::counting(1, 4, 6).bytes())];
    let error = set(odd, &Overrides::default()).unwrap_err();
    assert!(error.cause().contains("`f2.tif` is `4 × 6 uint16` and the first file, `f1.tif`, is `6 × 4 uint16`"), "{error}");
    let mut cut = one(2);
    cut.truncate(60);
    let error = set(vec![("f1.tif", one(1)), ("f2.tif", cut)], &Overrides::default()).unwrap_err();
    assert!(error.cause().starts_with("in `f2.tif` the file is cut short"), "{error}");
    let error = set(vec![("readme.txt", vec![1])], &Overrides::default()).unwrap_err();
    assert!(error.cause().contains("no TIFF file"), "{error}");
}

#[test]
fn the_fish_in_a_file_per_volume_is_the_fish_of_its_files() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/movies/thunder_fish_pertimepoint");
    assert!(folder.is_dir(), "missing: the recordings for tests, expected in {}", folder.display());
    let names: Vec<String> = std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    let recording = open_set(Box::new(OnDisk(folder.clone(), names)), &Limits::default(), &Overrides::default()).unwrap();
    let info = recording.info();
    assert_eq!((info.frames, info.planes, info.files), (20, 2, 20));
    for time in 0..20 {
        let file = File::open(folder.join(format!("time{:03}.tif", time + 1))).unwrap();
        let alone = dropscope_recording::open(Box::new(file), &Limits::default(), &Overrides::default()).unwrap();
        for plane in 0..2 {
            let (mut a, mut b) = (FrameBuffer::new(), FrameBuffer::new());
            recording.read_page(recording.page_of(time, plane, 0).unwrap(), &mut a).unwrap();
            alone.read_page(plane, &mut b).unwrap();
            assert!(a == b, "time {time} plane {plane}");
        }
    }
}
