//! The summary in the header: what was planned.

use serde::Deserialize;

use super::super::units::is_positive;
use super::super::{Axis, CHANNEL_PLANE_TIME, Metadata, Stated};
use super::page::Loose;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Summary {
    #[serde(rename = "Slices")]
    slices: Option<Loose>,
    #[serde(rename = "Frames")]
    frames: Option<Loose>,
    #[serde(rename = "Channels")]
    channels: Option<Loose>,
    #[serde(rename = "Positions")]
    positions: Option<Loose>,
    #[serde(rename = "SlicesFirst")]
    slices_first: Option<Loose>,
    #[serde(rename = "AxisOrder")]
    axis_order: Option<Axes>,
    #[serde(rename = "Interval_ms")]
    interval_ms: Option<Loose>,
    #[serde(rename = "PixelSize_um")]
    pixel_size_um: Option<Loose>,
    #[serde(rename = "PixelSizeUm")]
    pixel_size_um_new: Option<Loose>,
    #[serde(rename = "BitDepth")]
    bit_depth: Option<Loose>,
}

/// Names of axes, slowest first, such as `["position","time","z","channel"]`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Axes {
    Names(Vec<String>),
    Other(serde::de::IgnoredAny),
}

impl Summary {
    pub(super) fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    pub(super) fn has_sizes(&self) -> bool {
        self.slices.is_some() && self.channels.is_some()
    }

    /// Seconds between time points; `None` also where they follow as fast as possible.
    pub(super) fn interval_s(&self) -> Option<f64> {
        self.interval_ms.as_ref()?.number().filter(|ms| is_positive(*ms)).map(|ms| ms / 1000.0)
    }

    pub(super) fn bit_depth(&self) -> Option<u64> {
        self.bit_depth.as_ref()?.count().map(|bits| bits as u64)
    }

    pub(super) fn metadata(&self) -> Metadata {
        let stated = |value: &Option<Loose>, key: &str| {
            let count = value.as_ref().and_then(Loose::count)?;
            Some(Stated::new(count, format!("Micro-Manager {key}")))
        };
        let size = [("PixelSize_um", &self.pixel_size_um), ("PixelSizeUm", &self.pixel_size_um_new)];
        let size = size.into_iter().find_map(|(key, value)| {
            let size = value.as_ref()?.number().filter(|um| is_positive(*um))?;
            Some(Stated::new(size, format!("Micro-Manager {key}")))
        });
        let mut metadata = Metadata {
            frames: stated(&self.frames, "Frames"),
            planes: stated(&self.slices, "Slices"),
            channels: stated(&self.channels, "Channels"),
            order: self.order(),
            frame_rate_hz: self.interval_s().map(|s| Stated::new(1.0 / s, "Micro-Manager Interval_ms")),
            pixel_size_um: size,
            ..Metadata::default()
        };
        if let Some(positions) = self.positions.as_ref().and_then(Loose::count).filter(|n| *n > 1) {
            metadata.notes.push(format!(
                "Micro-Manager recorded `{positions}` positions; if this file holds more than one of them, save each as a file of \
                 its own"
            ));
        }
        metadata
    }

    /// By the names of the axes, else by whether slices come first; positions lie outside both.
    fn order(&self) -> [Axis; 3] {
        if let Some(Axes::Names(names)) = &self.axis_order {
            let fastest_first = names.iter().rev().filter_map(|name| match name.as_str() {
                "channel" => Some(Axis::Channel),
                "z" | "slice" => Some(Axis::Plane),
                "time" | "t" => Some(Axis::Time),
                _ => None,
            });
            let order: Vec<Axis> = fastest_first.take(4).collect();
            let all = [Axis::Channel, Axis::Plane, Axis::Time].iter().all(|axis| order.contains(axis));
            if let (true, Ok(order)) = (all, order.try_into()) {
                return order;
            }
        }
        let slices_first = self.slices_first.as_ref().is_some_and(Loose::is_true);
        if slices_first { [Axis::Plane, Axis::Channel, Axis::Time] } else { CHANNEL_PLANE_TIME }
    }
}
