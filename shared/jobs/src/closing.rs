//! What follows the end of a run: provenance.json, the mail, the money, no checkpoints. Anyone may do it, and again.

use crate::checkpoints::clear_checkpoints;
use crate::documents::{JobsError, create, to_bytes, update_job};
use crate::ledger::settle;
use crate::links::link;
use crate::open::unmark;
use crate::outbox::{Delivery, deliver};
use dropscope_pipeline::mail::{Where, due};
use dropscope_pipeline::{Door, Job, State, Timestamp};
use dropscope_ports::{Mailer, Objects};

/// How a run is closed.
pub struct Closing<'a> {
    /// The bucket.
    pub objects: &'a dyn Objects,
    /// The mail.
    pub mailer: &'a dyn Mailer,
    /// What stands before a key to make it an address.
    pub place: &'a str,
    /// Where the link leads that a mail gives to a report; none where mails give none.
    pub door: Option<&'a Door>,
    /// How long a mail stays in the hand of whoever began to send it, seconds.
    pub lease_seconds: u64,
    /// Whether the closer may write the budget; a worker may not.
    pub settles: bool,
}

/// Does whatever is missing after the end of a run. A run that goes on, or is closed, stays as it is.
///
/// Provenance follows the commit instead of going before it: only the attempt that committed can have it written.
///
/// # Errors
/// See [`JobsError`]; a later call goes on where this one stopped.
pub async fn close(closing: &Closing<'_>, job: &Job, now: Timestamp) -> Result<(), JobsError> {
    if job.closed || !job.state.is_final() {
        return Ok(());
    }
    let (mut cost, mut open) = (None, None);
    if let (State::Done(outcome), Some(results)) = (&job.state, job.results()) {
        let key = results.child("provenance.json");
        create(closing.objects, &key, &to_bytes(&key, &outcome.provenance)?).await?;
        cost = Some(outcome.cost);
        if let Some(door) = closing.door {
            open = link(closing.objects, door, &job.run, now).await?;
        }
    }
    // Money before mail: a mail that nobody takes must not keep what others could launch with.
    if closing.settles {
        settle(closing.objects, job, cost, now).await?;
    }
    if let Some(mail) = due(job, Where { place: closing.place, open: open.as_ref() })
        && deliver(closing.objects, closing.mailer, &mail, closing.lease_seconds, now).await? == Delivery::InHand
    {
        return Ok(());
    }
    // Nobody goes on with them. Last, since nobody waits for it.
    if job.attempt > 0 {
        clear_checkpoints(closing.objects, job).await?;
    }
    if closing.settles || job.attempt == 0 {
        update_job(closing.objects, &job.run, |current| current.closing()).await?;
        unmark(closing.objects, &job.run).await?;
    }
    Ok(())
}
