//! Child processes as instances.
//!
//! Each instance is a folder entry with a lock that the child holds from its first to its last moment: it inherits
//! the locked file as its standard input. So anybody can tell whether it lives, a number that the system gave to
//! another process deceives nobody, and a killed parent changes nothing.

use crate::atomic;
use dropscope_pipeline::Usd;
use dropscope_pipeline::instance::Offer;
use dropscope_ports::{BoxError, Clock, Fleet, FleetError, Instance, InstanceState, LaunchRequest};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

/// How a worker is started: the program and what comes before its own arguments.
#[derive(Debug, Clone)]
pub struct Worker {
    /// The program.
    pub program: PathBuf,
    /// Arguments of every worker; `--run`, `--attempt`, `--instance` and `--lifetime` follow.
    pub arguments: Vec<String>,
    /// Whether a worker writes to this terminal rather than to a file of its own.
    pub shares_terminal: bool,
}

/// Instances as child processes of this machine.
pub struct LocalFleet {
    folder: PathBuf,
    scratch: PathBuf,
    worker: Worker,
    most: usize,
    clock: Arc<dyn Clock>,
}

/// What is kept of an instance.
#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    instance: Instance,
    /// None until the process is started: an entry whose launcher died in between.
    process: Option<i32>,
}

const TYPE: &str = "this-machine";

impl LocalFleet {
    /// Workers for the bucket in `folder`, at most `most` at a time.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(folder: &Path, worker: Worker, most: usize, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let own = folder.join(".dropscope");
        fs::create_dir_all(own.join("fleet"))?;
        Ok(Self { folder: own.join("fleet"), scratch: own.join("scratch"), worker, most, clock })
    }

    fn start(&self, request: &LaunchRequest) -> Result<Instance, FleetError> {
        let busy = |error: io::Error| FleetError::Busy { call: "launch", source: BoxError::from(error) };
        let _lock = self.lock().map_err(busy)?;
        let id = instance_id(&request.token);
        if let Some(entry) = self.entry(&id).map_err(busy)? {
            match self.state(&id).map_err(busy)? {
                InstanceState::Alive => return Ok(entry.instance),
                InstanceState::Resting | InstanceState::Ended if entry.process.is_some() => {
                    return Err(FleetError::TokenSpent(request.token.clone()));
                }
                // Its launcher died before the child was known, and no child lives: start it.
                InstanceState::Resting | InstanceState::Ended => {}
            }
        }
        let alive = self.instances().map_err(busy)?.iter().filter(|i| i.state == InstanceState::Alive).count();
        if alive >= self.most {
            return Err(FleetError::Quota(format!("{alive} of {} workers are at work", self.most)));
        }
        self.spawn(&id, request).map_err(busy)
    }

    fn spawn(&self, id: &str, request: &LaunchRequest) -> io::Result<Instance> {
        let instance = Instance {
            id: id.to_owned(),
            run: request.run.clone(),
            attempt: request.attempt,
            instance_type: TYPE.into(),
            state: InstanceState::Alive,
            launched_at: self.clock.now(),
        };
        let life = File::options().create(true).read(true).write(true).truncate(false).open(self.life(id))?;
        life.lock()?;
        // Known before it is started: a launcher that dies in between leaves no worker that nobody knows.
        let mut entry = Entry { instance, process: None };
        self.save(id, &entry)?;
        let child = self.command(id, request)?.stdin(Stdio::from(life)).spawn()?;
        entry.process = i32::try_from(child.id()).ok();
        self.save(id, &entry)?;
        // Nobody waits for the child here: like an instance it outlives whoever launched it. Its end shows in its lock.
        std::thread::spawn(move || {
            let mut child = child;
            child.wait()
        });
        Ok(entry.instance)
    }

    fn command(&self, id: &str, request: &LaunchRequest) -> io::Result<Command> {
        let mut command = Command::new(&self.worker.program);
        command.args(&self.worker.arguments).args(["--run", request.run.as_str(), "--instance", id]).args([
            "--attempt",
            &request.attempt.to_string(),
            "--lifetime",
            &request.lifetime_seconds.to_string(),
        ]);
        if !self.worker.shares_terminal {
            let log = File::create(self.folder.join(format!("{id}.log")))?;
            command.stdout(log.try_clone()?).stderr(log);
            // Ctrl-C at this terminal ends who launched it, not the worker.
            command.process_group(0);
        }
        Ok(command)
    }

    fn instances(&self) -> io::Result<Vec<Instance>> {
        let mut found = Vec::new();
        for file in fs::read_dir(&self.folder)? {
            let path = file?.path();
            let Some(id) = path.file_stem().and_then(|s| s.to_str()).filter(|_| path.extension().is_some_and(|e| e == "json"))
            else {
                continue;
            };
            if let Some(entry) = self.entry(id)? {
                found.push(Instance { state: self.state(id)?, ..entry.instance });
            }
        }
        found.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(found)
    }

    fn state(&self, id: &str) -> io::Result<InstanceState> {
        let life = match File::open(self.life(id)) {
            Ok(life) => life,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(InstanceState::Ended),
            Err(error) => return Err(error),
        };
        match life.try_lock() {
            Ok(()) => Ok(InstanceState::Ended),
            Err(TryLockError::WouldBlock) => Ok(InstanceState::Alive),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn end(&self, id: &str) -> io::Result<()> {
        let Some(entry) = self.entry(id)? else { return Ok(()) };
        let process = entry.process.and_then(rustix::process::Pid::from_raw);
        // The lock says that the number is still the child's.
        if let (Some(process), InstanceState::Alive) = (process, self.state(id)?) {
            rustix::process::kill_process(process, rustix::process::Signal::KILL)?;
        }
        Ok(())
    }

    fn entry(&self, id: &str) -> io::Result<Option<Entry>> {
        match fs::read(self.folder.join(format!("{id}.json"))) {
            Ok(text) => Ok(Some(serde_json::from_slice(&text)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn save(&self, id: &str, entry: &Entry) -> io::Result<()> {
        atomic::write(&self.scratch, &self.folder.join(format!("{id}.json")), &serde_json::to_vec(entry)?)
    }

    fn life(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.life"))
    }

    /// One launch at a time, in all processes.
    fn lock(&self) -> io::Result<File> {
        let lock = File::options().create(true).write(true).truncate(false).open(self.folder.join("lock"))?;
        lock.lock()?;
        Ok(lock)
    }
}

fn instance_id(token: &str) -> String {
    format!("local-{}", hex::encode(&Sha256::digest(token.as_bytes())[..8]))
}

#[async_trait::async_trait]
impl Fleet for LocalFleet {
    async fn offers(&self) -> Result<Vec<Offer>, FleetError> {
        let cores = std::thread::available_parallelism().map_or(1, |n| u32::try_from(n.get()).unwrap_or(u32::MAX));
        // A person's own machine costs nothing, and its memory is the system's to give.
        Ok(vec![Offer { instance_type: TYPE.into(), cores, memory_mib: u64::MAX, usd_per_hour: Usd::ZERO }])
    }

    async fn launch(&self, request: &LaunchRequest) -> Result<Instance, FleetError> {
        self.start(request)
    }

    async fn list(&self) -> Result<Vec<Instance>, FleetError> {
        self.instances().map_err(|error| FleetError::Busy { call: "list", source: BoxError::from(error) })
    }

    async fn terminate(&self, instance: &str) -> Result<(), FleetError> {
        self.end(instance).map_err(|error| FleetError::Busy { call: "terminate", source: BoxError::from(error) })
    }
}
