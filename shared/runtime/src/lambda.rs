//! A function under AWS Lambda: its environment, its answers, its errors.

use crate::environment::{Environment, EnvironmentError, OF_LAMBDA, Variable};
use crate::{Style, chain, start_logging};
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde_json::Value;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// One event.
#[derive(Debug)]
pub struct Call {
    /// What happened.
    pub event: Value,
    /// Until Lambda ends the call, from its beginning.
    pub remaining: Duration,
}

/// Why an event was not worked off: what Lambda is told, and then tries again, and in the end puts aside.
#[derive(Debug)]
pub struct Failure {
    /// A name that stays: alarms and tests go by it.
    pub kind: &'static str,
    /// The error with everything that led to it.
    pub message: String,
}

impl Failure {
    /// A failure of this kind.
    pub fn new(kind: &'static str, error: &dyn std::error::Error) -> Self {
        Self { kind, message: chain(error) }
    }
}

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        Self { error_type: failure.kind.to_owned(), error_message: failure.message }
    }
}

/// Reads the environment, makes what the function acts on, and works off events until Lambda ends the process.
///
/// A process that cannot start says why in one line and ends with exit code 1, which Lambda reports as a failed start.
pub async fn serve<D, Made, Handled>(
    variables: &[&'static Variable],
    make: impl FnOnce(Environment) -> Made,
    handle: impl Fn(Call, Arc<D>) -> Handled,
) -> ExitCode
where
    Made: Future<Output = Result<D, EnvironmentError>>,
    Handled: Future<Output = Result<Value, Failure>>,
{
    serving(variables, make, handle, true).await
}

/// The same, where answers hold what must not be logged, or strangers decide how many there are: the handler says what
/// is to be known.
pub async fn serve_quietly<D, Made, Handled>(
    variables: &[&'static Variable],
    make: impl FnOnce(Environment) -> Made,
    handle: impl Fn(Call, Arc<D>) -> Handled,
) -> ExitCode
where
    Made: Future<Output = Result<D, EnvironmentError>>,
    Handled: Future<Output = Result<Value, Failure>>,
{
    serving(variables, make, handle, false).await
}

async fn serving<D, Made, Handled>(
    variables: &[&'static Variable],
    make: impl FnOnce(Environment) -> Made,
    handle: impl Fn(Call, Arc<D>) -> Handled,
    tells: bool,
) -> ExitCode
where
    Made: Future<Output = Result<D, EnvironmentError>>,
    Handled: Future<Output = Result<Value, Failure>>,
{
    start_logging(Style::Json);
    let deps = match Environment::of_process(OF_LAMBDA.iter().chain(variables)) {
        Ok(environment) => make(environment).await,
        Err(error) => Err(error),
    };
    let deps = match deps {
        Ok(deps) => Arc::new(deps),
        Err(error) => return cannot("the function cannot start", &error),
    };
    let service = service_fn(|event: LambdaEvent<Value>| {
        let remaining = event.context.deadline().duration_since(SystemTime::now()).unwrap_or_default();
        let call = Call { event: event.payload, remaining };
        let (request, answer) = (event.context.request_id, handle(call, deps.clone()));
        async move {
            let answer = answer.await;
            match &answer {
                Ok(answer) if tells => tracing::info!(%request, %answer, "worked off"),
                Ok(_) => {}
                Err(failure) => tracing::error!(%request, kind = failure.kind, error = failure.message, "failed"),
            }
            answer
        }
    });
    match lambda_runtime::run(service).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => cannot("the runtime api does not answer", &*error),
    }
}

fn cannot(what: &'static str, error: &dyn std::error::Error) -> ExitCode {
    tracing::error!(error = chain(error), "{what}");
    ExitCode::FAILURE
}

/// The answer to an event: what became of each thing it told of, in words. One that loses nothing when it is put aside
/// (`is_harmless`) is refused by name, and not tried again; any other error has its `kind`.
///
/// # Errors
/// What the handler says, unless it is harmless.
pub fn answer<T: std::fmt::Display, E: std::error::Error>(
    handled: Result<Vec<T>, E>,
    is_harmless: impl Fn(&E) -> bool,
    kind: impl Fn(&E) -> &'static str,
) -> Result<Value, Failure> {
    match handled {
        Ok(outcomes) => Ok(serde_json::json!({ "outcomes": outcomes.iter().map(ToString::to_string).collect::<Vec<_>>() })),
        Err(error) if is_harmless(&error) => Ok(serde_json::json!({ "refused": chain(&error) })),
        Err(error) => Err(Failure::new(kind(&error), &error)),
    }
}
