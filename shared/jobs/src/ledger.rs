//! Money: reserved before a launch, settled after it.

use crate::documents::{JobsError, create, keys, read, to_bytes, update};
use dropscope_pipeline::budget::{Allowance, Budget, LedgerEntry, Refusal, attempt_id};
use dropscope_pipeline::timestamp::month_before;
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
    // A refusal is written like a grant: every other call for this attempt must hear the same.
    let mut answer = Ok(());
    change(objects, |budget| answer = budget.reserve_within(allowance, &id, amount, &job.owner, now)).await?;
    Ok(answer)
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
    // Decided in the one document that knows whether there is anything to settle; then there is one entry, and no other.
    let mut held = None;
    change(objects, |budget| held = budget.decide(&id, cost)).await?;
    let Some(held) = held else { return Ok(()) };
    let entry = LedgerEntry {
        schema: 1,
        attempt: id.clone(),
        owner: job.owner.clone(),
        key: job.upload.key.to_string(),
        reserved: held.amount,
        cost: held.cost.unwrap_or(held.amount),
        settled_at: now,
        reservation: held.number,
    };
    // The entry comes before the money: none is released without a record of it. Its month is the reservation's, so that a
    // repeated call at the turn of a month finds it.
    let key = state_keys::ledger_entry(&held.since.month(), &job.run, attempt);
    if !create(objects, &key, &to_bytes(&key, &entry)?).await?
        && let Some((known, _)) = read::<LedgerEntry>(objects, &key).await?
        && known.reservation != held.number
    {
        // The attempt was settled before, and a call that came late reserved for it once more: that started nothing.
        return change(objects, |budget| budget.forget(&id, held.number, now)).await;
    }
    change(objects, |budget| budget.settle(&id, held.number, now)).await
}

fn held(budget: &Budget, job: &Job) -> Vec<u32> {
    (1..=job.attempt).filter(|attempt| budget.reservations.contains_key(&attempt_id(&job.run, *attempt))).collect()
}

/// Gives back the whole reservation of the job's attempt, for which nothing was started.
///
/// # Errors
/// See [`JobsError`].
pub async fn release(objects: &dyn Objects, job: &Job, now: Timestamp) -> Result<(), JobsError> {
    let id = attempt_id(&job.run, job.attempt);
    change(objects, |budget| budget.release(&id, now)).await
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

/// Sets the most that may be spent and reserved in a month, by all or by one owner; none takes that cap away.
///
/// # Errors
/// See [`JobsError`].
pub async fn set_cap(objects: &dyn Objects, owner: Option<&str>, cap: Option<Usd>) -> Result<(), JobsError> {
    change(objects, |budget| budget.set_cap(owner, cap)).await
}

/// The budget as it stands.
///
/// # Errors
/// See [`JobsError`].
pub async fn load_budget(objects: &dyn Objects) -> Result<Budget, JobsError> {
    Ok(read(objects, &state_keys::budget()).await?.map(|(budget, _)| budget).unwrap_or_default())
}

/// Everything that was settled in a month such as `2026-11`, dearest first. An entry lies in the month of its reservation,
/// and a run lasts no month: two are looked through.
///
/// # Errors
/// See [`JobsError`].
pub async fn settled_in(objects: &dyn Objects, month: &str) -> Result<Vec<LedgerEntry>, JobsError> {
    let mut entries = Vec::new();
    for month in month_before(month).iter().map(String::as_str).chain([month]) {
        for key in keys(objects, &state_keys::ledger(month)).await? {
            entries.extend(read::<LedgerEntry>(objects, &key).await?.map(|(entry, _)| entry));
        }
    }
    entries.retain(|entry| entry.settled_at.month() == month);
    entries.sort_by(|a, b| b.cost.cmp(&a.cost).then_with(|| a.attempt.cmp(&b.attempt)));
    Ok(entries)
}

async fn change(objects: &dyn Objects, mut change: impl FnMut(&mut Budget)) -> Result<(), JobsError> {
    let decide = |budget: &Budget| {
        let mut next = budget.clone();
        change(&mut next);
        Ok::<_, std::convert::Infallible>(next)
    };
    update(objects, &state_keys::budget(), Some(Budget::default()), decide).await?;
    Ok(())
}
