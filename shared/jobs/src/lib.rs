//! Job, budget and outbox records over the objects port: read, decide, write conditionally, again if somebody was first.

mod closing;
mod documents;
mod ledger;
mod outbox;

pub use closing::{Closing, close};
pub use documents::{Changed, JobsError, create_job, find_job, list_jobs, load_job, update_job};
pub use ledger::{release, reserve, settle};
pub use outbox::{Delivery, deliver, flush};
