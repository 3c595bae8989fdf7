//! The open function: the address behind the link of a mail. Anybody may call it; whoever has a link that holds is sent on to
//! the report of its run, and everybody else gets one and the same answer.
//!
//! A link holds when the key in the bucket's state signed it ([`dropscope_pipeline::link`]), its end has not come, and neither
//! it nor its run is revoked. What can be refused without the state is refused so: a flood of guesses reads nothing, and logs
//! nothing.

mod answer;

pub use answer::Answer;

use dropscope_jobs::JobsError;
use dropscope_pipeline::link::{BadLink, Claim};
use dropscope_pipeline::{ObjectKey, RunId, State};
use dropscope_ports::retry::patiently;
use dropscope_ports::{Clock, Objects, ObjectsError, Select, Sharing};
use dropscope_runtime::environment::{BUCKET, Variable};
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;

/// What the program needs to be told by its environment.
pub const VARIABLES: &[&Variable] = &[&BUCKET];

/// How long the address lives that a link leads to, seconds: a browser follows it at once.
const ON_SECONDS: u64 = 300;
const REPORT: &str = "report.html";

/// What open may touch.
pub struct Deps {
    /// The bucket.
    pub objects: Arc<dyn Objects>,
    /// Links to its objects.
    pub sharing: Arc<dyn Sharing>,
    /// Clock.
    pub clock: Arc<dyn Clock>,
}

/// A call that was not answered. None of them depends on what a stranger sends.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Not what a function URL sends: somebody invoked the function itself.
    #[error("the event is not a request to a function url")]
    Event(#[source] serde_json::Error),
    /// Links or job cannot be read.
    #[error("the state cannot be read")]
    State(#[from] JobsError),
    /// The report cannot be looked at, or no address made for it.
    #[error("the bucket does not answer")]
    Store(#[from] ObjectsError),
}

impl OpenError {
    /// A name that stays: alarms go by it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Event(_) => "Event",
            Self::State(_) => "State",
            Self::Store(_) => "Store",
        }
    }
}

/// Why a request gets nothing: for the log alone.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("it asks for no link")]
    NoLink,
    #[error(transparent)]
    Bad(#[from] BadLink),
    #[error("no link was ever signed, or the key may not be read")]
    NoKey,
    #[error("the run is not there, or may not be read")]
    NoRun,
    #[error("the run is not done")]
    NotDone,
    #[error("the run has no report, or none that may be read")]
    NoReport,
}

/// A request to a function URL (Lambda guide, urls-invocation, payload 2.0), as far as it matters.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    raw_path: String,
    request_context: Context,
}

#[derive(Deserialize)]
struct Context {
    http: Http,
}

#[derive(Deserialize)]
struct Http {
    method: String,
}

/// Answers one request.
///
/// # Errors
/// See [`OpenError`]; AWS Lambda makes it a 502.
pub async fn handle(event: &Value, deps: &Deps) -> Result<Answer, OpenError> {
    let request = Request::deserialize(event).map_err(OpenError::Event)?;
    let claim = match claim(&request, deps) {
        Ok(claim) => claim,
        Err(why) => {
            tracing::debug!(%why, "refused");
            return Ok(Answer::refused());
        }
    };
    let run = match proven(&claim, deps).await? {
        Ok(run) => run,
        Err(why) => return Ok(refused(&why, None)),
    };
    match report(run, deps).await? {
        Ok(report) => {
            let address = deps.sharing.link(&report, ON_SECONDS).await?;
            tracing::info!(%run, "opened");
            Ok(Answer::on_to(address))
        }
        Err(why) => Ok(refused(&why, Some(run))),
    }
}

/// The token is all of the path. Whoever asks for a head asks whether there is a page.
fn claim(request: &Request, deps: &Deps) -> Result<Claim, Refusal> {
    if !matches!(request.request_context.http.method.as_str(), "GET" | "HEAD") {
        return Err(Refusal::NoLink);
    }
    let token = request.raw_path.strip_prefix('/').filter(|token| !token.is_empty()).ok_or(Refusal::NoLink)?;
    Ok(Claim::read(token, deps.clock.now())?)
}

async fn proven<'a>(claim: &'a Claim, deps: &Deps) -> Result<Result<&'a RunId, Refusal>, OpenError> {
    let links = found(dropscope_jobs::find_links(&*deps.objects).await)?;
    Ok(links.ok_or(Refusal::NoKey).and_then(|links| Ok(links.opens(claim)?)))
}

/// The report of a run that is done, where it is there.
async fn report(run: &RunId, deps: &Deps) -> Result<Result<ObjectKey, Refusal>, OpenError> {
    let Some(job) = found(dropscope_jobs::find_job(&*deps.objects, run).await)? else { return Ok(Err(Refusal::NoRun)) };
    let (State::Done(_), Some(results)) = (&job.state, job.results()) else { return Ok(Err(Refusal::NotDone)) };
    let (report, whole) = (results.child(REPORT), Select::default());
    match patiently(|| deps.objects.head(&report, &whole)).await {
        Ok(_) => Ok(Ok(report)),
        Err(ObjectsError::NotFound { .. } | ObjectsError::Denied { .. }) => Ok(Err(Refusal::NoReport)),
        Err(error) => Err(error.into()),
    }
}

/// Who may not list a bucket is denied what is not there: to open, which lists nothing, both are the same.
fn found<T>(read: Result<Option<T>, JobsError>) -> Result<Option<T>, OpenError> {
    match read {
        Err(JobsError::Store(ObjectsError::Denied { .. })) => Ok(None),
        other => Ok(other?),
    }
}

fn refused(why: &Refusal, run: Option<&RunId>) -> Answer {
    match run {
        Some(run) => tracing::info!(%run, %why, "refused"),
        None => tracing::info!(%why, "refused"),
    }
    Answer::refused()
}
