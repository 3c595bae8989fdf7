//! What can be typed.

mod stack;

pub use stack::{Deploy, LinkChange, Links, PlaceArgs, Upload, UserChange, Users};

use clap::{Args as ClapArgs, Parser, Subcommand};
use dropscope_pipeline::{ClusterBy, Clusters, Indicator};
use std::path::PathBuf;

/// Calcium-imaging recordings to cells, traces, clusters and an e-mail.
#[derive(Debug, Parser)]
#[command(name = "dropscope", version, about, max_term_width = 110)]
#[command(after_help = "Example:\n  dropscope run fish.tif --fs 30 --out results\n\nExit codes: 0 done, 1 failed, 2 bad input.")]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// The whole flow on this machine, on a generated recording with known truth
    #[command(after_help = "Example:\n  dropscope demo\n\n\
        Generates a recording of zebrafish-like cells, uploads it to a bucket in a folder, and lets the same functions\n\
        work on it that work in the cloud. Ends with the place of the results and how many planted cells were found.")]
    Demo(Demo),
    /// Segment recordings on this machine, straight from disk
    #[command(after_help = "Example:\n  dropscope run day1/*.tif --fs 30 --tau 1.25 --out results\n\n\
        Writes results/NAME/ for each recording. Results that are there already are kept as NAME.old-1, NAME.old-2 …\n\
        A folder is one recording in many files: dropscope run fish.rec --out results\n\
        Files may be one, too: dropscope run --as-one fish_*.tif --name fish --out results")]
    Run(Run),
    /// Say whether a recording can be read, and what it is: one JSON object
    #[command(
        after_help = "Example:\n  dropscope validate fish.tif\n\nReads headers only. Exit code 0 when accepted, 2 when rejected."
    )]
    Validate(Validate),
    /// The segmentation of one recording, its files directly in DIR
    #[command(after_help = "Example:\n  dropscope segment fish.tif --fs 30 --out fish-results\n\n\
        Writes DIR/report.html, DIR/figure.png, DIR/traces.csv, DIR/suite2p/plane0/F.npy and the rest.")]
    Segment(Segment),
    /// Pictures and animations of a recording: max.gif, std.gif, mean.png, max.png, std.png
    #[command(after_help = "Example:\n  dropscope preview fish.tif --out fish-preview")]
    Preview(OneStage),
    /// Mean trace, motion, bleaching, saturation and what is wrong, in figures and words
    #[command(
        after_help = "Example:\n  dropscope summarize fish.tif --out fish-summary\n\nWrites summary.json, trace.csv and trace.png."
    )]
    Summarize(OneStage),
    /// The embedded cloud: a folder as a bucket that any S3 client can upload to; recordings are worked on as they land
    #[command(after_help = "Example:\n  dropscope watch lab\n\n\
        Serves the folder lab as the bucket `dropscope` on this machine, and works on every recording that is uploaded\n\
        to it, or copied into lab/recordings/OWNER/. Results are in lab/results/, mails in lab/mail/.\n\n  \
        AWS_ACCESS_KEY_ID=dropscope AWS_SECRET_ACCESS_KEY=dropscope AWS_DEFAULT_REGION=us-east-1 \\\n    \
        aws --endpoint-url http://127.0.0.1:9000 s3 cp fish.tif s3://dropscope/recordings/ana/\n\n\
        DROPSCOPE_ACCESS_KEY and DROPSCOPE_SECRET_KEY set another key. Ctrl-C ends it, workers go on; start it again to\n\
        go on where it was.")]
    Watch(Watch),
    /// The stack on AWS, built and brought there in one go; again to change or renew it
    #[command(
        after_help = "Examples:\n  dropscope deploy --email lab@example.org --cap 20\n  dropscope deploy --set MaxInstances=8\n\n\
        Runs `sam build` and `sam deploy` in the folder of the source; what it is not told stays as it was deployed. Ends with\n\
        the name of the bucket. `dropscope doctor` says what is missing on this machine; docs/DEPLOY.md has every step."
    )]
    Deploy(Deploy),
    /// Copy recordings into the bucket, in parallel parts; a folder is one recording
    #[command(after_help = "Examples:\n  dropscope upload day1/*.tif --owner ana --bucket BUCKET\n  \
        dropscope upload fish.rec --owner ana --into 2026-11-26 --bucket BUCKET\n\n\
        What is in the bucket already, byte for byte, is not sent again. An upload that broke off goes on where it was when\n\
        the same command is given again. The run begins by itself: see `dropscope status`.")]
    Upload(Upload),
    /// What runs, what waits and why, and what each run cost
    #[command(after_help = "Examples:\n  dropscope status --at dropscope-demo\n  dropscope status --bucket BUCKET")]
    Status(Status),
    /// Where the report of a run is; in a bucket on AWS, a link to it for an hour
    #[command(
        after_help = "Examples:\n  dropscope open 7a57020c3ae81ffc --at dropscope-demo\n  dropscope open 7a57020c3ae81ffc --bucket BUCKET"
    )]
    Open(Open),
    /// Copy the results of a run
    #[command(after_help = "Example:\n  dropscope fetch 7a57020c3ae81ffc --at dropscope-demo --out results")]
    Fetch(Fetch),
    /// Run a recording again, with other settings
    #[command(after_help = "Example:\n  dropscope rerun 7a57020c3ae81ffc --at dropscope-demo --tau 0.7\n\n\
        The run keeps its results; the new one has the same name with a number.")]
    Rerun(Rerun),
    /// Money spent and reserved, the cap, and whether launches are frozen
    #[command(
        after_help = "Example:\n  dropscope budget --at dropscope-demo\n  dropscope budget --at dropscope-demo set 50\n  dropscope budget --at dropscope-demo set 10 --owner ana\n  dropscope budget --at dropscope-demo thaw"
    )]
    Budget(Budget),
    /// The links of mails: since when they are signed by this key, and which are revoked
    #[command(
        after_help = "Examples:\n  dropscope links --bucket BUCKET\n  dropscope links --bucket BUCKET revoke 7a57020c3ae81ffc\n  \
        dropscope links --bucket BUCKET revoke\n\n\
        Whoever has the link of a mail sees the report of its run, for days. Revoked with RUN, no link opens that run any more;\n\
        without, every link that was sent so far is void. Both hold from the next click on, and `dropscope open` still opens all."
    )]
    Links(Links),
    /// Who gets mails: people subscribe to those of their owner, the operator gets all
    #[command(after_help = "Examples:\n  dropscope users add ana ana@example.org\n  dropscope users list\n  \
        dropscope users remove ana ana@example.org\n\n\
        AWS sends a link to the address first: no mail comes before it is clicked, within two days.")]
    Users(Users),
    /// What is missing on this machine, each with its remedy
    #[command(after_help = "Examples:\n  dropscope doctor\n  dropscope doctor lab\n  dropscope doctor --stack dropscope\n\n\
        Looks only, and leaves nothing behind. With DIR, also whether `dropscope watch` can serve that folder, and what is\n\
        pending there. Exit code 1 when something needed is missing; warnings do not fail.")]
    Doctor(Doctor),
}

