//! Imaging settings: what was said (`dropscope.toml`, the command line), and what it means for one recording.

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
    /// Number of clusters, 1 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clusters: Option<usize>,
    /// Seed of every random choice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
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
}

/// Frame rate assumed where nothing says better, Hz.
pub const ASSUMED_FRAME_RATE_HZ: f64 = 30.0;
/// Decay time assumed where nothing says better, s: between GCaMP6f and GCaMP6s.
pub const ASSUMED_TAU_S: f64 = 1.0;
/// Number of clusters unless set, as in the paper this grows from.
pub const DEFAULT_CLUSTERS: usize = 4;
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
        in_range("planes", count(self.planes), 1.0, 1000.0, "1 to 1000")?;
        in_range("channels", count(self.channels), 1.0, 16.0, "1 to 16")?;
        in_range("diameter_px", self.diameter_px, 2.0, 200.0, "2 to 200 (pixels)")?;
        in_range("pixel_size_um", self.pixel_size_um, 0.001, 1000.0, "0.001 to 1000 (micrometres)")?;
        in_range("clusters", count(self.clusters), 1.0, 100.0, "1 to 100")
    }

    /// These settings where they are set, `below` elsewhere.
    pub fn over(&self, below: &Self) -> Self {
        Self {
            frame_rate_hz: self.frame_rate_hz.or(below.frame_rate_hz),
            tau_s: self.tau_s.or(below.tau_s),
            planes: self.planes.or(below.planes),
            channels: self.channels.or(below.channels),
            diameter_px: self.diameter_px.or(below.diameter_px),
            pixel_size_um: self.pixel_size_um.or(below.pixel_size_um),
            clusters: self.clusters.or(below.clusters),
            seed: self.seed.or(below.seed),
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

fn in_range(name: &'static str, value: Option<f64>, low: f64, high: f64, range: &'static str) -> Result<(), SettingsError> {
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
    /// Where it came from: `settings`, `metadata: …`, `assumed`, `default`.
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
    /// Diameter of a cell, pixels; none when it is to be estimated.
    pub diameter_px: Option<Sourced<f64>>,
    /// Number of clusters.
    pub clusters: Sourced<usize>,
    /// Seed of every random choice.
    pub seed: Sourced<u64>,
}

impl Plan {
    /// Settles every setting: what was said, else what the recording's metadata say, else the assumption.
    pub fn settle(settings: &Settings, info: &Info) -> Self {
        let said = |v: Option<f64>| v.map(|v| Sourced::new(v, "settings"));
        let rate = info.frame_rate_hz.map(|rate| {
            let source = info.sources.get("frame_rate_hz").map_or_else(|| "metadata".to_owned(), ToString::to_string);
            Sourced::new(rate, source)
        });
        Self {
            frame_rate_hz: said(settings.frame_rate_hz)
                .or(rate)
                .unwrap_or_else(|| Sourced::new(ASSUMED_FRAME_RATE_HZ, "assumed")),
            tau_s: said(settings.tau_s).unwrap_or_else(|| Sourced::new(ASSUMED_TAU_S, "assumed")),
            diameter_px: said(settings.diameter_px),
            clusters: settings
                .clusters
                .map_or_else(|| Sourced::new(DEFAULT_CLUSTERS, "default"), |k| Sourced::new(k, "settings")),
            seed: settings.seed.map_or_else(|| Sourced::new(DEFAULT_SEED, "default"), |s| Sourced::new(s, "settings")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of the first table of docs/SETTINGS.md: key, option, unit, range, default, meaning.
    fn documented() -> Vec<Vec<String>> {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/SETTINGS.md");
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let rows = text.lines().skip_while(|line| !line.starts_with("| key | option |")).skip(2);
        let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().replace('`', "")).collect();
        rows.take_while(|line| line.starts_with('|')).map(cells).collect()
    }

    #[test]
    fn every_setting_is_documented_with_the_range_that_holds() {
        let all =
            "frame_rate_hz = 1\ntau_s = 1\nplanes = 1\nchannels = 1\ndiameter_px = 2\npixel_size_um = 1\nclusters = 1\nseed = 1";
        let all = serde_json::to_value(Settings::from_toml(all).unwrap()).unwrap();
        let mut known: Vec<String> = all.as_object().unwrap().keys().cloned().collect();
        let mut told: Vec<String> = documented().into_iter().map(|row| row[0].clone()).collect();
        known.sort();
        told.sort();
        assert_eq!(told, known);
        for row in documented() {
            let (low, high) = row[3].split_once(" to ").unwrap();
            assert!(row.len() == 6 && row.iter().all(|cell| !cell.is_empty()), "{row:?}");
            for bound in [low, high] {
                // TOML itself has no number as large as the largest seed.
                let fits = Settings::from_toml(&format!("{} = {bound}", row[0])).is_ok();
                assert!(fits || bound == u64::MAX.to_string(), "{row:?} {bound}");
            }
            for beyond in [format!("-{high}"), format!("{high}0")] {
                assert!(Settings::from_toml(&format!("{} = {beyond}", row[0])).is_err(), "{row:?} {beyond}");
            }
        }
    }

    #[test]
    fn an_unknown_setting_is_refused_by_name() {
        let error = Settings::from_toml("frame_rate = 30").unwrap_err();
        assert!(error.to_string().contains("frame_rate"), "{error}");
    }

    #[test]
    fn a_value_out_of_range_is_refused_with_its_range() {
        for bad in ["tau_s = 0", "tau_s = nan", "frame_rate_hz = -3", "planes = 0", "clusters = 101", "diameter_px = inf"] {
            assert!(matches!(Settings::from_toml(bad), Err(SettingsError::OutOfRange { .. })), "{bad}");
        }
    }

    #[test]
    fn the_command_line_wins_over_the_file() {
        let file = Settings::from_toml("frame_rate_hz = 15\ntau_s = 0.7").unwrap();
        let line = Settings { frame_rate_hz: Some(30.0), ..Settings::default() };
        let both = line.over(&file);
        assert_eq!((both.frame_rate_hz, both.tau_s), (Some(30.0), Some(0.7)));
    }
}
