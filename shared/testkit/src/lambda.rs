//! AWS Lambda's side of a function: the Runtime API (Lambda guide, runtimes-api), and the process that polls it.

use crate::http;
use serde_json::Value;
use std::collections::VecDeque;
use std::io::{self, Read};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A function that does not answer for so long is stuck.
const PATIENCE: Duration = Duration::from_secs(120);

/// What became of an invocation.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// The function's answer.
    Response(Value),
    /// The function's error.
    Error {
        /// Its type.
        kind: String,
        /// Its message.
        message: String,
    },
}

#[derive(Default)]
struct State {
    waiting: VecDeque<(u64, Vec<u8>)>,
    answers: Vec<(u64, Answer)>,
    first_poll: Option<Instant>,
    invoked: u64,
}

#[derive(Clone, Default)]
struct Shared(Arc<(Mutex<State>, Condvar)>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `ready` finds what it looks for, or patience ends.
    fn wait<T>(&self, ready: impl Fn(&mut State) -> Option<T>) -> Option<T> {
        let (end, mut state) = (Instant::now() + PATIENCE, self.lock());
        loop {
            if let Some(found) = ready(&mut state) {
                return Some(found);
            }
            let left = end.checked_duration_since(Instant::now())?;
            state = self.0.1.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.0.1.notify_all();
    }
}

/// A function's process and the Runtime API that it polls; both end with this value.
pub struct Function {
    child: Child,
    started: Instant,
    shared: Shared,
    log: Arc<Mutex<Vec<u8>>>,
}

impl Function {
    /// Starts `program` with nothing in its environment but what Lambda sets and `environment`.
    ///
    /// # Errors
    /// When there is no loopback, or the program cannot be started.
    pub fn start(program: &Path, environment: &[(&str, &str)]) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let (address, shared) = (listener.local_addr()?, Shared::default());
        let served = shared.clone();
        http::serve(listener, move |request| answer(&request.path, &request.body, &served));
        let started = Instant::now();
        let mut child = Command::new(program)
            .env_clear()
            .envs(of_lambda(address))
            .envs(environment.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let log = Arc::new(Mutex::new(Vec::new()));
        if let Some(mut stderr) = child.stderr.take() {
            let log = log.clone();
            std::thread::spawn(move || {
                let mut piece = [0; 4096];
                while let Ok(n @ 1..) = stderr.read(&mut piece) {
                    log.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&piece[..n]);
                }
            });
        }
        Ok(Self { child, started, shared, log })
    }

    /// Seconds from start to the first poll for an event.
    ///
    /// # Errors
    /// When it never polls.
    pub fn first_poll(&self) -> io::Result<Duration> {
        let polled = self.shared.wait(|state| state.first_poll);
        polled.map(|at| at - self.started).ok_or_else(|| self.stuck())
    }

    /// Invokes it with one event and waits for what becomes of it.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn invoke(&self, event: &Value) -> io::Result<Answer> {
        let mut id = 0;
        self.shared.change(|state| {
            state.invoked += 1;
            id = state.invoked;
            state.waiting.push_back((id, event.to_string().into_bytes()));
        });
        let answer = self.shared.wait(|state| {
            let at = state.answers.iter().position(|(of, _)| *of == id)?;
            Some(state.answers.swap_remove(at).1)
        });
        answer.ok_or_else(|| self.stuck())
    }

    /// Memory that it holds at most so far, bytes (Linux: `VmHWM`).
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn peak_memory(&self) -> io::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
        kib.map(|kib| kib * 1024).ok_or_else(|| io::Error::other("no VmHWM"))
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn end(&mut self) -> io::Result<(ExitStatus, String)> {
        let status = self.child.wait()?;
        // Its last words may still be on their way through the pipe.
        std::thread::sleep(Duration::from_millis(100));
        Ok((status, self.log()))
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&self.log.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }

    fn stuck(&self) -> io::Error {
        io::Error::new(io::ErrorKind::TimedOut, format!("the function does not answer; its log: {}", self.log()))
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn of_lambda(address: SocketAddr) -> [(&'static str, String); 7] {
    [
        ("AWS_LAMBDA_RUNTIME_API", address.to_string()),
        ("AWS_LAMBDA_FUNCTION_NAME", "function".into()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1024".into()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".into()),
        ("AWS_REGION", "eu-central-1".into()),
        ("AWS_ACCESS_KEY_ID", "dropscope".into()),
        ("AWS_SECRET_ACCESS_KEY", "dropscope".into()),
    ]
}

fn answer(path: &str, body: &[u8], shared: &Shared) -> Vec<u8> {
    let rest = path.trim_start_matches("/2018-06-01/runtime/");
    if rest == "invocation/next" {
        return next(shared);
    }
    let (id, what) = rest.trim_start_matches("invocation/").split_once('/').unwrap_or_default();
    let value: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let answer = match what {
        "response" => Answer::Response(value.clone()),
        _ => Answer::Error { kind: text("errorType"), message: text("errorMessage") },
    };
    shared.change(|state| state.answers.push((id.parse().unwrap_or_default(), answer)));
    http::response("202 Accepted", &[], b"")
}

/// The next event; the function waits for it as long as it takes.
fn next(shared: &Shared) -> Vec<u8> {
    shared.change(|state| {
        state.first_poll.get_or_insert_with(Instant::now);
    });
    let (id, event) = loop {
        if let Some(found) = shared.wait(|state| state.waiting.pop_front()) {
            break found;
        }
    };
    let deadline = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default() + PATIENCE;
    let (id, deadline) = (id.to_string(), deadline.as_millis().to_string());
    let headers = [
        ("Lambda-Runtime-Aws-Request-Id", id.as_str()),
        ("Lambda-Runtime-Deadline-Ms", deadline.as_str()),
        ("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-central-1:111122223333:function:f"),
        ("Lambda-Runtime-Trace-Id", "Root=1-00000000-000000000000000000000000"),
    ];
    http::response("200 OK", &headers, &event)
}
