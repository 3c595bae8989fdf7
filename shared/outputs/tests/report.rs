//! Laws of the report.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use base64::{Engine, engine::general_purpose::STANDARD};
use dropscope_outputs::{
    Brightness, MOST_REPORT_BYTES, Movie, OutputError, ReportFacts, ReportFlag, ReportSetting, RoiTraces, RunMeta, Severity,
    Traces, report_html, report_html_of,
};
use dropscope_segmentation::SegmentedRecording;
use serde_json::Value;
use support::{joined, large, meta, planted, scene};

const MARKUP: &str = "<img src=x onerror=alert(1)> </script><script>alert(2)</script> {{data}} \u{2028} & \"quoted\" 'too'";

fn page(meta: &RunMeta, recording: &SegmentedRecording, facts: &ReportFacts) -> String {
    String::from_utf8(report_html(meta, recording, facts).expect("the report can be made")).unwrap()
}

fn small() -> SegmentedRecording {
    planted(&scene(64, 72, 60, 6))
}

/// What stands in the element of a name.
fn element<'a>(page: &'a str, id: &str) -> &'a str {
    let (_, after) = page.split_once(&format!("id=\"{id}\">")).unwrap_or_else(|| panic!("there is no `{id}`"));
    after.split_once("</script>").unwrap().0
}

fn data(page: &str, id: &str) -> Value {
    serde_json::from_str(element(page, id)).unwrap()
}

fn hostile() -> ReportFacts {
    let text = || MARKUP.to_owned();
    ReportFacts {
        settings: vec![ReportSetting { name: text(), value: text(), source: text(), assumed: false }],
        flags: vec![ReportFlag { severity: Severity::Problem, words: format!("{MARKUP}: {MARKUP}") }],
        run: vec![(text(), text())],
        movies: vec![Movie { name: text(), shows: text(), gif: b"GIF89a".to_vec() }],
        files: vec![(text(), text())],
        brightness: None,
        measures: vec![(text(), text())],
    }
}

#[test]
fn a_name_full_of_markup_stays_text() {
    let calm = page(&meta(), &small(), &ReportFacts::default());
    let wild = page(&RunMeta { name: MARKUP.to_owned(), ..meta() }, &small(), &hostile());
    for tag in ["<script", "</script", "<iframe"] {
        assert_eq!(wild.matches(tag).count(), calm.matches(tag).count(), "{tag}");
    }
    // One picture is a movie's own.
    assert_eq!(wild.matches("<img").count(), calm.matches("<img").count() + 1);
    assert!(!wild.contains("<img src=x") && !wild.contains('\u{2028}'));
    assert_eq!(data(&wild, "data")["name"], MARKUP);
    assert!(wild.contains("&lt;img src=x onerror=alert(1)&gt;"));
}

#[test]
fn only_the_page_s_own_program_may_run_and_nothing_is_fetched() {
    let page = page(&meta(), &small(), &hostile());
    let (_, policy) = page.split_once("Content-Security-Policy\" content=\"").unwrap();
    let (policy, _) = policy.split_once('"').unwrap();
    assert!(policy.starts_with("default-src 'none'; img-src data:;"), "{policy}");
    assert!(policy.contains("script-src 'sha256-") && !policy.contains("script-src 'unsafe-inline'"), "{policy}");
    for address in ["src=\"http", "src=\"//", "href=\"http", "@import", "url(", "fetch(", "XMLHttpRequest", "WebSocket"] {
        assert!(!page.contains(address), "{address}");
    }
}

#[test]
fn the_same_run_is_the_same_file() {
    let bytes = || report_html(&meta(), &small(), &hostile()).unwrap();
    assert_eq!(bytes(), bytes());
}

#[test]
fn five_thousand_rois_and_a_hundred_thousand_frames_fit_fifteen_megabytes() {
    let frames = 100_000;
    let recording = large::recording(5000, frames);
    let facts = ReportFacts {
        movies: (0..4).map(|i| Movie { name: format!("{i}.gif"), shows: String::new(), gif: vec![0; 900_000] }).collect(),
        brightness: Some(Brightness { every: 1, means: vec![1.0; frames] }),
        ..ReportFacts::default()
    };
    let page = report_html_of(&meta(), &recording, &facts, &large::Made { frames }).unwrap();
    assert!(page.len() < MOST_REPORT_BYTES && page.len() > MOST_REPORT_BYTES / 2, "{} bytes", page.len());
}

