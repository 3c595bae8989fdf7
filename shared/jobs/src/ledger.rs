//! Money: reserved before a launch, settled after it.

use crate::documents::{Changed, JobsError, create, read, to_bytes, update};
use dropscope_pipeline::budget::{Budget, LedgerEntry, Refusal, attempt_id};
use dropscope_pipeline::{Job, Timestamp, Usd, state_keys};
use dropscope_ports::Objects;

/// Reserves the most that the job's attempt can cost. The inner result is the refusal, in words for the owner.
///
/// # Errors
/// See [`JobsError`].
pub async fn reserve(objects: &dyn Objects, job: &Job, amount: Usd, now: Timestamp) -> Result<Result<(), Refusal>, JobsError> {
    let id = attempt_id(&job.run, job.attempt);
    let decide = |budget: &Budget| {
        let mut next = budget.clone();
        next.reserve(&id, amount, &job.owner, now)?;
        Ok(next)
    };
    match update(objects, &state_keys::budget(), Some(Budget::default()), decide).await? {
        Changed::Now(_) => Ok(Ok(())),
        Changed::Refused(_, refusal) => Ok(Err(refusal)),
    }
}

/// Settles everything that a run still holds: `cost` for the attempt that committed, the whole reservation for any
/// other, since what is uncertain counts as spent. A run that holds nothing is settled already.
///
/// # Errors
/// See [`JobsError`].
pub async fn settle(objects: &dyn Objects, job: &Job, cost: Option<Usd>, now: Timestamp) -> Result<(), JobsError> {
    let Some((budget, _)) = read::<Budget>(objects, &state_keys::budget()).await? else { return Ok(()) };
    for attempt in 1..=job.attempt {
        let id = attempt_id(&job.run, attempt);
        let Some(held) = budget.reservations.get(&id) else { continue };
        let cost = cost.filter(|_| attempt == job.attempt).unwrap_or(held.amount);
        let entry = LedgerEntry {
            schema: 1,
            attempt: id,
            owner: job.owner.clone(),
            key: job.upload.key.to_string(),
            reserved: held.amount,
            cost,
            settled_at: now,
        };
        // The entry comes first: money is never released without a record of it.
        let key = state_keys::ledger_entry(&now.month(), &job.run, attempt);
        create(objects, &key, &to_bytes(&key, &entry)?).await?;
        give_back(objects, &entry.attempt, cost, now).await?;
    }
    Ok(())
}

/// Gives back the whole reservation of the job's attempt, for which nothing was started.
///
/// # Errors
/// See [`JobsError`].
pub async fn release(objects: &dyn Objects, job: &Job, now: Timestamp) -> Result<(), JobsError> {
    give_back(objects, &attempt_id(&job.run, job.attempt), Usd::ZERO, now).await
}

async fn give_back(objects: &dyn Objects, attempt: &str, cost: Usd, now: Timestamp) -> Result<(), JobsError> {
    let decide = |budget: &Budget| {
        let mut next = budget.clone();
        next.settle(attempt, cost, now);
        Ok::<_, std::convert::Infallible>(next)
    };
    update(objects, &state_keys::budget(), Some(Budget::default()), decide).await?;
    Ok(())
}
