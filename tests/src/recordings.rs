//! Recordings for the end-to-end laws.

use dropscope_testkit::movie::Scene;
use std::error::Error;
use std::io::Cursor;
use std::path::PathBuf;

/// A small generated recording, as the bytes of its TIFF.
///
/// # Errors
/// When the scene cannot be planted or written.
pub fn small(seed: u64) -> Result<Vec<u8>, Box<dyn Error>> {
    let scene = Scene { seed, height: 48, width: 48, frames: 90, cells: 4, groups: 2, ..Scene::default() };
    let mut bytes = Cursor::new(Vec::new());
    scene.generate()?.write_tiff(&mut bytes)?;
    Ok(bytes.into_inner())
}

/// A file of the shared data that lies beside a checkout, if it is there; says so when it is not.
pub fn shared(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data").join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: shared/data/{name} is not beside this checkout");
    None
}
