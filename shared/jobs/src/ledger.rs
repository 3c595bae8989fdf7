//! Money: reserved before a launch, settled after it.

use crate::documents::{Changed, JobsError, create, read, to_bytes, update};
use dropscope_pipeline::budget::{Allowance, Budget, LedgerEntry, Refusal, attempt_id};
use dropscope_pipeline::{Job, Timestamp, Usd, state_keys};
use dropscope_ports::Objects;

/// Reserves the most that the job's attempt can cost, within what the deployment allows. The inner result is the
/// refusal, in words for the owner.
///
/// # Errors
/// See [`JobsError`].
pub async fn reserve(
    objects: &dyn Objects,
    job: &Job,
    amount: Usd,
    allowance: &Allowance,
    now: Timestamp,
) -> Result<Result<(), Refusal>, JobsError> {
    let id = attempt_id(&job.run, job.attempt);
    let decide = |budget: &Budget| {
        let mut next = budget.clone();
        next.reserve_within(allowance, &id, amount, &job.owner, now)?;
        Ok(next)
    };
    match update(objects, &state_keys::budget(), Some(Budget::default()), decide).await? {
        Changed::Now(_) => Ok(Ok(())),
        Changed::Refused(_, refusal) => Ok(Err(refusal)),
    }
}

/// Settles everything that an ended run still holds: `cost` for the attempt that committed, the whole reservation for
/// any other. A run that holds nothing is settled already.
///
/// # Errors
/// See [`JobsError`].
pub async fn settle(objects: &dyn Objects, job: &Job, cost: Option<Usd>, now: Timestamp) -> Result<(), JobsError> {
    for attempt in held(&load_budget(objects).await?, job) {
        settle_attempt(objects, job, attempt, cost.filter(|_| attempt == job.attempt), now).await?;
    }
    Ok(())
}

/// Settles one attempt to what it cost, or to all that it holds when nobody knows: what is uncertain counts as spent.
///
/// # Errors
/// See [`JobsError`].
pub async fn settle_attempt(
    objects: &dyn Objects,
    job: &Job,
    attempt: u32,
    cost: Option<Usd>,
    now: Timestamp,
) -> Result<(), JobsError> {
    let id = attempt_id(&job.run, attempt);
    let budget = load_budget(objects).await?;
    let Some(held) = budget.reservations.get(&id) else { return Ok(()) };
    let cost = cost.unwrap_or(held.amount);
    let entry = LedgerEntry {
        schema: 1,
        attempt: id,
        owner: job.owner.clone(),
        key: job.upload.key.to_string(),
        reserved: held.amount,
        cost,
        settled_at: now,
    };
    // The entry comes first: money is never released without a record of it. Its month is the reservation's, so that a
    // repeated call at the turn of a month finds it.
    let key = state_keys::ledger_entry(&held.since.month(), &job.run, attempt);
    create(objects, &key, &to_bytes(&key, &entry)?).await?;
    give_back(objects, &entry.attempt, cost, now).await
}

fn held(budget: &Budget, job: &Job) -> Vec<u32> {
    (1..=job.attempt).filter(|attempt| budget.reservations.contains_key(&attempt_id(&job.run, *attempt))).collect()
}

/// Gives back the whole reservation of the job's attempt, for which nothing was started.
///
/// # Errors
/// See [`JobsError`].
pub async fn release(objects: &dyn Objects, job: &Job, now: Timestamp) -> Result<(), JobsError> {
    give_back(objects, &attempt_id(&job.run, job.attempt), Usd::ZERO, now).await
}

/// Stops all launches.
///
/// # Errors
/// See [`JobsError`].
pub async fn freeze(objects: &dyn Objects, why: &str, now: Timestamp) -> Result<(), JobsError> {
    change(objects, |budget| budget.freeze(why, now)).await
}

/// Lets launches go again.
///
/// # Errors
/// See [`JobsError`].
pub async fn thaw(objects: &dyn Objects, now: Timestamp) -> Result<(), JobsError> {
    change(objects, |budget| budget.thaw(now)).await
}

/// Sets the most that may be spent and reserved in a month; none takes the cap away.
///
/// # Errors
/// See [`JobsError`].
pub async fn set_cap(objects: &dyn Objects, cap: Option<Usd>) -> Result<(), JobsError> {
    change(objects, |budget| budget.cap = cap).await
}

/// The budget as it stands.
///
/// # Errors
/// See [`JobsError`].
pub async fn load_budget(objects: &dyn Objects) -> Result<Budget, JobsError> {
    Ok(read(objects, &state_keys::budget()).await?.map(|(budget, _)| budget).unwrap_or_default())
}

async fn change(objects: &dyn Objects, change: impl Fn(&mut Budget)) -> Result<(), JobsError> {
    let decide = |budget: &Budget| {
        let mut next = budget.clone();
        change(&mut next);
        Ok::<_, std::convert::Infallible>(next)
    };
    update(objects, &state_keys::budget(), Some(Budget::default()), decide).await?;
    Ok(())
}

async fn give_back(objects: &dyn Objects, attempt: &str, cost: Usd, now: Timestamp) -> Result<(), JobsError> {
    change(objects, |budget| budget.settle(attempt, cost, now)).await
}
