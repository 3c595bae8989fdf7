//! The texts of mails: plain text, under a screen, the verdict first.

mod money;

pub use money::{budget_alert, resumed, waiting};

use crate::job::{Job, Outcome, State, Verdict};
use crate::link::Link;
use crate::usage::Usage;
use crate::{Manifest, RunId};
use serde::{Deserialize, Serialize};

/// One mail to the owner of a recording (and to the operator).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    /// The same mail has the same id whoever writes it: run and kind.
    pub id: String,
    /// Whose recording.
    pub owner: String,
    /// What it reports.
    pub kind: MailKind,
    /// Printable ASCII, under 100 characters (SNS Publish).
    pub subject: String,
    /// Plain text, UTF-8.
    pub body: String,
}

/// What a mail reports; subscriptions filter by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailKind {
    /// Results are there.
    Done,
    /// The recording was not accepted.
    Rejected,
    /// The run was given up.
    Failed,
    /// The run waits for money: a cap is reached, or launches are frozen.
    Waiting,
    /// A run whose owner was told that it waits goes on.
    Resumed,
    /// Files came to a recording in many files after its run had begun.
    Late,
    /// Launches are frozen; for the operator.
    Budget,
}

impl MailKind {
    /// The kind in one word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
            Self::Waiting => "waiting",
            Self::Resumed => "resumed",
            Self::Late => "late",
            Self::Budget => "budget",
        }
    }
}

/// Where the reader of a mail finds results.
#[derive(Debug, Clone, Copy)]
pub struct Where<'a> {
    /// What stands before a key to make it an address: `s3://bucket/`, or a folder.
    pub place: &'a str,
    /// What opens the report, in a deployment that has such links.
    pub open: Option<&'a Link>,
}

impl<'a> From<&'a str> for Where<'a> {
    fn from(place: &'a str) -> Self {
        Self { place, open: None }
    }
}

/// The mail that an ended run owes its owner; none while it has not ended.
pub fn due<'a>(job: &Job, found: impl Into<Where<'a>>) -> Option<Mail> {
    let (name, found) = (file_name(job), found.into());
    let (kind, subject, body) = match &job.state {
        State::Done(outcome) => {
            let subject = format!("{name}: {}", counted(outcome.cells, "cell"));
            (MailKind::Done, subject, done_body(job, outcome, found))
        }
        State::Rejected(verdict) => (MailKind::Rejected, format!("{name} was not accepted"), rejected_body(job, verdict)),
        State::Failed(verdict) => (MailKind::Failed, format!("{name} failed"), failed_body(job, verdict, found.place)),
        _ => return None,
    };
    Some(Mail { id: mail_id(&job.run, kind), owner: job.owner.clone(), kind, subject: subject_line(&subject), body })
}

/// The mail about files that came into the recording's folder, or were replaced there, after the run had begun. One a run,
/// however many come.
pub fn late(job: &Job, files: &[String]) -> Mail {
    let mut lines = Lines::default();
    lines.text(&format!("{} came to your recording, or changed, after its run had begun.", counted(files.len(), "file")));
    lines.text("This run is of the files that were there before.");
    lines.blank();
    lines.row("Recording", &shown(job.upload.key.as_str()));
    for file in files.iter().take(LATE_NAMED) {
        lines.row("File", &shown(file));
    }
    if files.len() > LATE_NAMED {
        lines.row("", &format!("and {} more", files.len() - LATE_NAMED));
    }
    lines.row("Run", job.run.as_str());
    lines.blank();
    lines.text("To have all that lies there now segmented, put a recording.toml into the");
    lines.text("folder, or write it again; an empty one will do. This is told once a run.");
    let (id, owner) = (mail_id(&job.run, MailKind::Late), job.owner.clone());
    let subject = subject_line(&format!("{}: {} came late", file_name(job), counted(files.len(), "file")));
    Mail { id, owner, kind: MailKind::Late, subject, body: lines.0 }
}

