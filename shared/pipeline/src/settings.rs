//! Imaging settings: what was said (`dropscope.toml`, the command line), and what it means for one recording.

use crate::{ClusterBy, Clusters, Indicator, Nwb};
use dropscope_recording::Info;
use serde::{Deserialize, Serialize};

/// What a user said; everything may be left out. Unknown names are refused.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Frame rate of one plane, Hz, 0.01 to 10 000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame_rate_hz: Option<f64>,
    /// Decay time of the indicator, s, 0.05 to 20.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tau_s: Option<f64>,
    /// Rise time of the indicator, s, 0 to 5 and at most half of the decay time; 0.07 of that when absent, 0 for a pure
    /// decay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rise_s: Option<f64>,
    /// The indicator, whose decay and rise are taken where they are not stated themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub indicator: Option<Indicator>,
    /// Planes that are imaged in turn, 1 to 1000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub planes: Option<usize>,
    /// Channels of each frame, 1 to 16; the first is segmented.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channels: Option<usize>,
    /// Diameter of a cell, pixels, 2 to 200; estimated when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diameter_px: Option<f64>,
    /// Size of a pixel, micrometres, 0.001 to 1000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pixel_size_um: Option<f64>,
    /// Number of clusters, 1 to 100 or to be chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clusters: Option<Clusters>,
    /// What cells are clustered by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_by: Option<ClusterBy>,
    /// Seed of every random choice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Whether the registered movie is among the results.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registered_movie: Option<bool>,
    /// What an NWB file tells of the experiment.
    #[serde(skip_serializing_if = "Nwb::is_empty")]
    pub nwb: Nwb,
}

/// Settings that cannot be used: the cause, in words.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SettingsError {
    /// The file is not TOML, or names a setting that does not exist.
    #[error("{0}")]
    Unreadable(String),
    /// A value outside its range.
    #[error("`{name}` is `{value}`, which is not {range}")]
    OutOfRange {
        /// Setting.
        name: &'static str,
        /// What was given.
        value: f64,
        /// What is allowed.
        range: &'static str,
    },
    /// A text that cannot be.
    #[error("`{name}` is `{value}`, which is not {form}")]
    Text {
        /// Setting.
        name: &'static str,
        /// What was given.
        value: String,
        /// What is allowed.
        form: &'static str,
    },
}

/// Frame rate assumed where nothing says better, Hz.
pub const ASSUMED_FRAME_RATE_HZ: f64 = 30.0;
/// Decay time assumed where nothing says better, s: between GCaMP6f and GCaMP6s.
pub const ASSUMED_TAU_S: f64 = 1.0;
/// Number of clusters unless set, as in the paper this grows from.
pub const DEFAULT_CLUSTERS: Clusters = Clusters::Count(4);
/// What cells are clustered by unless set: the paper's matrix of covariances, of traces brought to one scale first.
pub const DEFAULT_CLUSTER_BY: ClusterBy = ClusterBy::Correlation;
/// Rise over decay, at most: a response that rises half as slowly as it decays has hardly a beginning.
const LARGEST_RISE: f64 = 0.5;
/// Seed unless set.
pub const DEFAULT_SEED: u64 = 1;

impl Settings {
    /// Reads a `dropscope.toml`.
    ///
    /// # Errors
    /// When it is no TOML, names an unknown setting, or a value is out of range.
    pub fn from_toml(text: &str) -> Result<Self, SettingsError> {
        let settings: Self = toml::from_str(text).map_err(|e| SettingsError::Unreadable(e.message().to_owned()))?;
        settings.check()?;
        Ok(settings)
    }

    /// Checks every value that is set against its range.
    ///
    /// # Errors
    /// The first value that is out of range.
    pub fn check(&self) -> Result<(), SettingsError> {
        in_range("frame_rate_hz", self.frame_rate_hz, 0.01, 10_000.0, "0.01 to 10000 (Hz)")?;
        in_range("tau_s", self.tau_s, 0.05, 20.0, "0.05 to 20 (s)")?;
        in_range("rise_s", self.rise_s, 0.0, 5.0, "0 to 5 (s)")?;
        if let Some(tau) = self.tau_s.or(self.indicator.map(Indicator::tau_s)) {
            in_range("rise_s", self.rise_s, 0.0, LARGEST_RISE * tau, "at most half of tau_s")?;
        }
        in_range("planes", count(self.planes), 1.0, 1000.0, "1 to 1000")?;
        in_range("channels", count(self.channels), 1.0, 16.0, "1 to 16")?;
        in_range("diameter_px", self.diameter_px, 2.0, 200.0, "2 to 200 (pixels)")?;
        in_range("pixel_size_um", self.pixel_size_um, 0.001, 1000.0, "0.001 to 1000 (micrometres)")?;
        self.nwb.check()?;
        match self.clusters {
            Some(Clusters::Count(k)) => in_range("clusters", Some(k as f64), 1.0, 100.0, "1 to 100 or auto"),
            Some(Clusters::Auto) | None => Ok(()),
        }
    }

