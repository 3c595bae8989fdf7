//! EC2 and SNS on loopback, by moto: a judge of calls that nobody here wrote.

use crate::python::{PythonError, python_with};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

/// What is installed beside NumPy and tifffile.
const PACKAGES: [&str; 2] = ["moto[ec2,sns,server]==5.2.5", "boto3==1.*"];

/// Where it listens, and what lies there.
#[derive(Debug, Clone, Deserialize)]
pub struct Place {
    /// Address of EC2 and SNS.
    pub endpoint: String,
    /// Region.
    pub region: String,
    /// Id of a launch template.
    pub template: String,
    /// Ids of subnets.
    pub subnets: Vec<String>,
    /// ARN of a topic.
    pub topic: String,
}

/// A message that was published.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Published {
    /// Where.
    pub topic: String,
    /// Subject.
    pub subject: Option<String>,
    /// Text.
    pub message: String,
    /// Attributes that subscriptions filter by.
    pub attributes: BTreeMap<String, String>,
}

/// A running server; it ends with this value.
pub struct Moto {
    /// Where it listens.
    pub place: Place,
    published: Arc<Mutex<Vec<Published>>>,
    child: Child,
    _until: Option<ChildStdin>,
}

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum MotoError {
    /// No Python with moto.
    #[error("there is no python with moto")]
    Python(#[from] PythonError),
    /// It did not start.
    #[error("moto did not start")]
    Start(#[from] io::Error),
    /// It said something else than where it listens.
    #[error("moto said `{0}`")]
    Said(String),
}

impl Moto {
    /// Starts a server.
    ///
    /// # Errors
    /// See [`MotoError`].
    pub fn start() -> Result<Self, MotoError> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/moto_server.py");
        let mut child = Command::new(python_with(&PACKAGES)?)
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let until = child.stdin.take();
        let mut lines = BufReader::new(child.stdout.take().ok_or_else(|| io::Error::other("no output"))?).lines();
        let first = lines.next().transpose()?.unwrap_or_default();
        let place = serde_json::from_str(&first).map_err(|_| MotoError::Said(first))?;
        let published = Arc::new(Mutex::new(Vec::new()));
        let seen = published.clone();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Ok(message) = serde_json::from_str(&line) {
                    seen.lock().unwrap_or_else(PoisonError::into_inner).push(message);
                }
            }
        });
        Ok(Self { place, published, child, _until: until })
    }

    /// What `python/mix.py` says to `words`: `make STACK` starts instances of every sort, `states` tells what became of them.
    ///
    /// # Errors
    /// See [`MotoError`].
    pub fn mix(&self, words: &[&str]) -> Result<serde_json::Value, MotoError> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/mix.py");
        let mut asked = Command::new(python_with(&PACKAGES)?);
        let said = asked.arg(script).args([&self.place.endpoint, &self.place.region]).args(words).output()?;
        let words = || String::from_utf8_lossy(if said.status.success() { &said.stdout } else { &said.stderr }).into_owned();
        serde_json::from_slice(&said.stdout).map_err(|_| MotoError::Said(words()))
    }

    /// What was published so far.
    pub fn published(&self) -> Vec<Published> {
        self.published.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