/// Late files that are named; of more only the number is told.
const LATE_NAMED: usize = 5;

fn mail_id(run: &RunId, kind: MailKind) -> String {
    format!("{run}.{}", kind.word())
}

fn done_body(job: &Job, outcome: &Outcome, found: Where<'_>) -> String {
    let mut lines = Lines::default();
    lines.text("Your recording is segmented.");
    lines.blank();
    lines.row("Recording", &shown(job.upload.key.as_str()));
    if outcome.cells == 0 {
        lines.row("Found", &format!("no cells ({} looked at)", counted(outcome.rois, "ROI")));
    } else {
        let found = format!(
            "{} among {}, {}",
            counted(outcome.cells, "cell"),
            counted(outcome.rois, "ROI"),
            counted(outcome.clusters, "cluster")
        );
        lines.row("Found", &found);
    }
    if let Some(manifest) = &job.manifest {
        describe(&mut lines, manifest);
    }
    lines.row(
        "Motion",
        &format!(
            "up to {:.1} pixels, removed; {} left out of detection",
            outcome.largest_shift_px,
            counted(outcome.bad_frames, "frame")
        ),
    );
    // A recording that has more to be said of it says it in registration.json.
    for note in outcome.notes.iter().take(5) {
        lines.row("Note", &shown(note));
    }
    lines.row("Took", &duration(outcome.seconds));
    lines.row("Cost", &format!("{} for its instance, at most", outcome.cost));
    lines.row(
        "",
        &format!("about {} more, estimated: functions, requests, a month of storage, one download", Usage::of(job).sum()),
    );
    if let Some(link) = found.open {
        lines.row("Open", &link.address);
        lines.row("", &format!("shows the report for {}, to whoever has this link", counted(link.days as usize, "day")));
    }
    if let Some(results) = job.results() {
        lines.row("Results", &shown(&format!("{}{results}", found.place)));
    }
    lines.row("Run", job.run.as_str());
    lines.blank();
    lines.text("report.html shows it all in a browser. traces.csv, rois.csv, clusters.csv");
    lines.text("open anywhere, suite2p/plane0 in suite2p and numpy.");
    lines.0
}

fn describe(lines: &mut Lines, manifest: &Manifest) {
    let info = &manifest.recording;
    let planes = if info.planes > 1 { format!(", {} planes", info.planes) } else { String::new() };
    let size = format!("{} of {} x {} pixels{planes}, {}", counted(info.frames, "frame"), info.height, info.width, info.dtype);
    lines.row("Size", &size);
    let plan = &manifest.plan;
    lines.row("Frame rate", &format!("{} Hz ({})", plan.frame_rate_hz.value, plan.frame_rate_hz.source));
    lines.row("Tau", &format!("{} s ({})", plan.tau_s.value, plan.tau_s.source));
    for note in info.notes.iter().take(5) {
        lines.row("Note", &shown(note));
    }
}

fn rejected_body(job: &Job, verdict: &Verdict) -> String {
    let mut lines = Lines::default();
    lines.row("Cause", &shown(&verdict.cause));
    lines.row("What to do", &shown(&verdict.remedy));
    lines.blank();
    lines.text("Your recording was not accepted. Nothing was started and nothing was spent;");
    lines.text("the recording itself is untouched.");
    lines.blank();
    lines.row("Recording", &shown(job.upload.key.as_str()));
    lines.row("Run", job.run.as_str());
    lines.0
}

fn failed_body(job: &Job, verdict: &Verdict, place: &str) -> String {
    let mut lines = Lines::default();
    lines.row("Cause", &shown(&verdict.cause));
    lines.row("What to do", &shown(&verdict.remedy));
    lines.blank();
    lines.text("Your recording could not be segmented. The recording itself is untouched.");
    lines.blank();
    lines.row("Recording", &shown(job.upload.key.as_str()));
    if let Some(results) = job.results() {
        lines.row("Log", &shown(&format!("{place}{results}log.txt")));
    }
    lines.row("Attempts", &job.attempt.to_string());
    lines.row("Run", job.run.as_str());
    lines.0
}

