//! AWS on loopback for a program that speaks to it: the own S3 endpoint, and EC2 and SNS by moto.

use crate::events::{Row, payload, rows_of};
use crate::lambda::{Answer, Function};
use crate::moto::{Moto, MotoError};
use dropscope_local::LocalStore;
use dropscope_local::s3::{Credentials, Rights, serve};
use std::io;
use std::path::Path;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// The bucket of the payloads in `events/`.
pub const BUCKET: &str = "calcium-uploads-111122223333";
/// The topic of AWS Budgets in them.
pub const ALERT_TOPIC: &str = "arn:aws:sns:eu-central-1:111122223333:calcium-budget-alerts";
/// The account in them.
pub const ACCOUNT: &str = "111122223333";
/// Key and secret of everybody.
const KEY: &str = "dropscope";

/// The services, and what a function of the stack is told by its environment; all of it ends with this value.
pub struct World {
    /// The bucket [`BUCKET`].
    pub store: LocalStore,
    /// EC2 and SNS.
    pub moto: Moto,
    endpoint: String,
    _server: Runtime,
}

/// Why there is no world.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// No folder, no loopback, no thread.
    #[error("this machine cannot serve a bucket")]
    Machine(#[from] io::Error),
    /// No EC2 and SNS.
    #[error("there is no moto")]
    Moto(#[from] MotoError),
}

impl World {
    /// Starts the services with an empty folder as the bucket.
    ///
    /// # Errors
    /// See [`WorldError`].
    pub fn start(folder: &Path) -> Result<Self, WorldError> {
        let store = LocalStore::open(folder, BUCKET)?;
        let server = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let listener = server.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let credentials = Credentials { access_key: KEY.into(), secret_key: KEY.into(), rights: Rights::Stack };
        server.spawn(serve(listener, store.clone(), credentials, std::future::pending()));
        Ok(Self { store, moto: Moto::start()?, endpoint, _server: server })
    }

    /// What every function of the stack is told, and more than any one of them needs.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let place = &self.moto.place;
        vec![
            ("AWS_REGION", place.region.clone()),
            ("AWS_ACCESS_KEY_ID", KEY.into()),
            ("AWS_SECRET_ACCESS_KEY", KEY.into()),
            ("AWS_ENDPOINT_URL_S3", self.endpoint.clone()),
            ("AWS_ENDPOINT_URL_SNS", place.endpoint.clone()),
            ("AWS_ENDPOINT_URL_EC2", place.endpoint.clone()),
            ("DROPSCOPE_BUCKET", BUCKET.into()),
            ("DROPSCOPE_TOPIC_ARN", place.topic.clone()),
            ("DROPSCOPE_ALERT_TOPIC_ARN", ALERT_TOPIC.into()),
            ("DROPSCOPE_ACCOUNT", ACCOUNT.into()),
            ("DROPSCOPE_STACK", "lab".into()),
            ("DROPSCOPE_LAUNCH_TEMPLATE", place.template.clone()),
            ("DROPSCOPE_SUBNETS", place.subnets.join(",")),
            ("DROPSCOPE_MONTHLY_CAP_USD", "20".into()),
            ("DROPSCOPE_MAX_INSTANCES", "4".into()),
            ("DROPSCOPE_DISK_GIB", "100".into()),
        ]
    }

    /// Starts a function of the stack.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn function(&self, program: &str) -> io::Result<Function> {
        let environment = self.environment();
        let environment: Vec<(&str, &str)> = environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
        Function::start(Path::new(program), &environment)
    }
}

/// Invokes a function with every payload that concerns it, in the order of `events/INDEX.md`, and tells what did not
/// end as that table says.
///
/// # Errors
/// When a payload cannot be read, or the function does not answer.
pub fn replay(name: &str, function: &Function) -> io::Result<Replayed> {
    let mut replayed = Replayed::default();
    for row in rows_of(name)? {
        let answer = function.invoke(&payload(&row.file)?)?;
        replayed.count += 1;
        if !as_told(&row, &answer) {
            replayed.wrong.push(format!("{}: {answer:?} is not `{}`", row.file, row.outcome));
        }
    }
    Ok(replayed)
}

/// How a replay went.
#[derive(Debug, Default)]
pub struct Replayed {
    /// Payloads.
    pub count: usize,
    /// Those that ended otherwise than told.
    pub wrong: Vec<String>,
}

fn as_told(row: &Row, answer: &Answer) -> bool {
    let (kind, words) = row.outcome.split_once(": ").unwrap_or((&row.outcome, ""));
    match (kind, answer) {
        ("done", Answer::Response(value)) => value.get("refused").is_none() && value.to_string().contains(words),
        ("refused", Answer::Response(value)) => {
            value.get("refused").and_then(serde_json::Value::as_str).is_some_and(|why| why.contains(words))
        }
        ("failed", Answer::Error { kind, .. }) => kind == words,
        _ => false,
    }
}
