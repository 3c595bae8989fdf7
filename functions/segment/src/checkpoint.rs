//! Checkpoints of an attempt: when they are due, whose they are, and what they spared. They go through [`crate::shelf`].

use crate::log::RunLog;
use crate::notice::Notice;
use crate::provenance::Resumed;
use crate::shelf::Shelved;
use dropscope_pipeline::{Job, Manifest, Timestamp};
use dropscope_ports::Clock;
use dropscope_segmentation::{Checkpoints, Point, Saved, Told};
use sha2::{Digest, Sha256};
use std::io::Read;
use std::sync::{Arc, OnceLock};

/// Time between two checkpoints after word that the machine may be taken away, seconds.
const HASTE: u64 = 60;
/// Share of the time between two checkpoints inside a stage that must lie between two of stages that end.
const APART: u64 = 10;
/// Pause after a checkpoint that could not be written, seconds.
const PAUSE: u64 = 60;
/// Name of what is known of the input.
const INPUT: &str = "input";

/// How an attempt keeps checkpoints.
#[derive(Debug, Clone)]
pub struct Keeping {
    /// Time between two of them inside a stage, and before the first of all, seconds: what may be lost.
    pub every_seconds: u64,
    /// Word that one is wanted at once.
    pub notice: Notice,
}

impl Default for Keeping {
    fn default() -> Self {
        Self { every_seconds: 600, notice: Notice::default() }
    }
}

/// The keeper of one attempt.
pub(crate) struct Keeper {
    shelved: Shelved,
    /// Recording, settings, and what the recording is taken for.
    work: Vec<u8>,
    clock: Arc<dyn Clock>,
    keeping: Keeping,
    log: Arc<RunLog>,
    began: Timestamp,
    last: Timestamp,
    not_before: Timestamp,
    /// How often word had come when the last one was written.
    heard: usize,
    /// What is known of the input, as long as that is not kept.
    input: Option<(String, u64)>,
    resumed: Option<(String, usize)>,
}

/// What the keeper of an attempt is made of.
pub(crate) struct Making<'a> {
    pub(crate) job: &'a Job,
    pub(crate) manifest: &'a Manifest,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) keeping: Keeping,
    pub(crate) log: Arc<RunLog>,
}

impl Keeper {
    pub(crate) fn new(making: Making<'_>, shelved: Shelved) -> Self {
        let Making { job, manifest, clock, keeping, log } = making;
        let began = clock.now();
        // Without a text it would be anybody's: such a keeper keeps nothing.
        let work = serde_json::to_vec(&(&manifest.bucket, &job.run, manifest, &job.settings)).unwrap_or_default();
        let (last, not_before) = (began, began);
        Self { shelved, work, clock, keeping, log, began, last, not_before, heard: 0, input: None, resumed: None }
    }

    fn say(&self, text: &str) {
        self.log.line(self.clock.now(), text);
    }

    /// Whose checkpoints are believed: those of the same program, to its last byte, at the same work. None where nobody knows
    /// which program this is: then nothing is kept, and nothing believed.
    fn belongs(&self) -> Option<[u8; 32]> {
        let program = program().filter(|_| !self.work.is_empty())?;
        Some(Sha256::new().chain_update(crate::VERSION).chain_update(program).chain_update(&self.work).finalize().into())
    }

    fn owner(&self) -> String {
        hex::encode(self.belongs_to())
    }

    /// Hash and size of the input, from an earlier attempt or of `look`: reading a long recording for it takes hours.
    pub(crate) fn input<E>(&mut self, look: impl FnOnce() -> Result<(String, u64), E>) -> Result<(String, u64), E> {
        if let Some(bytes) = self.load(INPUT) {
            match read_input(&bytes, &self.owner()) {
                Some(input) => return Ok(input),
                None => self.say(&format!("checkpoint `{INPUT}` is not used: it is damaged, or belongs to other work")),
            }
        }
        let (sha256, size) = look()?;
        self.input = Some((sha256.clone(), size));
        Ok((sha256, size))
    }

