//! AWS on loopback for a program that speaks to it: the own S3 endpoint, and EC2 and SNS by moto.

use crate::events::Row;
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
/// Where the links of mails lead.
pub const OPEN_URL: &str = "https://0123456789abcdefghijklmnopqrstuv.lambda-url.eu-central-1.on.aws/";
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
            ("DROPSCOPE_OWNER_CAP_USD", "0".into()),
            ("DROPSCOPE_MAX_INSTANCES", "4".into()),
            ("DROPSCOPE_ON_DEMAND", "stop".into()),
            ("DROPSCOPE_DISK_GIB", "100".into()),
            ("DROPSCOPE_ON_DEMAND_FALLBACK", "no".into()),
            ("DROPSCOPE_OPEN_URL", OPEN_URL.into()),
            ("DROPSCOPE_LINK_DAYS", "14".into()),
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

/// The laws that every program for AWS Lambda keeps. Each panics, through `assert`, when it does not hold: for tests.
pub mod laws {
    use super::{World, as_told};
    use crate::events::{payload, rows_of};
    use crate::lambda::Function;
    use dropscope_ports::BoxError;
    use std::path::Path;

    /// Every payload that concerns the function `name` ends as `events/INDEX.md` says, in the order of that table.
    ///
    /// # Errors
    /// When a payload cannot be read, or the function does not answer.
    pub fn every_payload_ends_as_the_index_says(name: &str, program: &str, folder: &Path) -> Result<(), BoxError> {
        let world = World::start(folder)?;
        let function = world.function(program)?;
        let rows = rows_of(name)?;
        assert!(!rows.is_empty(), "no payload concerns {name}");
        for row in rows {
            let answer = function.invoke(&payload(&row.file)?)?;
            assert!(as_told(&row, &answer), "{}: {answer:?} is not `{}`\n{}", row.file, row.outcome, function.log());
        }
        Ok(())
    }

    /// A start with nothing in the environment ends with exit code 1 and one line that names every variable.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn a_start_without_configuration_names_all_that_is_missing(program: &str, variables: &[&str]) -> Result<(), BoxError> {
        let mut function = Function::start(program.as_ref(), &[])?;
        let (status, log) = function.end()?;
        assert_eq!(status.code(), Some(1), "{log}");
        for variable in variables {
            assert!(log.contains(variable), "{variable} is not named: {log}");
        }
        assert_eq!(log.lines().count(), 1, "one error: {log}");
        Ok(())
    }
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
