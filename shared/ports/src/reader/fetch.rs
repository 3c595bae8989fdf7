//! One request: sent as a task of the runtime, its answer checked, its end told whatever happens.

use super::shared::Shared;
use crate::objects::{Object, ObjectsError, Select};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// What is asked of the store.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) range: Range<u64>,
    pub(super) id: u64,
    /// Room for the answer.
    pub(super) buffer: Vec<u8>,
    /// Ends when nobody wants the answer any more.
    pub(super) cancelled: oneshot::Receiver<()>,
}

/// An answer that cannot be used; another may be.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    /// The body has another length than the range.
    #[error("the store sent `{sent}` bytes where `{asked}` were asked for")]
    Length { sent: usize, asked: u64 },
    /// Nothing came in time.
    #[error("the store did not send `{bytes}` bytes within {} seconds", limit.as_secs())]
    Stalled { bytes: u64, limit: Duration },
    /// The runtime was shut down, or the port failed in its own way.
    #[error("the request was cut short")]
    Ended,
}

/// Tells the reader how a request ended, also when its task is dropped half way.
struct Report {
    shared: Arc<Shared>,
    start: u64,
    id: u64,
    result: Option<Result<Vec<u8>, ObjectsError>>,
}

impl Drop for Report {
    fn drop(&mut self) {
        self.shared.settle(self.start, self.id, self.result.take());
    }
}

/// Sends the order, and gives its answer to the blocks. The report is there before the task first runs: a runtime that was
/// shut down drops it without.
pub(super) fn fetch(shared: Arc<Shared>, order: Order) -> impl Future<Output = ()> + Send {
    let report = Report { shared, start: order.range.start, id: order.id, result: None };
    send(report, order)
}

async fn send(mut report: Report, order: Order) {
    let Order { range, buffer, cancelled, .. } = order;
    let shared = report.shared.clone();
    let asked = range.end - range.start;
    let meta = &shared.meta;
    let select = Select { version: meta.version.clone(), if_match: Some(meta.etag.clone()), range: Some(range) };
    let answer = tokio::select! {
        biased;
        _ = cancelled => return,
        answer = shared.objects.get_into(&meta.key, &select, buffer) => answer,
    };
    report.result = Some(answer.and_then(|object| shared.checked(object, asked)));
}

impl Shared {
    /// The bytes of an answer, if they are those that were asked for.
    fn checked(&self, object: Object, asked: u64) -> Result<Vec<u8>, ObjectsError> {
        if object.meta.etag != self.meta.etag {
            return Err(ObjectsError::Precondition { key: self.meta.key.clone() });
        }
        let sent = object.bytes.len();
        if sent as u64 == asked { Ok(object.bytes) } else { Err(self.busy(Broken::Length { sent, asked })) }
    }

    /// An error that another try may mend.
    pub(super) fn busy(&self, source: Broken) -> ObjectsError {
        ObjectsError::Busy { key: self.meta.key.clone(), source: Box::new(source) }
    }
}
