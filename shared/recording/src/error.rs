//! Why a recording was refused, in words for the person who made it.

use std::error::Error;
use std::io;

/// Says why a file is not a readable recording, sorted by what the caller may do.
///
/// [`cause`](Self::cause) tells what is wrong with this file and [`remedy`](Self::remedy) what its owner can do;
/// `Display` joins them as *cause: remedy*. Only [`Io`](Self::Io) is worth a second attempt with the same bytes.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordingError {
    /// The bytes are something else: another format, one picture, nothing.
    #[error("{cause}: {remedy}")]
    NotARecording {
        /// What is wrong with this file.
        cause: String,
        /// What its owner can do.
        remedy: String,
    },
    /// A valid TIFF of a sort that is not read: colour, an odd bit depth, an unread compression.
    #[error("{cause}: {remedy}")]
    Unsupported {
        /// What is wrong with this file.
        cause: String,
        /// What its owner can do.
        remedy: String,
    },
    /// The file is damaged, cut short, or contradicts itself.
    #[error("{cause}: {remedy}")]
    Corrupt {
        /// What is wrong with this file.
        cause: String,
        /// What its owner can do.
        remedy: String,
        /// What the decoder said, where one was asked.
        #[source]
        source: Option<Box<dyn Error + Send + Sync>>,
    },
    /// A number in the file exceeds a [`Limits`](crate::Limits).
    #[error("{cause}: {remedy}")]
    TooBig {
        /// What is wrong with this file.
        cause: String,
        /// What its owner can do.
        remedy: String,
    },
    /// The settings given ([`Overrides`](crate::Overrides)) do not fit this file.
    #[error("{cause}: {remedy}")]
    Settings {
        /// Which setting does not fit.
        cause: String,
        /// What to set instead.
        remedy: String,
    },
    /// The caller asked for a page that the recording does not have.
    #[error("page `{page}` does not exist: the recording has `{pages}` pages, counted from 0")]
    NoSuchPage {
        /// The page asked for, counted from 0.
        page: usize,
        /// How many pages there are.
        pages: usize,
    },
    /// Reading the bytes failed; the file itself may be fine.
    #[error("the file could not be read: try again, and if it fails again check the disk or the connection")]
    Io(#[from] io::Error),
}

impl RecordingError {
    /// Says in one sentence what is wrong with this file.
    pub fn cause(&self) -> String {
        match self {
            Self::NotARecording { cause, .. }
            | Self::Unsupported { cause, .. }
            | Self::Corrupt { cause, .. }
            | Self::TooBig { cause, .. }
            | Self::Settings { cause, .. } => cause.clone(),
            Self::NoSuchPage { page, .. } => format!("page `{page}` does not exist"),
            Self::Io(_) => "the file could not be read".to_owned(),
        }
    }

    /// Says in one sentence what the owner can do about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::NotARecording { remedy, .. }
            | Self::Unsupported { remedy, .. }
            | Self::Corrupt { remedy, .. }
            | Self::TooBig { remedy, .. }
            | Self::Settings { remedy, .. } => remedy.clone(),
            Self::NoSuchPage { pages, .. } => {
                format!("the recording has `{pages}` pages, counted from 0")
            }
            Self::Io(_) => "try again, and if it fails again check the disk or the connection".to_owned(),
        }
    }

    pub(crate) fn not_a_recording(cause: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::NotARecording { cause: cause.into(), remedy: remedy.into() }
    }

    pub(crate) fn unsupported(cause: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Unsupported { cause: cause.into(), remedy: remedy.into() }
    }

    /// A damaged file, with the remedy that fits nearly every damage.
    pub(crate) fn corrupt(cause: impl Into<String>) -> Self {
        Self::Corrupt {
            cause: cause.into(),
            remedy: "copy or upload the original file again, and if it is still refused open it \
                     in Fiji and save it as a new TIFF"
                .to_owned(),
            source: None,
        }
    }

    /// A page, counted from 0, whose samples do not unpack.
    pub(crate) fn does_not_unpack(page: usize, source: Box<dyn Error + Send + Sync>) -> Self {
        Self::Corrupt {
            cause: format!("page `{page}` (counted from 0) is damaged and does not unpack"),
            remedy: "copy or upload the original file again, or remove that frame in Fiji and save a new TIFF".to_owned(),
            source: Some(source),
        }
    }

    /// A file that ends before its frames do. `total` is `None` where the file does not say how many there were.
    pub(crate) fn truncated(whole: u64, total: Option<u64>) -> Self {
        let cause = match total {
            Some(total) => {
                format!("the file is cut short: `{whole}` of `{total}` frames are whole")
            }
            None if whole == 0 => "the file is cut short: not even its first frame is whole".to_owned(),
            None => format!(
                "the file is cut short: `{whole}` frames are whole and the list of frames goes \
                 on beyond the end of the file"
            ),
        };
        Self::Corrupt {
            cause,
            remedy: "copy or upload the file again, or if the acquisition was interrupted open \
                     it in Fiji and save the whole frames as a new TIFF"
                .to_owned(),
            source: None,
        }
    }

    /// The same, naming the file of a recording in many; what reading met stays as it is.
    pub(crate) fn of_file(mut self, name: &str) -> Self {
        if let Self::NotARecording { cause, .. }
        | Self::Unsupported { cause, .. }
        | Self::Corrupt { cause, .. }
        | Self::TooBig { cause, .. }
        | Self::Settings { cause, .. } = &mut self
        {
            *cause = format!("in `{name}` {cause}");
        }
        self
    }

    /// A recording in many files of which some are not there; at most `named` of them are told.
    pub(crate) fn incomplete(missing: &[String], named: usize) -> Self {
        let more = match missing.len().saturating_sub(named) {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        let list = missing[..missing.len().min(named)].join("; ");
        Self::Corrupt {
            cause: format!("files of the recording are missing: {list}{more}"),
            remedy: "add the missing files, or list those that belong to the recording as `members` in a recording.toml beside \
                     them; in a bucket, write recording.toml (again) when all are there"
                .to_owned(),
            source: None,
        }
    }

    pub(crate) fn too_big(cause: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::TooBig { cause: cause.into(), remedy: remedy.into() }
    }

    pub(crate) fn settings(cause: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Settings { cause: cause.into(), remedy: remedy.into() }
    }
}