/// Where `watch` listens unless told otherwise.
pub const LISTEN: &str = "127.0.0.1:9000";

/// `dropscope demo`
#[derive(Debug, ClapArgs)]
pub struct Demo {
    /// Folder for the bucket, the results and the mail; a new one by default
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Seed of the generated recording
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// `dropscope watch`
#[derive(Debug, ClapArgs)]
pub struct Watch {
    /// The folder that is the bucket; it is made when it is not there
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// Address of the S3 endpoint, on this machine; port 0 for any that is free
    #[arg(long, value_name = "ADDR", default_value = LISTEN)]
    pub listen: String,
    /// Recordings that are worked on at a time, 1 to 1000
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub workers: u16,
    /// Seconds without a new file after which a folder of files is a whole recording
    #[arg(long, hide = true, value_name = "S")]
    pub quiet: Option<u64>,
    /// Report as JSON, one object a line
    #[arg(long)]
    pub json: bool,
}

/// `dropscope run`
#[derive(Debug, ClapArgs)]
pub struct Run {
    /// Recordings: files, or folders each of which is one
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// The files are one recording, in the order of the numbers in their names
    #[arg(long)]
    pub as_one: bool,
    /// Its name [default: that of the folder]
    #[arg(long, value_name = "NAME", requires = "as_one")]
    pub name: Option<String>,
    /// Folder for the results
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Settings.
    #[command(flatten)]
    pub settings: SettingArgs,
    /// Worker threads, 0 for one per core; never changes the result
    #[arg(long, default_value_t = 0, value_name = "N", value_parser = threads)]
    pub threads: usize,
    /// Report as JSON, one object a recording
    #[arg(long)]
    pub json: bool,
}

/// `dropscope validate`
#[derive(Debug, ClapArgs)]
pub struct Validate {
    /// Recording: a file, a folder, or all its files
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Settings.
    #[command(flatten)]
    pub settings: SettingArgs,
    /// Report as JSON: this command always does
    #[arg(long)]
    pub json: bool,
}

/// `dropscope segment`
#[derive(Debug, ClapArgs)]
pub struct Segment {
    /// Recording: a file, a folder, or all its files
    #[arg(value_name = "PATH", required_unless_present = "bucket_folder")]
    pub paths: Vec<PathBuf>,
    /// Folder for the results
    #[arg(long, value_name = "DIR", required_unless_present = "bucket_folder")]
    pub out: Option<PathBuf>,
    /// Settings.
    #[command(flatten)]
    pub settings: SettingArgs,
    /// Worker threads, 0 for one per core; never changes the result
    #[arg(long, default_value_t = 0, value_name = "N", value_parser = threads)]
    pub threads: usize,
    /// Report as JSON
    #[arg(long)]
    pub json: bool,
    /// The attempt that this process is, when it is an instance of the embedded cloud.
    #[command(flatten)]
    pub worker: WorkerArgs,
}

/// `dropscope preview`, `dropscope summarize`
#[derive(Debug, ClapArgs)]
pub struct OneStage {
    /// Recording: a file, a folder, or all its files
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Folder for the files
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Settings.
    #[command(flatten)]
    pub settings: SettingArgs,
    /// Report as JSON: the summary itself
    #[arg(long)]
    pub json: bool,
}

/// `dropscope status`
#[derive(Debug, ClapArgs)]
pub struct Status {
    /// Where it is.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// Show every run that ever ended, not the last twenty
    #[arg(long)]
    pub all: bool,
    /// Report as JSON, every run
    #[arg(long)]
    pub json: bool,
}

/// `dropscope open`
#[derive(Debug, ClapArgs)]
pub struct Open {
    /// The run, as `dropscope status` names it
    pub run: String,
    /// Where it is.
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// `dropscope fetch`
#[derive(Debug, ClapArgs)]
pub struct Fetch {
    /// The run, as `dropscope status` names it
    pub run: String,
    /// Where it is.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// Folder for the copy, which has the recording's name
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub out: PathBuf,
}

/// `dropscope rerun`
#[derive(Debug, ClapArgs)]
pub struct Rerun {
    /// The run, as `dropscope status` names it
    pub run: String,
    /// Where it is.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// Settings.
    #[command(flatten)]
    pub settings: SettingArgs,
}

/// `dropscope budget`
#[derive(Debug, ClapArgs)]
pub struct Budget {
    /// Where it is kept.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// Report as JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// What to change; nothing shows how things stand.
    #[command(subcommand)]
    pub change: Option<BudgetChange>,
}

/// Changes to the budget: the operator's.
#[derive(Debug, Subcommand)]
pub enum BudgetChange {
    /// Set the most that may be spent and reserved in a month
    Set {
        /// Dollars, or `none`
        usd: String,
        /// For this owner's recordings alone
        #[arg(long, value_name = "NAME")]
        owner: Option<String>,
    },
    /// Let launches go again after a freeze
    Thaw,
}

/// `dropscope doctor`
#[derive(Debug, ClapArgs)]
pub struct Doctor {
    /// A folder that `watch` serves or shall serve
    #[arg(value_name = "DIR")]
    pub folder: Option<PathBuf>,
    /// The same, as other commands name it
    #[arg(long, value_name = "DIR", conflicts_with = "folder")]
    pub at: Option<PathBuf>,
    /// A deployed stack, such as dropscope: it and its account are looked at, by the `aws` command
    #[arg(long, value_name = "NAME")]
    pub stack: Option<String>,
    /// Report as JSON, one object
    #[arg(long)]
    pub json: bool,
}

/// What an instance of the embedded cloud is told; not for people.
#[derive(Debug, ClapArgs)]
pub struct WorkerArgs {
    /// The folder that is the bucket
    #[arg(long, hide = true, requires_all = ["run", "attempt", "instance", "lifetime"], conflicts_with = "paths")]
    pub bucket_folder: Option<PathBuf>,
    /// The run to work on
    #[arg(long, hide = true)]
    pub run: Option<String>,
    /// The attempt to be
    #[arg(long, hide = true)]
    pub attempt: Option<u32>,
    /// The name of this instance
    #[arg(long, hide = true)]
    pub instance: Option<String>,
    /// Seconds after which this process ends itself
    #[arg(long, hide = true)]
    pub lifetime: Option<u64>,
}

/// Imaging settings; each overrides the recording.toml of a folder, which overrides dropscope.toml, which overrides the recording's own metadata.
#[derive(Debug, Clone, Default, ClapArgs)]
#[command(next_help_heading = "Settings (they override recording.toml, dropscope.toml and the recording's metadata)")]
pub struct SettingArgs {
    /// Frame rate of one plane, Hz, 0.01 to 10000 [default: from the recording, else 30 is assumed]
    #[arg(long, value_name = "HZ", allow_negative_numbers = true)]
    pub fs: Option<f64>,
    /// Decay time of the indicator, s, 0.05 to 20 [default: that of --indicator, else 1 is assumed]
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    pub tau: Option<f64>,
    /// Rise time of the indicator, s, 0 to 5, at most half of tau; 0 for a pure decay [default: that of --indicator, else 0.07 of tau]
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    pub rise: Option<f64>,
    /// Indicator, which states tau and rise: GCaMP6f, GCaMP6m, GCaMP6s, jGCaMP7f, jGCaMP8f, jGCaMP8m, jGCaMP8s, OGB-1; a --tau or --rise wins
    #[arg(long, value_name = "NAME")]
    pub indicator: Option<Indicator>,
    /// Planes imaged in turn, 1 to 1000 [default: from the recording, else 1]
    #[arg(long, value_name = "N")]
    pub planes: Option<usize>,
    /// Channels of each frame, 1 to 16; the first is segmented [default: from the recording, else 1]
    #[arg(long, value_name = "N")]
    pub channels: Option<usize>,
    /// Diameter of a cell, pixels, 2 to 200 [default: estimated from the recording]
    #[arg(long, value_name = "PX", allow_negative_numbers = true)]
    pub diameter: Option<f64>,
    /// Size of a pixel, micrometres, 0.001 to 1000 [default: from the recording]
    #[arg(long, value_name = "UM", allow_negative_numbers = true)]
    pub pixel_size: Option<f64>,
    /// Number of clusters, 1 to 100 or auto (the best silhouette of 2 to 10) [default: 4]
    #[arg(long, value_name = "K", allow_negative_numbers = true)]
    pub clusters: Option<Clusters>,
    /// Cluster cells by their rows in the matrix of covariance or correlation [default: correlation]
    #[arg(long, value_name = "MATRIX")]
    pub cluster_by: Option<ClusterBy>,
    /// Seed of every random choice of the analysis [default: 1]
    #[arg(id = "analysis_seed", long = "seed", value_name = "N")]
    pub seed: Option<u64>,
    /// Write the registered movie, too: registered.tif and registered.gif [default: false]
    #[arg(long, value_name = "true or false", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub registered_movie: Option<bool>,
}

/// More threads than this are a slip of the fingers.
const MOST_THREADS: usize = 1024;

fn threads(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(n) if n <= MOST_THREADS => Ok(n),
        _ => Err(format!("give 0 to {MOST_THREADS}")),
    }
}
