//! What can be typed about a stack on AWS, and about where runs are.

use clap::{Args as ClapArgs, Subcommand};
use std::path::PathBuf;

/// Where runs are: the folder of the embedded cloud, or the bucket of a stack.
#[derive(Debug, Clone, ClapArgs)]
pub struct PlaceArgs {
    /// Folder of the embedded cloud
    #[arg(long, value_name = "DIR", default_value = ".", conflicts_with = "bucket", global = true)]
    pub at: PathBuf,
    /// Bucket of a stack on AWS, instead of a folder; credentials and region as the aws command takes them
    #[arg(long, value_name = "NAME", global = true)]
    pub bucket: Option<String>,
}

/// `dropscope upload`
#[derive(Debug, ClapArgs)]
pub struct Upload {
    /// Recordings: files, or folders each of which is one
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Whose they are: the first folder below recordings/
    #[arg(long, value_name = "NAME")]
    pub owner: String,
    /// Folder below the owner's, such as 2026-11-26/fish3
    #[arg(long, value_name = "FOLDER", default_value = "")]
    pub into: String,
    /// Where to.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// Report as JSON, one object a recording
    #[arg(long)]
    pub json: bool,
}

/// `dropscope deploy`
#[derive(Debug, ClapArgs)]
pub struct Deploy {
    /// Who gets mails, alarms and budget warnings; needed the first time
    #[arg(long, value_name = "ADDRESS")]
    pub email: Option<String>,
    /// Most US dollars that instances may cost in a month [default: as deployed before, else 20]
    #[arg(long, value_name = "USD")]
    pub cap: Option<String>,
    /// Another parameter of template.yaml, such as MaxInstances=8; may be repeated
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub set: Vec<String>,
    /// Name of the stack
    #[arg(long, value_name = "NAME", default_value = "dropscope")]
    pub stack: String,
    /// Folder of the source, which holds template.yaml
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub source: PathBuf,
    /// Folder of programs that are built already (dropscope-validate, dropscope-gif …), to deploy these
    #[arg(long, value_name = "DIR")]
    pub programs: Option<PathBuf>,
    /// Deploy without showing the changes and asking first
    #[arg(long)]
    pub yes: bool,
}

/// `dropscope links`
#[derive(Debug, ClapArgs)]
pub struct Links {
    /// Where they are kept.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// Report as JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// What to change; nothing shows how things stand.
    #[command(subcommand)]
    pub change: Option<LinkChange>,
}

/// Changes to links: the operator's.
#[derive(Debug, Subcommand)]
pub enum LinkChange {
    /// Make links open nothing any more
    Revoke {
        /// The run whose links, sent or to be sent; none for all that were sent so far
        run: Option<String>,
    },
}

/// `dropscope users`
#[derive(Debug, ClapArgs)]
pub struct Users {
    /// Name of the stack
    #[arg(long, value_name = "NAME", default_value = "dropscope", global = true)]
    pub stack: String,
    /// Report as JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub change: UserChange,
}

/// What can be done with subscriptions: the operator's.
#[derive(Debug, Subcommand)]
pub enum UserChange {
    /// Subscribe an address to the mails of an owner
    Add {
        /// Whose mails: the first folder below recordings/
        owner: String,
        /// Who gets them
        address: String,
    },
    /// Show who is subscribed to whose mails
    List,
    /// End the subscription of an address to the mails of an owner
    Remove {
        /// Whose mails
        owner: String,
        /// Who gets them
        address: String,
    },
}
