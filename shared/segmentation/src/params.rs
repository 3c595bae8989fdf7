//! Settings of the segmentation: what was asked for, checked once.

use serde::{Deserialize, Serialize};

/// How many clusters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Clusters {
    /// This many, 1 to 100.
    Count(usize),
    /// As many of 2 to 10 as give the largest mean silhouette (Rousseeuw 1987, J Comput Appl Math 20:53).
    Auto,
}

/// What describes a cell when cells are clustered: its row in which matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClusterBy {
    /// Of the covariances of the corrected traces as they are: loud cells count more.
    Covariance,
    /// Of their correlations, which are the covariances of standardised traces: brightness does not count.
    Correlation,
}

/// Everything a user may set. Checked by [`Params::check`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Frame rate of one plane, Hz, 0.01 to 10 000.
    pub frame_rate_hz: f64,
    /// Decay time of the indicator, s, 0.05 to 20 (GCaMP6f 0.7, GCaMP6m 1.0, GCaMP6s 1.25 to 1.5).
    pub tau_s: f64,
    /// Rise time of the indicator, s, 0 to 5 and at most half of the decay time; 0.07 of that when absent, 0 for a pure
    /// decay.
    #[serde(default)]
    pub rise_s: Option<f64>,
    /// Diameter of a cell, pixels, 2 to 200; estimated from the recording when absent.
    pub diameter_px: Option<f64>,
    /// Number of clusters.
    pub clusters: Clusters,
    /// What cells are clustered by.
    pub cluster_by: ClusterBy,
    /// Seed of every random choice.
    pub seed: u64,
    /// Worker threads, 0 for one per core. Never changes the result.
    pub threads: usize,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            frame_rate_hz: 30.0,
            tau_s: 1.0,
            rise_s: None,
            diameter_px: None,
            clusters: Clusters::Count(4),
            cluster_by: ClusterBy::Correlation,
            seed: 1,
            threads: 0,
        }
    }
}

/// A setting outside its range.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("`{name}` is `{value}`, which is not {range}")]
pub struct ParamError {
    /// Name of the setting.
    pub name: &'static str,
    /// What was given.
    pub value: String,
    /// What is allowed.
    pub range: &'static str,
}

impl Params {
    /// Checks every setting against its range.
    ///
    /// # Errors
    /// The first setting that is not finite or not in range.
    pub fn check(&self) -> Result<(), ParamError> {
        in_range("frame_rate_hz", self.frame_rate_hz, 0.01, 10_000.0, "0.01 to 10000 Hz")?;
        in_range("tau_s", self.tau_s, 0.05, 20.0, "0.05 to 20 s")?;
        if let Some(rise) = self.rise_s {
            in_range("rise_s", rise, 0.0, 5.0, "0 to 5 s")?;
            in_range("rise_s", rise, 0.0, 0.5 * self.tau_s, "at most half of tau_s")?;
        }
        if let Some(d) = self.diameter_px {
            in_range("diameter_px", d, 2.0, 200.0, "2 to 200 pixels")?;
        }
        match self.clusters {
            Clusters::Count(k) => in_range("clusters", k as f64, 1.0, 100.0, "1 to 100"),
            Clusters::Auto => Ok(()),
        }
    }
}

fn in_range(name: &'static str, value: f64, low: f64, high: f64, range: &'static str) -> Result<(), ParamError> {
    if value.is_finite() && (low..=high).contains(&value) {
        Ok(())
    } else {
        Err(ParamError { name, value: value.to_string(), range })
    }
}