    /// Where the work was taken up, and what that spared; `readings` of frames are needed from the first to the end.
    pub(crate) fn resumed(&self, readings: usize) -> Option<Resumed> {
        let (from, spared) = self.resumed.clone()?;
        Some(Resumed { from, frames_spared: spared, frames_read: readings.saturating_sub(spared) })
    }

    /// Hands bytes over; what is known of the input goes first.
    fn hand_over(&mut self, name: &str, bytes: Vec<u8>) -> Saved {
        if let Some((sha256, size)) = &self.input {
            match self.shelved.save(INPUT, write_input(&self.owner(), sha256, *size)) {
                Saved::Kept => self.input = None,
                other => return other,
            }
        }
        self.shelved.save(name, bytes)
    }
}

impl Checkpoints for Keeper {
    fn belongs_to(&self) -> [u8; 32] {
        self.belongs().unwrap_or_default()
    }

    fn due(&mut self, point: Point) -> bool {
        let (now, given) = (self.clock.now(), self.keeping.notice.given());
        let every = if given > 0 { HASTE.min(self.keeping.every_seconds) } else { self.keeping.every_seconds };
        let due = match point {
            _ if given > self.heard => true,
            Point::Within => now >= self.last.plus_seconds(every),
            Point::Between => now >= self.began.plus_seconds(every) && now >= self.last.plus_seconds(every / APART),
        };
        due && now >= self.not_before && self.belongs().is_some()
    }

    fn load(&mut self, name: &str) -> Option<Vec<u8>> {
        let found = self.shelved.load(name)?;
        self.belongs().map(|_| found)
    }

    fn save(&mut self, name: &str, bytes: Vec<u8>) -> Saved {
        // Word that comes while this is written is answered by the next.
        let given = self.keeping.notice.given();
        let saved = self.hand_over(name, bytes);
        match saved {
            Saved::Kept => (self.last, self.heard) = (self.clock.now(), given),
            Saved::NotNow => self.not_before = self.clock.now().plus_seconds(PAUSE),
            Saved::Stop => {}
        }
        saved
    }

    fn tell(&mut self, told: Told) {
        match told {
            Told::Ignored { name, why } => self.say(&format!("checkpoint `{name}` is not used: {why}; its part is done again")),
            Told::Resumed { name, stage, done, total, spared } => {
                let from = format!("{name}: {stage:?}, {done} of {total} frames").to_lowercase();
                self.say(&format!("goes on from checkpoint {from}; {spared} readings of frames are spared"));
                let before = self.resumed.take().map_or(0, |(_, spared)| spared);
                self.resumed = Some((from, before + spared));
            }
        }
    }
}

/// Digest of the program that runs: a version number alone would not tell two builds apart.
fn program() -> Option<[u8; 32]> {
    static PROGRAM: OnceLock<Option<[u8; 32]>> = OnceLock::new();
    *PROGRAM.get_or_init(|| {
        // Linux shows a running program there even when its file has been replaced.
        let own = std::fs::File::open("/proc/self/exe").or_else(|_| std::fs::File::open(std::env::current_exe()?));
        let (mut file, mut hash, mut buffer) = (own.ok()?, Sha256::new(), vec![0; 1 << 20]);
        loop {
            match file.read(&mut buffer).ok()? {
                0 => return Some(hash.finalize().into()),
                count => hash.update(&buffer[..count]),
            }
        }
    })
}

/// Whose input it is, its hash and size, a line each, and the hash of these lines.
fn write_input(belongs: &str, sha256: &str, size: u64) -> Vec<u8> {
    let lines = format!("{belongs}\n{sha256}\n{size}\n");
    format!("{lines}{}\n", hex::encode(Sha256::digest(&lines))).into_bytes()
}

fn read_input(bytes: &[u8], belongs: &str) -> Option<(String, u64)> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut lines = text.lines();
    let (owner, sha256, size) = (lines.next()?, lines.next()?, lines.next()?.parse().ok()?);
    let whole = owner == belongs && write_input(belongs, sha256, size) == bytes;
    whole.then(|| (sha256.to_owned(), size))
}
