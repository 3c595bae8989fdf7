//! What a recording is, and where each fact comes from.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The type of one sample as the frames deliver it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SampleType {
    /// Unsigned 8 bit.
    #[serde(rename = "uint8")]
    U8,
    /// Signed 8 bit.
    #[serde(rename = "int8")]
    I8,
    /// Unsigned 16 bit.
    #[serde(rename = "uint16")]
    U16,
    /// Signed 16 bit.
    #[serde(rename = "int16")]
    I16,
    /// Unsigned 32 bit.
    #[serde(rename = "uint32")]
    U32,
    /// Signed 32 bit.
    #[serde(rename = "int32")]
    I32,
    /// Unsigned 64 bit.
    #[serde(rename = "uint64")]
    U64,
    /// Signed 64 bit.
    #[serde(rename = "int64")]
    I64,
    /// IEEE 754 single precision.
    #[serde(rename = "float32")]
    F32,
    /// IEEE 754 double precision.
    #[serde(rename = "float64")]
    F64,
}

impl SampleType {
    /// Returns the bytes of one sample: 1, 2, 4 or 8.
    pub fn bytes(self) -> usize {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
        }
    }

    /// Returns NumPy's name of the type, such as `uint16`.
    pub fn name(self) -> &'static str {
        match self {
            Self::U8 => "uint8",
            Self::I8 => "int8",
            Self::U16 => "uint16",
            Self::I16 => "int16",
            Self::U32 => "uint32",
            Self::I32 => "int32",
            Self::U64 => "uint64",
            Self::I64 => "int64",
            Self::F32 => "float32",
            Self::F64 => "float64",
        }
    }
}

impl fmt::Display for SampleType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where a fact comes from; serializes as a plain string such as `metadata: ImageJ finterval`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", from = "String")]
pub enum Source {
    /// Stated by the file; names the program and the field.
    Metadata(String),
    /// Stated by the owner's settings.
    Settings,
    /// Counted in the file itself.
    Counted,
    /// Nobody stated it: the usual value is assumed.
    Assumed,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Metadata(field) => write!(f, "metadata: {field}"),
            Self::Settings => f.write_str("settings"),
            Self::Counted => f.write_str("counted"),
            Self::Assumed => f.write_str("assumed"),
        }
    }
}

impl From<Source> for String {
    fn from(source: Source) -> Self {
        source.to_string()
    }
}

impl From<String> for Source {
    fn from(text: String) -> Self {
        match text.as_str() {
            "settings" => Self::Settings,
            "counted" => Self::Counted,
            "assumed" => Self::Assumed,
            other => Self::Metadata(other.strip_prefix("metadata: ").unwrap_or(other).to_owned()),
        }
    }
}

/// Describes a recording that passed every check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Info {
    /// Time points of each plane and channel.
    pub frames: usize,
    /// Imaging planes per volume, at least 1.
    pub planes: usize,
    /// Channels per plane, at least 1.
    pub channels: usize,
    /// Rows of a frame.
    pub height: usize,
    /// Columns of a frame.
    pub width: usize,
    /// Type of the samples.
    pub dtype: SampleType,
    /// Pages in the file; at least `frames` × `planes` × `channels`, more if the last volume is incomplete.
    pub pages: usize,
    /// Files that the recording consists of.
    #[serde(default = "one")]
    pub files: usize,
    /// Volumes per second, or `None` where nobody states it.
    pub frame_rate_hz: Option<f64>,
    /// Width of a pixel in µm, or `None` where nobody states it.
    pub pixel_size_um: Option<f64>,
    /// Compression of the first page: `none`, `packbits`, `lzw`, `deflate` or `zstd`.
    pub compression: String,
    /// Where `frames`, `planes`, `channels`, `dtype`, `frame_rate_hz` and `pixel_size_um` come from.
    pub sources: BTreeMap<String, Source>,
    /// Odd things that a person should know, one sentence each.
    pub notes: Vec<String>,
}

fn one() -> usize {
    1
}
