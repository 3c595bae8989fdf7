//! Every mail as its reader sees it: `tests/mails/*.txt`. `DROPSCOPE_WRITE=1` writes them anew, to be read and committed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use dropscope_pipeline::alert::Reaction;
use dropscope_pipeline::budget::Budget;
use dropscope_pipeline::link::Link;
use dropscope_pipeline::mail::{Where, budget_alert, due, late, resumed, waiting};
use dropscope_pipeline::{
    Job, Mail, MailKind, Manifest, Needs, ObjectKey, Outcome, Plan, Settings, Timestamp, Upload, Usd, Verdict,
};
use dropscope_recording::Info;
use std::collections::BTreeSet;
use std::path::Path;

/// A mail stays under a screen: lines, and characters of a line that is no address.
const LINES: usize = 25;
const WIDTH: usize = 120;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_millis(1_795_000_000_000 + minute * 60_000)
}

fn received(key: &str) -> Job {
    let upload = Upload {
        bucket: "lab".into(),
        key: ObjectKey::raw(key),
        version: None,
        etag: "e".into(),
        size: Some(4_194_304_000),
        sequencer: None,
    };
    Job::claim("0123456789abcdef".parse().unwrap(), upload, "ana".into(), Settings::default(), at(0))
}

fn validated() -> Job {
    let recording: Info = serde_json::from_value(serde_json::json!({
        "frames": 8000, "planes": 1, "channels": 1, "height": 512, "width": 512, "dtype": "uint16", "pages": 8000,
        "frame_rate_hz": 30.1, "pixel_size_um": null, "compression": "none", "sources": { "frame_rate_hz": "imagej" },
        "notes": ["the stack says `images=8001`, and 8000 are there"]
    }))
    .unwrap();
    let job = received("recordings/ana/day 1/fish.tif");
    let manifest = Manifest {
        schema: 1,
        run: job.run.clone(),
        bucket: "lab".into(),
        key: job.upload.key.clone(),
        version: None,
        etag: "e".into(),
        size: 4_194_304_000,
        owner: "ana".into(),
        name: "fish".into(),
        plan: Plan::settle(&Settings::default(), &recording),
        needs: Needs::of(&recording),
        recording,
        accepted_at: at(1),
    };
    job.validated(manifest, at(1)).unwrap()
}

fn running() -> Job {
    validated().launching(Usd::from_micros(120_000), at(2)).unwrap().running(1, "i-0a1b2c3d", at(4)).unwrap()
}

fn done(cells: usize) -> Job {
    let outcome = Outcome {
        attempt: 1,
        cells,
        rois: 231,
        clusters: 4,
        largest_shift_px: 7.25,
        bad_frames: 12,
        notes: vec!["the view jumped by 40 pixels at frame 1200 and stayed there".into()],
        seconds: 412.0,
        cost: Usd::from_micros(31_000),
        files: Vec::new(),
        provenance: serde_json::Value::Null,
    };
    running().done(outcome, at(12)).unwrap()
}

fn budget() -> Budget {
    let mut budget = Budget { cap: Some(Usd::from_micros(20_000_000)), spent: Usd::from_micros(19_900_000), ..Budget::default() };
    budget.spent_by.insert("ana".into(), Usd::from_micros(3_000_000));
    budget.set_cap(Some("ana"), Some(Usd::from_micros(5_000_000)));
    budget
}

fn verdict(cause: &str, remedy: &str) -> Verdict {
    Verdict { cause: cause.into(), remedy: remedy.into() }
}

fn of_alerts() -> Vec<(&'static str, Mail)> {
    let text = "AWS Account 111122223333\n\nBudget Name: lab\nBudgeted Amount: $20.00\nACTUAL Amount: $20.31\n";
    let alert = |reaction, ended: &[String], unended: &[String]| {
        budget_alert("m-1", "the budget `lab` of $20.00 is passed: $20.31 spent", reaction, ended, unended, text)
    };
    let ended = ["i-1", "i-2"].map(String::from);
    vec![
        ("alert", alert(Reaction::FreezeAndEnd, &ended, &["i-3: it was told to end and still runs".into()])),
        ("alert_below_the_limit", alert(Reaction::Freeze, &[], &[])),
        ("alert_in_doubt", alert(Reaction::FreezeAndAsk, &[], &[])),
    ]
}

/// Every mail that there is, and the case that it is of.
fn all() -> Vec<(&'static str, Mail)> {
    let (address, days) = (format!("https://x1y2z3.lambda-url.eu-central-1.on.aws/{}", "A".repeat(76)), 14);
    let link = Link { address, days };
    let linked = Where { place: "s3://lab/", open: Some(&link) };
    let cap = "the cap of $20.00 a month leaves $0.10, and this run may cost $0.60";
    let frozen = "launches are frozen: the budget `lab` of $20.00 is passed: $20.31 spent";
    let cut = verdict("the file ends early: 7990 of 8001 frames are whole", "copy it again from the microscope, and upload it");
    let lost = verdict("the run was interrupted 3 times; the last time: no space is left", "upload the recording again");
    let folder = received("recordings/ana/day 1/fish.rec/");
    let files: Vec<String> = (1..=12).map(|n| format!("fish_{n:03}.tif")).collect();
    let mut all = vec![
        ("done", due(&done(183), "s3://lab/").unwrap()),
        ("done_with_a_link", due(&done(183), linked).unwrap()),
        ("done_without_cells", due(&done(0), "s3://lab/").unwrap()),
        ("rejected", due(&received("recordings/ana/day 1/fish.tif").rejected(cut, at(1)).unwrap(), "s3://lab/").unwrap()),
        ("failed", due(&running().failed(1, lost, at(9)).unwrap(), "s3://lab/").unwrap()),
        ("waiting", waiting(&validated(), cap, &budget())),
        ("stopped", waiting(&running().stopped(1, frozen.into(), at(9)).unwrap(), frozen, &budget())),
        ("resumed", resumed(&running(), &budget())),
        ("late", late(&folder, &files[..1])),
        ("late_many", late(&folder, &files)),
    ];
    all.extend(of_alerts());
    all
}

#[test]
fn every_mail_reads_as_it_was_looked_at() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mails");
    for (case, mail) in all() {
        let text = format!("Subject: {}\nKind: {}\n\n{}", mail.subject, mail.kind.word(), mail.body);
        let path = folder.join(format!("{case}.txt"));
        if std::env::var_os("DROPSCOPE_WRITE").is_some() {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&path, &text).unwrap();
        }
        let looked_at = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(text, looked_at, "{case}: read it, and write it with DROPSCOPE_WRITE=1");
    }
}

#[test]
fn every_mail_is_under_a_screen() {
    for (case, mail) in all() {
        assert!(mail.body.lines().count() <= LINES, "{case} has {} lines", mail.body.lines().count());
        let long = |line: &&str| line.chars().count() > WIDTH && !line.contains("https://");
        assert_eq!(mail.body.lines().find(long), None, "{case}");
    }
}

#[test]
fn every_kind_of_mail_is_among_them() {
    // A match without a rest: a new kind does not compile before it is thought of here.
    let word = |kind: MailKind| match kind {
        MailKind::Done | MailKind::Rejected | MailKind::Failed | MailKind::Waiting => kind.word(),
        MailKind::Resumed | MailKind::Late | MailKind::Budget => kind.word(),
    };
    let kinds: BTreeSet<&str> = all().iter().map(|(_, mail)| word(mail.kind)).collect();
    assert_eq!(kinds.len(), 7, "{kinds:?}");
}
