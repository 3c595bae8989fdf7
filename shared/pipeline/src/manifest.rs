//! The manifest of an accepted recording: what it is, and how it will be segmented.

use crate::{Needs, ObjectKey, Plan, RunId, Timestamp};
use dropscope_recording::Info;
use serde::{Deserialize, Serialize};

/// `manifest.json`: written once, when a recording is accepted; every later stage starts from it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Layout of this document.
    pub schema: u32,
    /// The run.
    pub run: RunId,
    /// Bucket of the recording.
    pub bucket: String,
    /// Key of the recording.
    pub key: ObjectKey,
    /// Version of the recording, in a bucket that keeps versions.
    pub version: Option<String>,
    /// ETag of the recording.
    pub etag: String,
    /// Size of the recording, bytes.
    pub size: u64,
    /// Whose it is.
    pub owner: String,
    /// Name of the recording: its file name without the extension.
    pub name: String,
    /// Shape, type, rate, and where each came from.
    pub recording: Info,
    /// Every setting in use, with its source.
    pub plan: Plan,
    /// What it needs of a machine.
    pub needs: Needs,
    /// When it was accepted.
    pub accepted_at: Timestamp,
}

impl Manifest {
    /// The document's text.
    ///
    /// # Errors
    /// When a figure in it has no JSON form (not finite).
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        Ok(text)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::Settings;

    pub(crate) fn manifest() -> Manifest {
        let recording: Info = serde_json::from_value(serde_json::json!({
            "frames": 800, "planes": 1, "channels": 1, "height": 128, "width": 128, "dtype": "uint16", "pages": 800,
            "frame_rate_hz": null, "pixel_size_um": null, "compression": "PackBits", "sources": {}, "notes": []
        }))
        .unwrap();
        let key = ObjectKey::raw("recordings/ana/day 1/x.tif");
        Manifest {
            schema: 1,
            run: RunId::of_upload("b", &key, None, "e"),
            bucket: "b".into(),
            key,
            version: None,
            etag: "e".into(),
            size: 1,
            owner: "ana".into(),
            name: "x".into(),
            plan: Plan::settle(&Settings::default(), &recording),
            needs: Needs::of(&recording),
            recording,
            accepted_at: Timestamp::from_millis(1_790_000_000_000),
        }
    }

    #[test]
    fn a_missing_frame_rate_is_assumed_and_marked() {
        let manifest = manifest();
        assert_eq!(manifest.plan.frame_rate_hz.value, 30.0);
        assert!(manifest.plan.frame_rate_hz.assumed());
    }

    #[test]
    fn a_manifest_survives_its_json() {
        let manifest = manifest();
        let back: Manifest = serde_json::from_slice(&manifest.to_json().unwrap()).unwrap();
        assert_eq!(back, manifest);
    }

    #[test]
    fn needs_grow_with_the_recording_and_never_overflow() {
        let mut info = manifest().recording;
        let small = Needs::of(&info);
        let with_movie = small.clone().with_movie_of(&info);
        assert!(with_movie.scratch_gib > small.scratch_gib && with_movie.memory_mib == small.memory_mib);
        info.height = usize::MAX;
        info.frames = usize::MAX;
        let vast = Needs::of(&info);
        assert!(vast.memory_mib > small.memory_mib && vast.hours > small.hours);
        assert!(vast.lifetime_seconds() <= 30 * 86_400);
    }
}
