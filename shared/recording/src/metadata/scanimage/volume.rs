//! What ScanImage says about depth: one plane, volumes by fast z, or a slow stack.

use super::super::Stated;
use super::super::lines::Lines;
use super::super::units::count;
use super::{flag, numbers};

/// How depth was recorded.
pub(super) enum Zs {
    One,
    Volume(Volume),
    /// Several depths whose pages cannot be told apart, and why.
    Noted(String),
}

/// Volumes by fast z.
pub(super) struct Volume {
    /// Pages of a channel in each volume that show a plane.
    pub(super) planes: Stated<usize>,
    /// Pages of a channel after them, taken while the objective flew back.
    pub(super) flyback: usize,
    /// Frames that were scanned for a volume.
    pub(super) scans: usize,
    /// Whether averaging went over the frames of one slice.
    pub(super) averaged_within: bool,
    repeats: usize,
}

impl Volume {
    pub(super) fn note(&self) -> Option<String> {
        let repeats = self.repeats;
        (repeats > 1)
            .then(|| format!("ScanImage took `{repeats}` frames of each slice of a volume; each is read as a plane of its own"))
    }
}

impl Zs {
    pub(super) fn of(lines: &Lines<'_>) -> Self {
        let slices = slices(lines);
        let fast_z = flag(lines, "SI.hFastZ.enable").or_else(|| flag(lines, "SI4.fastZEnable")) == Some(true);
        // Versions since 2020 keep the last stack's numbers where no stack is taken, and name its mode where one is.
        let off = flag(lines, "SI.hStackManager.enable") == Some(false);
        let slow = lines.get("SI.hStackManager.stackMode").is_some_and(|mode| mode.trim_matches('\'') == "slow");
        let fast = fast_z && !slow;
        match slices {
            _ if off => Self::One,
            Some(slices) if fast && slices.value > 1 => Self::Volume(volume(lines, slices)),
            None if fast => Self::Noted(
                "ScanImage says that several planes were recorded (fast z) but not how many; state their number as planes"
                    .to_owned(),
            ),
            Some(slices) if slices.value > 1 => Self::Noted(format!(
                "ScanImage took `{}` slices slowly, one after another; such a stack is no recording of planes at the same time and its \
                 pages are read as one plane",
                slices.value
            )),
            _ => Self::One,
        }
    }
}

fn slices(lines: &Lines<'_>) -> Option<Stated<usize>> {
    let keys =
        ["SI.hStackManager.actualNumSlices", "SI.hStackManager.numSlices", "SI4.stackNumSlices", "state.acq.numberOfZSlices"];
    let stated = |(key, n): (&str, usize)| Stated::new(n, format!("ScanImage {key}"));
    let positions = |text: &str| Some(numbers(text).count()).filter(|n| *n > 0);
    let listed = || lines.first(&["SI.hStackManager.zs"], positions);
    lines.first(&keys, count).or_else(listed).map(stated)
}

/// Pages of a volume: each slice one or more times, then those of the way back.
fn volume(lines: &Lines<'_>, slices: Stated<usize>) -> Volume {
    let taken = lines.get("SI.hStackManager.framesPerSlice").and_then(count).unwrap_or(1);
    let average = lines.get("SI.hScan2D.logAverageFactor").and_then(count).unwrap_or(1);
    let averaged_within = average > 1 && taken.is_multiple_of(average);
    let repeats = if averaged_within { taken / average } else { taken };
    let scanned = slices.value.saturating_mul(taken);
    // The number of hFastZ counts the way back, that of hStackManager has a name of its own for it.
    let with_flyback = lines.first(&["SI.hStackManager.numFramesPerVolumeWithFlyback", "SI.hFastZ.numFramesPerVolume"], count);
    let discarded = lines.first(&["SI.hFastZ.numDiscardFlybackFrames", "SI4.fastZNumDiscardFrames"], count);
    let flyback = match with_flyback {
        Some((_, all)) => all.saturating_sub(scanned),
        None => discarded.map_or(0, |(_, n)| n),
    };
    let kept = if averaged_within { flyback / average } else { flyback };
    Volume {
        planes: Stated { value: slices.value.saturating_mul(repeats), field: slices.field },
        flyback: kept,
        scans: scanned.saturating_add(flyback),
        averaged_within,
        repeats,
    }
}
