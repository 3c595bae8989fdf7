//! What can be typed.

use clap::{Args as ClapArgs, Parser, Subcommand};
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
        Writes results/NAME/ for each recording. Results that are there already are kept as NAME.old-1, NAME.old-2 …")]
    Run(Run),
    /// Say whether a recording can be read, and what it is: one JSON object
    #[command(
        after_help = "Example:\n  dropscope validate fish.tif\n\nReads headers only. Exit code 0 when accepted, 2 when rejected."
    )]
    Validate(Validate),
    /// The segmentation of one recording, its files directly in DIR
    #[command(after_help = "Example:\n  dropscope segment fish.tif --fs 30 --out fish-results\n\n\
        Writes DIR/figure.png, DIR/traces.csv, DIR/suite2p/plane0/F.npy and the rest.")]
    Segment(Segment),
}

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

/// `dropscope run`
#[derive(Debug, ClapArgs)]
pub struct Run {
    /// Recordings
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Folder for the results
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Settings.
    #[command(flatten)]
    pub settings: SettingArgs,
    /// Worker threads, 0 for one per core; never changes the result
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub threads: usize,
    /// Report as JSON, one object a recording
    #[arg(long)]
    pub json: bool,
}

/// `dropscope validate`
#[derive(Debug, ClapArgs)]
pub struct Validate {
    /// Recording
    #[arg(value_name = "PATH")]
    pub path: PathBuf,
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
    /// Recording
    #[arg(value_name = "PATH", required_unless_present = "bucket_folder")]
    pub path: Option<PathBuf>,
    /// Folder for the results
    #[arg(long, value_name = "DIR", required_unless_present = "bucket_folder")]
    pub out: Option<PathBuf>,
    /// Settings.
    #[command(flatten)]
    pub settings: SettingArgs,
    /// Worker threads, 0 for one per core; never changes the result
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub threads: usize,
    /// Report as JSON
    #[arg(long)]
    pub json: bool,
    /// The attempt that this process is, when it is an instance of the embedded cloud.
    #[command(flatten)]
    pub worker: WorkerArgs,
}

/// What an instance of the embedded cloud is told; not for people.
#[derive(Debug, ClapArgs)]
pub struct WorkerArgs {
    /// The folder that is the bucket
    #[arg(long, hide = true, requires_all = ["run", "attempt", "instance", "lifetime"], conflicts_with = "path")]
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

/// Imaging settings; each overrides dropscope.toml, which overrides the recording's own metadata.
#[derive(Debug, Clone, Default, ClapArgs)]
#[command(next_help_heading = "Settings (they override dropscope.toml and the recording's metadata)")]
pub struct SettingArgs {
    /// Frame rate of one plane, Hz, 0.01 to 10000 [default: from the recording, else 30 is assumed]
    #[arg(long, value_name = "HZ")]
    pub fs: Option<f64>,
    /// Decay time of the indicator, s, 0.05 to 20 (GCaMP6f 0.7, GCaMP6s 1.25) [default: 1 is assumed]
    #[arg(long, value_name = "S")]
    pub tau: Option<f64>,
    /// Planes imaged in turn, 1 to 1000 [default: from the recording, else 1]
    #[arg(long, value_name = "N")]
    pub planes: Option<usize>,
    /// Channels of each frame, 1 to 16; the first is segmented [default: from the recording, else 1]
    #[arg(long, value_name = "N")]
    pub channels: Option<usize>,
    /// Diameter of a cell, pixels, 2 to 200 [default: estimated from the recording]
    #[arg(long, value_name = "PX")]
    pub diameter: Option<f64>,
    /// Size of a pixel, micrometres, 0.001 to 1000 [default: from the recording]
    #[arg(long, value_name = "UM")]
    pub pixel_size: Option<f64>,
    /// Number of clusters, 1 to 100 [default: 4]
    #[arg(long, value_name = "K")]
    pub clusters: Option<usize>,
    /// Seed of every random choice of the analysis [default: 1]
    #[arg(id = "analysis_seed", long = "seed", value_name = "N")]
    pub seed: Option<u64>,
}
