//! Files that are no recordings: each is rejected with cause and remedy, nothing is launched, a mail is written.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use dropscope_pipeline::State;
use dropscope_testkit::faults::Faults;
use dropscope_tests::{Whole, recordings};
use std::time::{Duration, Instant};

/// Tag, type, count, value.
type Tag = (u16, u16, u32, u32);

/// A classic little-endian TIFF of directories, each with a next pointer, over `data`.
fn tiff(directories: &[(&[Tag], u32)], data: &[u8]) -> Vec<u8> {
    let mut bytes = b"II*\0\x08\0\0\0".to_vec();
    for (entries, next) in directories {
        bytes.extend((entries.len() as u16).to_le_bytes());
        for (tag, kind, count, value) in *entries {
            bytes.extend(tag.to_le_bytes());
            bytes.extend(kind.to_le_bytes());
            bytes.extend(count.to_le_bytes());
            bytes.extend(value.to_le_bytes());
        }
        bytes.extend(next.to_le_bytes());
    }
    bytes.extend(data);
    bytes
}

/// Tags of a 4 × 4 uint8 page whose one strip lies at `offset`; an ImageJ description may lie elsewhere.
fn page(offset: u32, extra: Option<Tag>) -> Vec<Tag> {
    let mut tags = vec![(256, 4, 1, 4), (257, 4, 1, 4), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)];
    tags.extend(extra);
    tags.extend([(273, 4, 1, offset), (277, 3, 1, 1), (278, 4, 1, 4), (279, 4, 1, 16)]);
    tags
}

fn looping() -> Vec<u8> {
    let tags = page(8 + 2 + 9 * 12 + 4, None);
    tiff(&[(&tags, 8)], &[7; 16])
}

fn one_frame() -> Vec<u8> {
    let tags = page(8 + 2 + 9 * 12 + 4, None);
    tiff(&[(&tags, 0)], &[7; 16])
}

fn a_million_million_frames() -> Vec<u8> {
    let text = b"ImageJ=1.54f\nimages=1000000000000\nframes=1000000000000\n\0";
    let end = 8 + 2 + 10 * 12 + 4;
    let tags = page(end + text.len() as u32, Some((270, 2, text.len() as u32, end)));
    tiff(&[(&tags, 0)], &[&text[..], &[7; 16]].concat())
}

fn jpeg() -> Vec<u8> {
    let mut bytes = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0".to_vec();
    bytes.resize(5000, 0x55);
    bytes
}

async fn rejected(name: &str, bytes: Vec<u8>, words: &[&str]) {
    let whole = Whole::new().unwrap();
    let mut machine = whole.on(Faults::never()).unwrap();
    machine.upload(&format!("recordings/ana/{name}.tif"), bytes).await.unwrap();
    let began = Instant::now();
    machine.walk().await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(5), "{name} took {:?}", began.elapsed());
    let job = machine.jobs().await.unwrap().remove(0);
    let State::Rejected(verdict) = &job.state else { panic!("{name}: {:?}", job.state) };
    let said = format!("{}: {}", verdict.cause, verdict.remedy);
    assert!(words.iter().all(|word| said.contains(word)), "{name}: {said}");
    assert!(!verdict.cause.is_empty() && !verdict.remedy.is_empty(), "{name}");
    assert_eq!(whole.fleet.started(), 0, "{name}: nothing is launched");
    assert!(job.closed, "{name}: the run is closed");
    let mails = machine.mails().unwrap();
    assert_eq!(mails.len(), 1, "{name}: one mail");
    assert!(mails[0].contains("Cause") && mails[0].contains("What to do"), "{name}: {}", mails[0]);
    assert!(machine.world().objects.list("results/", None).await.unwrap().is_empty(), "{name}: no results");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_recording_is_rejected_with_cause_and_remedy() {
    let whole = recordings::small(1).unwrap();
    let cut = whole[..whole.len() / 2].to_vec();
    rejected("truncated", cut, &["cut short", "again"]).await;
    rejected("jpeg", jpeg(), &["JPEG"]).await;
    rejected("empty", Vec::new(), &["empty"]).await;
    rejected("one-frame", one_frame(), &["1"]).await;
    rejected("loop", looping(), &[]).await;
    rejected("million-million", a_million_million_frames(), &[]).await;
    rejected("text", b"not a tiff at all".to_vec(), &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_that_breaks_half_way_fails_with_a_mail_and_no_retry() {
    // Headers in order, pixels of one compressed frame destroyed: only the segmentation can notice.
    let bytes = compressed_with_a_broken_frame();
    let whole = Whole::new().unwrap();
    let mut machine = whole.on(Faults::never()).unwrap();
    machine.upload("recordings/ana/broken.tif", bytes).await.unwrap();
    machine.walk().await.unwrap();
    let job = machine.jobs().await.unwrap().remove(0);
    assert!(matches!(job.state, State::Failed(_)), "{:?}", job.state);
    assert_eq!((whole.fleet.started(), job.closed), (1, true));
    assert!(machine.mails().unwrap()[0].contains("failed"), "{:?}", machine.mails());
}

fn compressed_with_a_broken_frame() -> Vec<u8> {
    use tiff::encoder::{Compression, DeflateLevel, TiffEncoder, colortype::Gray16};
    let mut bytes = std::io::Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut bytes).unwrap().with_compression(Compression::Deflate(DeflateLevel::Fast));
    for t in 0..20u16 {
        let pixels: Vec<u16> = (0..32 * 32u32).map(|i| ((i * 7919 + u32::from(t) * 104) % 4096) as u16).collect();
        encoder.write_image::<Gray16>(32, 32, &pixels).unwrap();
    }
    let mut bytes = bytes.into_inner();
    // Past the header, inside the first frame's compressed pixels.
    bytes[40..400].fill(0xff);
    bytes
}