/// Traces of one value, however long.
struct Flat(usize);

impl Traces for Flat {
    fn frames(&self) -> usize {
        self.0
    }

    fn read(&self, _plane: usize, _roi: usize, out: &mut RoiTraces) {
        *out = RoiTraces { f: vec![1.0; 9], ..RoiTraces::default() };
    }
}

#[test]
fn more_rois_than_a_page_can_show_still_fit() {
    let page = report_html_of(&meta(), &large::recording(14_000, 10), &ReportFacts::default(), &Flat(2_000_000)).unwrap();
    assert!(page.len() < MOST_REPORT_BYTES, "{} bytes", page.len());
    let text = String::from_utf8(page).unwrap();
    assert_eq!(data(&text, "data")["all_rois"], 14_000);
    assert!(text.contains("this page shows"));
}

#[test]
fn traces_come_back_as_they_were() {
    let recording = small();
    let page = page(&meta(), &recording, &ReportFacts::default());
    let layout = &data(&page, "packed");
    let frames = layout["frames"].as_u64().unwrap() as usize;
    assert_eq!((frames, &layout["cell"][0]), (60, &serde_json::json!([60, 0, 2])));
    let block = STANDARD.decode(element(&page, "block-0")).unwrap();
    let record = 32 + 4 * 2 * frames;
    assert_eq!(block.len(), 6 * record);
    for roi in 0..6 {
        let codes = &block[roi * record..];
        let end = |i: usize| f32::from_le_bytes(codes[4 * i..4 * i + 4].try_into().unwrap());
        for t in 0..frames {
            let at = 32 + 2 * t;
            let code = f32::from(u16::from_le_bytes([codes[at], codes[at + 1]]));
            let found = end(0) + (code - 1.0) / 65534.0 * (end(1) - end(0));
            let f = recording.planes[0].f[[roi, t]];
            assert!((found - f).abs() <= (end(1) - end(0)) / 60_000.0, "roi {roi} frame {t}: {found} {f}");
        }
    }
}

#[test]
fn every_roi_says_where_it_is_in_the_other_files() {
    let rois = &data(&page(&meta(), &joined(&[small(), small()]), &ReportFacts::default()), "data")["rois"];
    assert_eq!(rois["number"], serde_json::json!((0..12).collect::<Vec<_>>()));
    assert_eq!(rois["plane"][7], 1);
    assert_eq!(rois["roi"][7], 1);
}

#[test]
fn a_large_movie_is_a_link_and_a_small_one_is_inside() {
    let movie = |name: &str, bytes| Movie { name: name.to_owned(), shows: "x".to_owned(), gif: vec![7; bytes] };
    let movies = vec![movie("small.gif", 1000), movie("large.gif", 6_000_000)];
    let page = page(&meta(), &small(), &ReportFacts { movies, ..ReportFacts::default() });
    assert!(page.contains("<a href=\"./large.gif\">") && !page.contains("href=\"./small.gif\""));
    assert_eq!(page.matches("data:image/gif;base64,").count(), 1);
}

#[test]
fn what_is_assumed_is_marked() {
    let facts = ReportFacts {
        settings: vec![ReportSetting { name: "tau".into(), value: "1 s".into(), source: "assumed".into(), assumed: true }],
        ..ReportFacts::default()
    };
    let page = page(&RunMeta { frame_rate_assumed: true, ..meta() }, &small(), &facts);
    assert_eq!(page.matches("<span class=\"assumed\">assumed</span>").count(), 2);
}

#[test]
fn a_recording_without_cells_or_planes_is_told_of_and_breaks_nothing() {
    let empty = page(&meta(), &planted(&scene(64, 72, 20, 0)), &ReportFacts::default());
    assert!(empty.contains("<b>0 cells</b> among 0 ROIs"));
    assert_eq!(data(&empty, "data")["matrix"], Value::Null);
    let none = SegmentedRecording { planes: vec![], clustering: small().clustering };
    assert!(matches!(report_html(&meta(), &none, &ReportFacts::default()), Err(OutputError::NoPlanes)));
}
