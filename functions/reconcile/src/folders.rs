//! Recordings in many files: whose folder was quiet for long enough is announced.

use crate::{Deps, ReconcileError, Summary};
use dropscope_jobs::JobsError;
use dropscope_pipeline::{Begun, Listing, State, Timestamp, state_keys};
use dropscope_ports::Condition;

/// Looks at every folder that gathers, as far as it is time.
///
/// # Errors
/// The last of the errors that were met; every folder is looked at all the same.
pub(crate) async fn look(deps: &Deps, summary: &mut Summary) -> Result<(), ReconcileError> {
    let mut worst = Ok(());
    for id in dropscope_jobs::list_gathering(&*deps.objects).await? {
        summary.gathering += 1;
        match one(&id, deps, summary).await {
            Ok(()) => {}
            Err(ReconcileError::Jobs(JobsError::Broken { key, source })) => {
                tracing::error!(%key, %source, "the marker of a folder cannot be read");
            }
            Err(error) => worst = Err(error),
        }
    }
    worst
}

async fn one(id: &str, deps: &Deps, summary: &mut Summary) -> Result<(), ReconcileError> {
    let (objects, now) = (&*deps.objects, deps.clock.now());
    let Some(gathering) = dropscope_jobs::load_gathering(objects, id).await? else { return Ok(()) };
    if now < gathering.next_look {
        return Ok(());
    }
    let listing = dropscope_jobs::look_into(objects, &gathering.folder).await?;
    let begun = dropscope_jobs::load_begun(objects, &gathering.folder).await?;
    let worked_off = match &begun {
        Some(begun) => begun.digest == listing.digest() && is_judged(begun, deps).await?,
        None => gathering.is_abandoned(&listing, now),
    };
    if worked_off {
        return Ok(dropscope_jobs::settle_folder(objects, &gathering.folder, &listing, now).await?);
    }
    let (next, ripe) = gathering.looked(&listing, is_stated(&listing, begun.as_ref()), deps.patience.quiet, now);
    if ripe {
        summary.ripe += 1;
        announce(id, deps, now).await?;
    }
    Ok(dropscope_jobs::keep_gathering(objects, &next).await?)
}

/// Whether a `recording.toml` says that everything is there, and no run has begun with it.
fn is_stated(listing: &Listing, begun: Option<&Begun>) -> bool {
    let begins = begun.is_none_or(|begun| !begun.holds(listing));
    listing.statement.is_some() && !listing.members.is_empty() && begins
}

/// Whether validate is done with the run. One that it was cut short at goes on with the next announcement.
async fn is_judged(begun: &Begun, deps: &Deps) -> Result<bool, ReconcileError> {
    let job = dropscope_jobs::find_job(&*deps.objects, &begun.run).await?;
    Ok(job.is_some_and(|job| job.state != State::Received))
}

/// Written anew each time, an object is created anew each time.
async fn announce(id: &str, deps: &Deps, now: Timestamp) -> Result<(), ReconcileError> {
    let bytes = serde_json::json!({ "schema": 1, "folder": id, "at": now }).to_string().into_bytes();
    deps.objects.put(&state_keys::ripe(id), bytes, &Condition::Always).await?;
    Ok(())
}
