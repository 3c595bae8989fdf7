//! Folders that appear whole: a run that breaks off leaves no half-written result.

use dropscope_outputs::Contents;
use std::io;
use std::path::{Path, PathBuf};

/// A folder in the making, beside the one it will become; removed when it is dropped unfinished.
pub(crate) struct Making {
    path: PathBuf,
    target: PathBuf,
}

impl Making {
    /// Whether `target` may become a folder of results: nothing is there, or earlier results are.
    pub(crate) fn is_free(target: &Path) -> bool {
        target.symlink_metadata().is_err() || target.join("manifest.json").is_file()
    }

    /// Begins the folder that will be `target`.
    pub(crate) fn begin(target: &Path) -> io::Result<Self> {
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let path = target.with_file_name(format!(".{name}.partial-{}", std::process::id()));
        if path.exists() {
            std::fs::remove_dir_all(&path)?;
        }
        std::fs::create_dir_all(&path)?;
        Ok(Self { path, target: target.to_owned() })
    }

    /// Where to write meanwhile.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the folder its name. What had it is kept under another, which is returned: somebody may have worked on it.
    pub(crate) fn finish(self) -> io::Result<Option<PathBuf>> {
        let old = if self.target.exists() {
            let old = free_name(&self.target);
            std::fs::rename(&self.target, &old)?;
            Some(old)
        } else {
            None
        };
        std::fs::rename(&self.path, &self.target)?;
        Ok(old)
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        // Gone already when it was finished.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

fn free_name(target: &Path) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy().into_owned();
    (1u32..).map(|n| target.with_file_name(format!("{name}.old-{n}"))).find(|p| !p.exists()).unwrap_or_else(|| target.to_owned())
}

/// Writes a file below a folder, with the folders it needs.
pub(crate) fn write(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    std::fs::write(place(folder, name)?, bytes)
}

/// The same of a result, which may be written in pieces.
pub(crate) fn write_result(folder: &Path, name: &str, contents: &Contents<'_>) -> io::Result<()> {
    contents.write_file(&place(folder, name)?)
}

fn place(folder: &Path, name: &str) -> io::Result<PathBuf> {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unfinished_folder_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let making = Making::begin(&dir.path().join("x")).unwrap();
        write(making.path(), "a/b.txt", b"1").unwrap();
        drop(making);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_is_not_ours_is_in_the_way() {
        let dir = tempfile::tempdir().unwrap();
        let recording = dir.path().join("rec");
        std::fs::write(&recording, b"pixels").unwrap();
        assert!(!Making::is_free(&recording) && !Making::is_free(dir.path()));
        std::os::unix::fs::symlink("/nonexistent", dir.path().join("link")).unwrap();
        assert!(!Making::is_free(&dir.path().join("link")));
    }

    #[test]
    fn earlier_results_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("x");
        for round in 0..3 {
            let making = Making::begin(&target).unwrap();
            assert!(Making::is_free(&target));
            write(making.path(), "manifest.json", b"{}").unwrap();
            write(making.path(), "n", &[round]).unwrap();
            making.finish().unwrap();
        }
        let read = |name: &str| std::fs::read(dir.path().join(name).join("n")).unwrap();
        assert_eq!([read("x"), read("x.old-1"), read("x.old-2")], [[2], [0], [1]]);
    }
}
