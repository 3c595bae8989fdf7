//! A Python with NumPy and tifffile: the independent judge of files written here.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::Command,
};

/// What every environment made here holds; its name changes with what else a test asks for.
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
    python_with(&[])
}

/// The same with further packages, each as pip takes it (`boto3==1.*`); its programs lie beside the interpreter.
///
/// # Errors
/// [`PythonError`] when the environment cannot be made: no Python, no `venv`, no package index.
pub fn python_with(packages: &[&str]) -> Result<PathBuf, PythonError> {
    if let Some(path) = env::var_os("DROPSCOPE_TEST_PYTHON") {
        return Ok(path.into());
    }
    let target = target_dir();
    let name = name(packages);
    let venv = target.join(&name);
    let interpreter = venv.join("bin").join("python");
    let ready = venv.join("ready");
    let all: Vec<&str> = REQUIREMENTS.iter().chain(packages).copied().collect();
    let wanted = all.join("\n");
    let is_ready = || fs::read_to_string(&ready).is_ok_and(|found| found == wanted);
    if is_ready() {
        return Ok(interpreter);
    }
    let io = |what: &Path, source| PythonError::Io { what: what.display().to_string(), source };
    fs::create_dir_all(&target).map_err(|e| io(&target, e))?;
    let lock_path = target.join(format!("{name}.lock"));
    let lock = fs::File::create(&lock_path).map_err(|e| io(&lock_path, e))?;
    lock.lock().map_err(|e| io(&lock_path, e))?;
    // Another process may have made it while this one waited.
    if !is_ready() {
        make(&venv, &interpreter, &all)?;
        fs::write(&ready, wanted).map_err(|e| io(&ready, e))?;
    }
    Ok(interpreter)
}

/// The folder of the environment that holds these packages.
fn name(packages: &[&str]) -> String {
    let of = |package: &&str| package.chars().take_while(char::is_ascii_alphanumeric).collect::<String>();
    std::iter::once("test-venv".to_owned()).chain(packages.iter().map(of)).collect::<Vec<_>>().join("-")
}

fn make(venv: &Path, interpreter: &Path, packages: &[&str]) -> Result<(), PythonError> {
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(venv))?;
    run(Command::new(interpreter).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(packages))
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
