//! Job, budget and outbox records over the objects port: read, decide, write conditionally, again if somebody was first.

mod checkpoints;
mod closing;
mod documents;
mod folders;
mod ledger;
mod links;
mod open;
mod outbox;
mod source;

pub use checkpoints::{checkpoint, clear_checkpoints, list_checkpoints};
pub use closing::{Closing, close};
pub use documents::{Changed, JobsError, create_job, find_job, list_jobs, load_job, update_job};
pub use folders::{
    begin, gather, keep_gathering, list_gathering, load_begun, load_frozen, load_gathering, look_into, settle_folder,
};
pub use ledger::{freeze, load_budget, release, reserve, set_cap, settle, settle_attempt, settled_in, thaw};
pub use links::{find_links, make_links, revoke_links};
pub use open::{list_open_jobs, mark_open};
pub use outbox::{Delivery, deliver, flush};
pub use source::{Input, Source};
