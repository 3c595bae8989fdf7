//! Laws of checkpoints: wherever a segmentation is stopped, and whatever became of what it kept, its result is the same to the
//! bit as that of one that nobody stopped.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod movie;
#[allow(dead_code)]
mod planted;

use dropscope_segmentation::{
    Checkpoints, FrameSource, Params, Point, Saved, SegmentError, Segmentation, Silent, SourceError, Stage, Told, Unusable,
    Viewer, keep_finished, readings, segment, segment_kept, segment_shown,
};
use movie::Movie;
use std::collections::BTreeMap;

const FRAMES: usize = 520;
const SIDE: usize = 72;

/// Keeps in memory, whenever it is asked to, until it stops.
#[derive(Clone, Default)]
struct Shelf {
    kept: BTreeMap<String, Vec<u8>>,
    belongs: u8,
    piece: usize,
    /// Saves until it says stop.
    left: usize,
    /// Whether it has no room.
    full: bool,
    told: Vec<Told>,
}

impl Shelf {
    fn new(piece: usize) -> Self {
        Self { piece, left: usize::MAX, ..Self::default() }
    }

    /// What is kept, in the hands of another attempt.
    fn next(&self) -> Self {
        Self { left: usize::MAX, told: Vec::new(), ..self.clone() }
    }

    fn spared(&self) -> usize {
        let of = |told: &Told| if let Told::Resumed { spared, .. } = told { *spared } else { 0 };
        self.told.iter().map(of).sum()
    }

    fn ignored(&self) -> Vec<(String, Unusable)> {
        let of = |told: &Told| if let Told::Ignored { name, why } = told { Some((name.clone(), *why)) } else { None };
        self.told.iter().filter_map(of).collect()
    }
}

impl Checkpoints for Shelf {
    fn belongs_to(&self) -> [u8; 32] {
        [self.belongs; 32]
    }
    fn due(&mut self, _: Point) -> bool {
        true
    }
    fn load(&mut self, name: &str) -> Option<Vec<u8>> {
        self.kept.get(name).cloned()
    }
    fn save(&mut self, name: &str, bytes: Vec<u8>) -> Saved {
        if self.full {
            return Saved::NotNow;
        }
        if self.left == 0 {
            return Saved::Stop;
        }
        self.left -= 1;
        self.kept.insert(name.to_owned(), bytes);
        Saved::Kept
    }
    fn tell(&mut self, told: Told) {
        self.told.push(told);
    }
    fn piece(&self) -> usize {
        self.piece
    }
}

/// Counts what is read.
struct Counted<'a> {
    movie: &'a mut Movie,
    read: usize,
}

impl FrameSource for Counted<'_> {
    fn frames(&self) -> usize {
        self.movie.frames()
    }
    fn shape(&self) -> (usize, usize) {
        self.movie.shape()
    }
    fn read(&mut self, index: usize, out: &mut [f32]) -> Result<(), SourceError> {
        self.read += 1;
        self.movie.read(index, out)
    }
}

/// Cells and motion, a blank frame, and a laser that is turned up on the way: every kind of thing that a record holds.
fn movie() -> Movie {
    let walk = |t: usize| ((t / 7 % 3) as i32 - 1, (t / 11 % 3) as i32 - 1);
    let mut movie = planted::planted((SIDE, SIDE), FRAMES, 12, walk).movie;
    movie.frames[100].fill(7.0);
    movie.frames[300..].iter_mut().flatten().for_each(|v| *v *= 5.0);
    movie
}

fn params(threads: usize) -> Params {
    Params { frame_rate_hz: 10.0, tau_s: 0.95, threads, ..Params::default() }
}

/// Every bit of a result.
fn bits(s: &Segmentation) -> (Vec<u32>, String) {
    let r = &s.registration;
    let arrays = [&s.first_frame, &r.reference, &r.mean, &r.mean_raw, &r.max, &r.sd, &r.blocks.yoff1, &r.blocks.xoff1];
    let values = arrays.into_iter().chain([&s.f, &s.fneu, &s.spks]).flatten();
    let series = [&r.yoff, &r.xoff, &r.corr].into_iter().flatten();
    let views = (&r.bad_frames, r.yrange, r.xrange, &r.blocks.y, &r.blocks.x, r.blocks.shape);
    (values.chain(series).map(|v| v.to_bits()).collect(), format!("{:?} {:?} {views:?}", s.rois, s.quality))
}

/// Segments as far as the shelf lets it; also how many frames were read.
fn go(movie: &mut Movie, threads: usize, shelf: &mut Shelf) -> (Result<Segmentation, SegmentError>, usize) {
    let mut source = Counted { movie, read: 0 };
    let result = segment_kept(&mut source, &params(threads), &Silent, shelf);
    (result, source.read)
}

/// A calm run, and all that it kept.
fn calm(movie: &mut Movie, piece: usize) -> (Segmentation, Shelf) {
    let mut shelf = Shelf::new(piece);
    let (result, read) = go(movie, 2, &mut shelf);
    assert_eq!(read, readings((SIDE, SIDE), FRAMES));
    (result.unwrap(), shelf)
}

