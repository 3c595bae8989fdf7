//! ScanImage's `SI.key = value` lines (docs.scanimage.org, "ScanImage BigTiff Specification"): the frame rate.

use super::{Metadata, Stated, positive};

/// The rate fields of ScanImage 2015 and later, 5, 4 and 3.8; the first present counts.
const RATES: [&str; 4] = [
    "SI.hRoiManager.scanFrameRate",
    "scanimage.SI.hRoiManager.scanFrameRate",
    "scanimage.SI4.scanFrameRate",
    "state.acq.frameRate",
];

/// Channels that were saved, such as `[1;2]`.
const CHANNELS: [&str; 3] = ["SI.hChannels.channelSave", "scanimage.SI.hChannels.channelSave", "scanimage.SI4.channelsSave"];

/// Whether the objective moved between frames, in ScanImage 2015 and later, 5 and 4.
const FAST_Z: [&str; 3] = ["SI.hFastZ.enable", "scanimage.SI.hFastZ.enable", "scanimage.SI4.fastZEnable"];

pub(super) fn parse(text: &str) -> Option<Metadata> {
    let value =
        |key: &str| text.lines().filter_map(|line| line.split_once('=')).find_map(|(k, v)| (k.trim() == key).then(|| v.trim()));
    let rate = RATES.iter().find_map(|key| value(key).and_then(positive).map(|hz| Stated::new(hz, *key)));
    let channels = CHANNELS.iter().find_map(|key| {
        let saved = value(key)?;
        let count = saved.split(|c: char| !c.is_ascii_digit()).filter(|n| !n.is_empty()).count();
        (count > 0).then(|| Stated::new(count, *key))
    });
    let fast_z = FAST_Z.iter().any(|key| matches!(value(key), Some("1" | "true")));
    let note = "ScanImage says that several planes were recorded (fast z); state their number as planes";
    (rate.is_some() || channels.is_some()).then(|| Metadata {
        frame_rate_hz: rate,
        channels,
        channels_are_simultaneous: true,
        notes: fast_z.then(|| note.to_owned()).into_iter().collect(),
        ..Metadata::default()
    })
}