/// The lines of a body: a label, and what it says.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn row(&mut self, label: &str, value: &str) {
        self.0.push_str(&format!("{label:<12}{value}\n"));
    }
    fn text(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }
    fn blank(&mut self) {
        self.0.push('\n');
    }
}

fn file_name(job: &Job) -> String {
    let key = job.upload.key.as_str().trim_end_matches('/');
    key.rsplit('/').next().unwrap_or(key).to_owned()
}

/// `1 run`, `2 runs`.
pub fn counted(n: usize, what: &str) -> String {
    match n {
        1 => format!("1 {what}"),
        n => format!("{n} {what}s"),
    }
}

fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        0..60 => format!("{seconds:.1} s"),
        60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

/// Text from outside, made harmless for a line: a control character (a key may hold a newline) becomes a mark, so no
/// name can forge a line of a mail.
pub fn shown(text: &str) -> String {
    text.chars().map(|c| if forges(c) { '\u{fffd}' } else { c }).collect()
}

/// Control characters, line and paragraph separators, marks that turn the direction of what follows, and the two that no
/// XML may hold: SNS would refuse the mail.
fn forges(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}')
}

const SUBJECT_PREFIX: &str = "dropscope: ";
const LONGEST_SUBJECT: usize = 99;

fn subject_line(text: &str) -> String {
    let ascii: String = text.chars().map(|c| if c == ' ' || c.is_ascii_graphic() { c } else { '_' }).collect();
    let room = LONGEST_SUBJECT - SUBJECT_PREFIX.len();
    if ascii.len() <= room {
        return format!("{SUBJECT_PREFIX}{ascii}");
    }
    // The end of the text is the verdict: the middle of a long name goes.
    let tail_start = ascii.len() - room / 2;
    format!("{SUBJECT_PREFIX}{}...{}", &ascii[..room - room / 2 - 3], &ascii[tail_start..])
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::job::ResultFile;
    use crate::manifest::tests::manifest;
    use crate::{ObjectKey, Settings, Timestamp, Upload, Usd};
    use proptest::prelude::*;

    fn job(key: &str) -> Job {
        let upload = Upload {
            bucket: "b".into(),
            key: ObjectKey::raw(key),
            version: None,
            etag: "e".into(),
            size: Some(1),
            sequencer: None,
        };
        let run = "0123456789abcdef".parse().unwrap();
        Job::claim(run, upload, "ana".into(), Settings::default(), Timestamp::from_millis(0))
    }

    fn rejected(key: &str) -> Job {
        let verdict = Verdict { cause: "the file ends early".into(), remedy: "copy it again".into() };
        job(key).rejected(verdict, Timestamp::from_millis(1)).unwrap()
    }

    #[test]
    fn a_run_that_goes_on_owes_no_mail() {
        assert_eq!(due(&job("recordings/ana/x.tif"), "s3://b/"), None);
    }

    fn done() -> Job {
        let now = Timestamp::from_millis(2);
        let running = job("recordings/ana/x.tif")
            .validated(manifest(), now)
            .unwrap()
            .launching(Usd::ZERO, now)
            .unwrap()
            .running(1, "i", now)
            .unwrap();
        running.done(outcome(Vec::new()), now).unwrap()
    }

    /// What a first attempt found, in these files.
    pub(crate) fn outcome(files: Vec<ResultFile>) -> Outcome {
        Outcome {
            attempt: 1,
            cells: 24,
            rois: 31,
            clusters: 4,
            largest_shift_px: 7.25,
            bad_frames: 1,
            notes: vec!["the view jumped by 40 pixels at frame 12 and stayed there".into()],
            seconds: 75.2,
            cost: Usd::from_micros(31_000),
            files,
            provenance: serde_json::Value::Null,
        }
    }

    #[test]
    fn the_mail_of_a_done_run_gives_the_link_where_there_is_one() {
        let link = Link { address: "https://x/abc".into(), days: 14 };
        let (plain, open) =
            (due(&done(), "s3://b/").unwrap(), due(&done(), Where { place: "s3://b/", open: Some(&link) }).unwrap());
        let lines = "Open        https://x/abc\n            shows the report for 14 days, to whoever has this link\n";
        assert_eq!(open.body.replace(lines, ""), plain.body);
        assert!(open.body.contains(&format!("{lines}Results     ")), "{}", open.body);
        assert_eq!((open.id, open.subject), (plain.id, plain.subject), "one mail, whoever writes it");
    }

    #[test]
    fn the_mail_of_a_done_run_says_what_was_found_and_where() {
        let mail = due(&done(), "s3://b/").unwrap();
        assert_eq!(mail.subject, "dropscope: x.tif: 24 cells");
        assert_eq!(
            mail.body,
            "Your recording is segmented.\n\n\
             Recording   recordings/ana/x.tif\n\
             Found       24 cells among 31 ROIs, 4 clusters\n\
             Size        800 frames of 128 x 128 pixels, uint16\n\
             Frame rate  30 Hz (assumed)\n\
             Tau         1 s (assumed)\n\
             Motion      up to 7.2 pixels, removed; 1 frame left out of detection\n\
             Note        the view jumped by 40 pixels at frame 12 and stayed there\n\
             Took        1 min 15 s\n\
             Cost        $0.04 for its instance, at most\n            \
             about $0.01 more, estimated: functions, requests, a month of storage, one download\n\
             Results     s3://b/results/ana/x/0123456789abcdef/\n\
             Run         0123456789abcdef\n\n\
             report.html shows it all in a browser. traces.csv, rois.csv, clusters.csv\n\
             open anywhere, suite2p/plane0 in suite2p and numpy.\n"
        );
    }

    #[test]
    fn a_rejection_starts_with_cause_and_remedy() {
        let mail = due(&rejected("recordings/ana/x.tif"), "s3://b/").unwrap();
        assert_eq!(mail.subject, "dropscope: x.tif was not accepted");
        assert!(mail.body.starts_with("Cause       the file ends early\nWhat to do  copy it again\n"), "{}", mail.body);
    }

    #[test]
    fn late_files_are_named_and_a_thousand_are_one_mail() {
        let job = job("recordings/ana/x.rec/");
        let files: Vec<String> = (1..=1000).map(|n| format!("t{n}.tif")).collect();
        let (one, many) = (late(&job, &files[..1]), late(&job, &files));
        assert_eq!(one.id, many.id);
        assert_eq!(one.subject, "dropscope: x.rec: 1 file came late");
        assert!(one.body.contains("File        t1.tif\n") && !one.body.contains("more"), "{}", one.body);
        assert!(many.body.contains("and 995 more") && many.body.lines().count() < 25, "{}", many.body);
    }

    proptest! {
        #[test]
        fn every_subject_is_short_printable_ascii(name in "\\PC{0,300}") {
            let mail = due(&rejected(&format!("recordings/ana/{name}.tif")), "").unwrap();
            prop_assert!(mail.subject.len() <= LONGEST_SUBJECT);
            prop_assert!(mail.subject.bytes().all(|b| b == b' ' || b.is_ascii_graphic()));
            prop_assert!(mail.subject.ends_with("accepted"));
        }

        #[test]
        fn no_name_forges_a_line(name in "[a-z\\n\\r\\u{7}\\u{85}\\u{2028}\\u{202e}]{0,40}") {
            let plain = due(&rejected("recordings/ana/x.tif"), "").unwrap();
            let mail = due(&rejected(&format!("recordings/ana/{name}.tif")), "").unwrap();
            prop_assert_eq!(mail.body.lines().count(), plain.body.lines().count());
        }
    }
}