#[test]
fn wherever_it_is_stopped_the_result_is_the_same_to_the_bit_on_any_number_of_threads() {
    let mut movie = movie();
    let calm = bits(&segment(&mut movie, &params(3), &Silent).unwrap());
    assert!(calm.1.contains("Roi {") && calm.1.contains("BrightnessChanged"), "the records have something to hold");
    let mut reached = Vec::new();
    for (threads, others) in [(1, 3), (2, 1), (3, 2)] {
        for saves in 0.. {
            let mut shelf = Shelf { left: saves, ..Shelf::new(50_000) };
            let (stopped, _) = go(&mut movie, threads, &mut shelf);
            if let Ok(done) = &stopped {
                assert!(bits(done) == calm && saves > 12, "keeping changes nothing; {saves} saves");
                break;
            }
            assert!(matches!(stopped, Err(SegmentError::Cancelled)), "{stopped:?}");
            let mut next = shelf.next();
            let (result, read) = go(&mut movie, others, &mut next);
            assert!(bits(&result.unwrap()) == calm, "stopped after {saves} saves on {threads} threads");
            assert_eq!(read + next.spared(), readings((SIDE, SIDE), FRAMES), "{saves}: what is spared is not read");
            // A record that was not written to its end is damaged, and nothing else is ignored.
            assert!(next.ignored().iter().all(|(_, why)| *why == Unusable::Damaged), "{:?}", next.ignored());
            reached.push(next.spared());
        }
    }
    reached.sort_unstable();
    reached.dedup();
    assert!(reached.len() >= 8, "from the look at the frames to the last trace: {reached:?}");
}

#[test]
fn a_run_that_is_stopped_at_every_checkpoint_comes_to_its_end_all_the_same() {
    let mut movie = movie();
    let calm = bits(&segment(&mut movie, &params(1), &Silent).unwrap());
    let mut shelf = Shelf::new(16 << 20);
    for attempt in 1.. {
        shelf = Shelf { left: 1, ..shelf.next() };
        let (result, _) = go(&mut movie, 1 + attempt % 3, &mut shelf);
        if let Ok(done) = result {
            assert!(bits(&done) == calm);
            assert!(attempt > 8, "{attempt}: {:?}", shelf.kept.keys());
            break;
        }
        assert!(attempt < 40, "it gets no farther: {:?}", shelf.kept.keys());
    }
}

#[test]
fn a_checkpoint_holds_no_frames() {
    let mut movie = movie();
    let (_, shelf) = calm(&mut movie, 16 << 20);
    let size: usize = shelf.kept.values().map(Vec::len).sum();
    let frames = FRAMES * SIDE * SIDE * 2;
    assert!(size < frames / 4, "{size} bytes are kept of {frames}");
}

#[test]
fn a_finished_plane_is_read_back_to_the_bit_and_no_frame_with_it() {
    let mut movie = movie();
    let (done, mut shelf) = calm(&mut movie, 30_000);
    shelf.kept.clear();
    assert!(keep_finished(&done, &params(1), &mut shelf).unwrap());
    let (result, read) = go(&mut movie, 2, &mut shelf);
    assert!(bits(&result.unwrap()) == bits(&done));
    assert_eq!(read, 0);
    assert!(matches!(shelf.told[..], [Told::Resumed { stage: Stage::Classification, .. }]), "{:?}", shelf.told);
}

#[test]
fn a_damaged_checkpoint_is_told_and_done_again() {
    let mut movie = movie();
    let (done, whole) = calm(&mut movie, 50_000);
    type Damage = fn(&mut Vec<u8>);
    let damages: [(&str, Damage); 5] = [
        ("a bit is flipped", |bytes| *bytes.last_mut().unwrap() ^= 1),
        ("a bit is flipped in the middle", |bytes| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 64;
        }),
        ("the end is missing", |bytes| bytes.truncate(bytes.len() - 1)),
        ("nothing is left", Vec::clear),
        ("there is more", |bytes| bytes.push(0)),
    ];
    for name in ["registered.0", "detected.0", "traces-256.0", "traces-0.0"] {
        for (what, damage) in &damages {
            let mut shelf = whole.next();
            damage(shelf.kept.get_mut(name).unwrap());
            let (result, _) = go(&mut movie, 2, &mut shelf);
            assert!(bits(&result.unwrap()) == bits(&done), "{name}: {what}");
            let record = name.rsplit_once('.').unwrap().0.to_owned();
            assert_eq!(shelf.ignored(), [(record, Unusable::Damaged)], "{name}: {what}");
        }
    }
}