    /// These settings where they are set, `below` elsewhere. An indicator that is named here also stands above a decay or
    /// rise that is stated below: it was said later.
    pub fn over(&self, below: &Self) -> Self {
        let speed = if self.indicator.is_some() { &Self::default() } else { below };
        Self {
            frame_rate_hz: self.frame_rate_hz.or(below.frame_rate_hz),
            tau_s: self.tau_s.or(speed.tau_s),
            rise_s: self.rise_s.or(speed.rise_s),
            indicator: self.indicator.or(below.indicator),
            planes: self.planes.or(below.planes),
            channels: self.channels.or(below.channels),
            diameter_px: self.diameter_px.or(below.diameter_px),
            pixel_size_um: self.pixel_size_um.or(below.pixel_size_um),
            clusters: self.clusters.or(below.clusters),
            cluster_by: self.cluster_by.or(below.cluster_by),
            seed: self.seed.or(below.seed),
            registered_movie: self.registered_movie.or(below.registered_movie),
            nwb: self.nwb.over(&below.nwb),
        }
    }

    /// The part that changes how the file itself is read.
    pub fn overrides(&self) -> dropscope_recording::Overrides {
        dropscope_recording::Overrides {
            frame_rate_hz: self.frame_rate_hz,
            planes: self.planes,
            channels: self.channels,
            pixel_size_um: self.pixel_size_um,
        }
    }
}

fn count(value: Option<usize>) -> Option<f64> {
    value.map(|v| v as f64)
}

pub(crate) fn in_range(
    name: &'static str,
    value: Option<f64>,
    low: f64,
    high: f64,
    range: &'static str,
) -> Result<(), SettingsError> {
    match value {
        Some(value) if !(low..=high).contains(&value) => Err(SettingsError::OutOfRange { name, value, range }),
        _ => Ok(()),
    }
}

/// A value in use, and where it came from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// Where it came from: `settings`, an indicator and its paper, `metadata: …`, `assumed`, `default`.
    pub source: String,
}

impl<T> Sourced<T> {
    fn new(value: T, source: impl Into<String>) -> Self {
        Self { value, source: source.into() }
    }

    /// Whether nothing said so: shown wherever a result is.
    pub fn assumed(&self) -> bool {
        self.source == "assumed"
    }
}

/// What will be used for one recording: every setting with its source, frozen when the run is claimed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Frame rate of one plane, Hz.
    pub frame_rate_hz: Sourced<f64>,
    /// Decay time of the indicator, s.
    pub tau_s: Sourced<f64>,
    /// Rise time of the indicator, s; none when it is the usual part of the decay time.
    pub rise_s: Option<Sourced<f64>>,
    /// Diameter of a cell, pixels; none when it is to be estimated.
    pub diameter_px: Option<Sourced<f64>>,
    /// Number of clusters.
    pub clusters: Sourced<Clusters>,
    /// What cells are clustered by.
    #[serde(default = "usual_cluster_by")]
    pub cluster_by: Sourced<ClusterBy>,
    /// Seed of every random choice.
    pub seed: Sourced<u64>,
    /// Whether the registered movie is among the results.
    #[serde(default = "no_movie", skip_serializing_if = "is_no_movie")]
    pub registered_movie: Sourced<bool>,
    /// What an NWB file tells of the experiment.
    #[serde(default, skip_serializing_if = "Nwb::is_empty")]
    pub nwb: Nwb,
}

impl Plan {
    /// Settles every setting: what was said, else what the recording's metadata say, else the assumption.
    pub fn settle(settings: &Settings, info: &Info) -> Self {
        let said = |v: Option<f64>| v.map(|v| Sourced::new(v, "settings"));
        let indicator = settings.indicator;
        let named = |i: Indicator, value: f64| Sourced::new(value, format!("{}, {}", i.name(), i.paper()));
        let rate = info.frame_rate_hz.map(|rate| {
            let source = info.sources.get("frame_rate_hz").map_or_else(|| "metadata".to_owned(), ToString::to_string);
            Sourced::new(rate, source)
        });
        Self {
            frame_rate_hz: said(settings.frame_rate_hz)
                .or(rate)
                .unwrap_or_else(|| Sourced::new(ASSUMED_FRAME_RATE_HZ, "assumed")),
            tau_s: said(settings.tau_s)
                .or_else(|| indicator.map(|i| named(i, i.tau_s())))
                .unwrap_or_else(|| Sourced::new(ASSUMED_TAU_S, "assumed")),
            rise_s: said(settings.rise_s).or_else(|| indicator.and_then(|i| i.rise_s().map(|rise| named(i, rise)))),
            diameter_px: said(settings.diameter_px),
            clusters: settings
                .clusters
                .map_or_else(|| Sourced::new(DEFAULT_CLUSTERS, "default"), |k| Sourced::new(k, "settings")),
            cluster_by: settings.cluster_by.map_or_else(usual_cluster_by, |by| Sourced::new(by, "settings")),
            seed: settings.seed.map_or_else(|| Sourced::new(DEFAULT_SEED, "default"), |s| Sourced::new(s, "settings")),
            registered_movie: settings.registered_movie.map_or_else(no_movie, |wanted| Sourced::new(wanted, "settings")),
            nwb: Nwb {
                indicator: settings.nwb.indicator.clone().or_else(|| indicator.map(|i| i.name().to_owned())),
                ..settings.nwb.clone()
            },
        }
    }
}

fn usual_cluster_by() -> Sourced<ClusterBy> {
    Sourced::new(DEFAULT_CLUSTER_BY, "default")
}

fn no_movie() -> Sourced<bool> {
    Sourced::new(false, "default")
}

/// Results of runs that nobody asks for a movie stay what they were.
fn is_no_movie(movie: &Sourced<bool>) -> bool {
    *movie == no_movie()
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
