//! The JSON of one page: what it shows and when it was taken.

use std::collections::HashMap;

use serde::Deserialize;

use super::super::Stated;
use super::super::grid::Place;
use super::super::units::is_positive;

/// A value that programs write as a number, a text or a switch; anything else is passed over.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub(super) enum Loose {
    Switch(bool),
    Number(f64),
    Text(String),
    Other(serde::de::IgnoredAny),
}

impl Loose {
    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Self::Number(value) => Some(*value),
            Self::Text(text) => text.trim().parse().ok(),
            Self::Switch(_) | Self::Other(_) => None,
        }
    }

    /// A whole number of at least 1 and of a size that can be counted.
    pub(super) fn count(&self) -> Option<usize> {
        self.index().filter(|n| *n > 0).map(|n| n as usize)
    }

    pub(super) fn index(&self) -> Option<u32> {
        let whole = |n: &f64| n.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(n);
        self.number().filter(whole).map(|n| n as u32)
    }

    pub(super) fn is_true(&self) -> bool {
        matches!(self, Self::Switch(true)) || matches!(self, Self::Text(text) if text == "true")
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Fields {
    #[serde(rename = "Axes")]
    axes: Option<AxesOr>,
    #[serde(rename = "FrameIndex")]
    frame: Option<Loose>,
    #[serde(rename = "SliceIndex")]
    slice: Option<Loose>,
    #[serde(rename = "ChannelIndex")]
    channel: Option<Loose>,
    #[serde(rename = "ElapsedTime-ms")]
    elapsed_ms: Option<Loose>,
    #[serde(rename = "TimeReceivedByCore")]
    received: Option<Loose>,
    #[serde(rename = "PixelSizeUm")]
    pixel_size_um: Option<Loose>,
    #[serde(rename = "BitDepth")]
    bit_depth: Option<Loose>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum AxesOr {
    Axes(AxesFields),
    Other(serde::de::IgnoredAny),
}

/// NDTiff's axes; a channel may be named instead of numbered.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AxesFields {
    time: Option<Loose>,
    z: Option<Loose>,
    channel: Option<Loose>,
}

/// What is kept of a page's JSON.
#[derive(Debug)]
pub(super) struct Page {
    time: Option<Loose>,
    plane: Option<Loose>,
    channel: Option<Loose>,
    pub(super) elapsed_s: Option<f64>,
    /// Seconds since midnight.
    pub(super) received_s: Option<f64>,
    pixel_size_um: Option<Loose>,
    bit_depth: Option<Loose>,
}

impl Page {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let fields: Fields = serde_json::from_str(text).ok()?;
        // NDTiff writes the older indices too, all 0.
        let (time, plane, channel) = match fields.axes {
            Some(AxesOr::Axes(axes)) => (axes.time, axes.z, axes.channel),
            _ => (fields.frame, fields.slice, fields.channel),
        };
        let received = match &fields.received {
            Some(Loose::Text(text)) => time_of_day(text),
            _ => None,
        };
        Some(Self {
            time,
            plane,
            channel,
            elapsed_s: fields.elapsed_ms.and_then(|ms| ms.number()).map(|ms| ms / 1000.0),
            received_s: received,
            pixel_size_um: fields.pixel_size_um,
            bit_depth: fields.bit_depth,
        })
    }

    /// Whether both show the same plane and channel.
    pub(super) fn same_view(&self, other: &Self) -> bool {
        self.plane == other.plane && self.channel == other.channel
    }

    /// Where the page belongs, with named channels numbered as they appear; `None` where it has no time.
    pub(super) fn place(&self, channels: &mut HashMap<String, u32>) -> Option<Place> {
        let index = |axis: &Option<Loose>| axis.as_ref().map_or(Some(0), Loose::index);
        let channel = match &self.channel {
            Some(Loose::Text(name)) => {
                let next = channels.len() as u32;
                *channels.entry(name.clone()).or_insert(next)
            }
            other => index(other)?,
        };
        Some([channel, index(&self.plane)?, self.time.as_ref()?.index()?])
    }

    pub(super) fn pixel_size(&self) -> Option<Stated<f64>> {
        let size = self.pixel_size_um.as_ref()?.number().filter(|um| is_positive(*um))?;
        Some(Stated::new(size, "Micro-Manager PixelSizeUm"))
    }

    pub(super) fn bit_depth(&self) -> Option<u64> {
        self.bit_depth.as_ref()?.count().map(|bits| bits as u64)
    }
}

/// Seconds since midnight of `2023-02-18 18:21:40.811962`.
fn time_of_day(text: &str) -> Option<f64> {
    let (_, time) = text.split_once(' ')?;
    let mut parts = time.split(':').map(|part| part.trim().parse::<f64>().ok());
    let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next()??);
    Some((hours * 60.0 + minutes) * 60.0 + seconds)
}