#[test]
fn pieces_out_of_place_are_damage() {
    let mut movie = movie();
    let (done, whole) = calm(&mut movie, 30_000);
    let piece = |index: usize| format!("registered.{index}");
    assert!(whole.kept.contains_key(&piece(2)), "{:?}", whole.kept.keys());
    for (from, to) in [(1, 2), (2, 1), (1, 0)] {
        let mut shelf = whole.next();
        shelf.kept.insert(piece(to), whole.kept[&piece(from)].clone());
        assert!(bits(&go(&mut movie, 2, &mut shelf).0.unwrap()) == bits(&done));
        assert_eq!(shelf.ignored(), [("registered".to_owned(), Unusable::Damaged)], "{from} in the place of {to}");
    }
    // One record in the place of another says that it is another's.
    let mut shelf = whole.next();
    shelf.kept.insert("registered.0".into(), whole.kept["detected.0"].clone());
    assert!(bits(&go(&mut movie, 2, &mut shelf).0.unwrap()) == bits(&done));
    assert_eq!(shelf.ignored(), [("registered".to_owned(), Unusable::Foreign)]);
}

#[test]
fn what_belongs_to_another_program_recording_or_setting_is_never_used() {
    let mut movie = movie();
    let (_, whole) = calm(&mut movie, 16 << 20);
    let foreign = |shelf: &Shelf| {
        assert_eq!(shelf.spared(), 0);
        assert!(!shelf.ignored().is_empty() && shelf.ignored().iter().all(|(_, why)| *why == Unusable::Foreign));
    };
    let mut other = Shelf { belongs: 1, ..whole.next() };
    assert_eq!(go(&mut movie, 2, &mut other).1, readings((SIDE, SIDE), FRAMES));
    foreign(&other);
    for params in [Params { tau_s: 0.96, ..params(2) }, Params { seed: 2, ..params(2) }] {
        let calm = segment(&mut movie, &params, &Silent).unwrap();
        let mut shelf = whole.next();
        let found = segment_kept(&mut movie, &params, &Silent, &mut shelf).unwrap();
        assert!(bits(&found) == bits(&calm), "{params:?}");
        foreign(&shelf);
    }
    movie.frames.truncate(FRAMES - 1);
    let mut shelf = whole.next();
    go(&mut movie, 2, &mut shelf).0.unwrap();
    foreign(&shelf);
}

#[test]
fn without_room_the_work_goes_on_and_nothing_is_kept() {
    let mut movie = movie();
    let calm = bits(&segment(&mut movie, &params(2), &Silent).unwrap());
    let mut shelf = Shelf { full: true, ..Shelf::new(1000) };
    assert!(bits(&go(&mut movie, 2, &mut shelf).0.unwrap()) == calm);
    assert!(shelf.kept.is_empty());
}

/// Holds what it is shown.
#[derive(Default)]
struct Seen(Vec<f32>);

impl Viewer for Seen {
    fn frames(&mut self, first: usize, frames: &[f32]) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        if self.0.len() != first * SIDE * SIDE {
            return Err("a frame is missing or comes twice".into());
        }
        self.0.extend_from_slice(frames);
        Ok(())
    }
}

fn shown(movie: &mut Movie, shelf: &mut Shelf) -> (Segmentation, Vec<u32>) {
    let mut seen = Seen::default();
    let done = segment_shown(movie, &params(2), &Silent, shelf, Some(&mut seen)).unwrap();
    (done, seen.0.iter().map(|v| v.to_bits()).collect())
}

#[test]
fn the_movie_that_is_shown_has_the_mean_of_the_result_and_is_the_same_from_every_checkpoint() {
    let mut movie = movie();
    let calm = bits(&segment(&mut movie, &params(2), &Silent).unwrap());
    let mut whole = Shelf::new(16 << 20);
    let (done, frames) = shown(&mut movie, &mut whole);
    assert!(bits(&done) == calm, "a viewer changes nothing");
    assert_eq!(frames.len(), FRAMES * SIDE * SIDE);
    let good: Vec<usize> = (0..FRAMES).filter(|t| !done.registration.bad_frames[*t]).collect();
    for (pixel, mean) in done.registration.mean.iter().enumerate() {
        let sum: f64 = good.iter().map(|t| f64::from(f32::from_bits(frames[t * SIDE * SIDE + pixel]))).sum();
        assert!((sum / good.len() as f64 - f64::from(*mean)).abs() <= 1e-4 * f64::from(mean.abs()).max(1.0), "{pixel}");
    }
    keep_finished(&done, &params(2), &mut whole).unwrap();
    let names: Vec<String> = whole.kept.keys().cloned().collect();
    assert!(names.iter().any(|name| name.starts_with("finished")), "{names:?}");
    // One record after the other is lost, the last first.
    let mut shelf = whole.next();
    for lost in ["finished", "traces", "detected", "registered", "seen"] {
        let (again, same) = shown(&mut movie, &mut shelf.next());
        assert!(same == frames && bits(&again) == calm, "before {lost} is lost");
        shelf.kept.retain(|name, _| !name.starts_with(lost));
    }
}

#[test]
fn a_viewer_that_can_take_no_more_ends_the_work_with_its_reason() {
    struct Full;
    impl Viewer for Full {
        fn frames(&mut self, _: usize, _: &[f32]) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
            Err("the disk is full".into())
        }
    }
    let found = segment_shown(&mut movie(), &params(2), &Silent, &mut Shelf::new(1000), Some(&mut Full));
    assert!(matches!(found, Err(SegmentError::Shown(why)) if why.to_string() == "the disk is full"));
}
