//! What a report tells of a run beyond its numbers, in words that others have found.

/// Everything that the report is told.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReportFacts {
    /// Settings in use and what the recording is, in the order shown.
    pub settings: Vec<ReportSetting>,
    /// What a person should know, the worst first.
    pub flags: Vec<ReportFlag>,
    /// Facts of the run: label and value, in the order shown. All that changes from one run of the same recording to
    /// the next (times, machine, cost) stands here and nowhere else.
    pub run: Vec<(String, String)>,
    /// Moving pictures that lie beside the report.
    pub movies: Vec<Movie>,
    /// Other files that lie beside the report: name, and what it is.
    pub files: Vec<(String, String)>,
    /// Mean of the raw frames, where somebody looked.
    pub brightness: Option<Brightness>,
    /// Measures of the recording's quality that were taken elsewhere: label and value.
    pub measures: Vec<(String, String)>,
}

/// A setting in use, or a fact of the recording, and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportSetting {
    /// What it is called.
    pub name: String,
    /// Its value, with the unit.
    pub value: String,
    /// Who says so.
    pub source: String,
    /// Whether nobody says so.
    pub assumed: bool,
}

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know.
    Info,
    /// Results may suffer.
    Warning,
    /// Results will suffer.
    Problem,
}

impl Severity {
    /// The severity in one word, as `summary.json` has it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}

/// One thing that a person should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportFlag {
    /// How bad it is.
    pub severity: Severity,
    /// *What it is: what to do about it*.
    pub words: String,
}

/// A moving picture beside the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movie {
    /// Name of the file beside the report.
    pub name: String,
    /// What it shows.
    pub shows: String,
    /// The file, a GIF. Small ones are embedded, others are links.
    pub gif: Vec<u8>,
}

/// Mean of the raw frames over time, all planes together.
#[derive(Debug, Clone, PartialEq)]
pub struct Brightness {
    /// Every how manyeth time point was read.
    pub every: usize,
    /// Mean of each frame read, raw units; not a number where nothing is known.
    pub means: Vec<f32>,
}
