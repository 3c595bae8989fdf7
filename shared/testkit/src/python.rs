//! A Python with NumPy and tifffile: the independent judge of files written here.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::Command,
};

/// What the environment made here holds; its name changes with this list.
const REQUIREMENTS: [&str; 2] = ["numpy==2.*", "tifffile==2025.*"];

/// Why there is no Python to ask.
#[derive(Debug, thiserror::Error)]
pub enum PythonError {
    /// A file or program of this machine did not answer.
    #[error(
        "`{what}` failed: install Python 3.11 or newer with venv, or name one with NumPy and tifffile in DROPSCOPE_TEST_PYTHON"
    )]
    Io {
        /// What was tried.
        what: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A program ran and reported failure.
    #[error("`{what}` failed: {stderr}")]
    Exit {
        /// What was tried.
        what: String,
        /// Its last words.
        stderr: String,
    },
}

/// Finds the Python that tests ask: `DROPSCOPE_TEST_PYTHON` where that is set, else a virtual
/// environment under `target/`, made on first use. Safe to call from parallel processes.
///
/// # Errors
/// [`PythonError`] when the environment cannot be made: no Python, no `venv`, no package index.
pub fn python() -> Result<PathBuf, PythonError> {
    if let Some(path) = env::var_os("DROPSCOPE_TEST_PYTHON") {
        return Ok(path.into());
    }
    let target = target_dir();
    let venv = target.join("test-venv");
    let interpreter = venv.join("bin").join("python");
    let ready = venv.join("ready");
    let wanted = REQUIREMENTS.join("\n");
    let is_ready = || fs::read_to_string(&ready).is_ok_and(|found| found == wanted);
    if is_ready() {
        return Ok(interpreter);
    }
    let io = |what: &Path, source| PythonError::Io { what: what.display().to_string(), source };
    fs::create_dir_all(&target).map_err(|e| io(&target, e))?;
    let lock_path = target.join("test-venv.lock");
    let lock = fs::File::create(&lock_path).map_err(|e| io(&lock_path, e))?;
    lock.lock().map_err(|e| io(&lock_path, e))?;
    // Another process may have made it while this one waited.
    if !is_ready() {
        make(&venv, &interpreter)?;
        fs::write(&ready, wanted).map_err(|e| io(&ready, e))?;
    }
    Ok(interpreter)
}

fn make(venv: &Path, interpreter: &Path) -> Result<(), PythonError> {
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(venv))?;
    run(Command::new(interpreter).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(REQUIREMENTS))
}

fn run(command: &mut Command) -> Result<(), PythonError> {
    let what = format!("{command:?}");
    let output = command.output().map_err(|source| PythonError::Io { what: what.clone(), source })?;
    if output.status.success() {
        return Ok(());
    }
    let stderr = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(PythonError::Exit { what, stderr })
}

fn target_dir() -> PathBuf {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    env::var_os("CARGO_TARGET_DIR").map_or_else(default, PathBuf::from)
}
