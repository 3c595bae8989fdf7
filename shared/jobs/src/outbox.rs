//! The outbox: a record before a mail is sent, a record after. A mail is never lost; at worst it is sent twice.

use crate::documents::{JobsError, create, keys, read, to_bytes};
use dropscope_pipeline::{Mail, ObjectKey, Timestamp, state_keys};
use dropscope_ports::{Mailer, Objects};
use serde::{Deserialize, Serialize};

/// A mail that is due, and since when somebody has been at it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Pending {
    schema: u32,
    mail: Mail,
    since: Timestamp,
}

/// Proof that a mail was sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Sent {
    schema: u32,
    id: String,
    at: Timestamp,
}

/// What became of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// It is sent, by this call or an earlier one.
    Sent,
    /// Somebody else has just begun to send it; whoever finds it unsent later sends it.
    InHand,
}

/// Delivers a mail once: whoever writes the outbox record sends it. A record older than `lease_seconds` belongs to
/// somebody who died, and is sent again.
///
/// # Errors
/// See [`JobsError`]; the record stays, so that a later call sends the mail.
pub async fn deliver(
    objects: &dyn Objects,
    mailer: &dyn Mailer,
    mail: &Mail,
    lease_seconds: u64,
    now: Timestamp,
) -> Result<Delivery, JobsError> {
    let (pending_key, sent_key) = (state_keys::outbox_pending(&mail.id), state_keys::outbox_sent(&mail.id));
    if read::<Sent>(objects, &sent_key).await?.is_some() {
        return Ok(Delivery::Sent);
    }
    let pending = Pending { schema: 1, mail: mail.clone(), since: now };
    let ours = create(objects, &pending_key, &to_bytes(&pending_key, &pending)?).await?;
    if !ours && in_hand(objects, &pending_key, lease_seconds, now).await? {
        return Ok(Delivery::InHand);
    }
    // Between the two looks somebody may have sent it and cleared its record, which made room for ours.
    if read::<Sent>(objects, &sent_key).await?.is_some() {
        objects.delete(&pending_key).await?;
        return Ok(Delivery::Sent);
    }
    mailer.send(mail).await?;
    let sent = Sent { schema: 1, id: mail.id.clone(), at: now };
    create(objects, &sent_key, &to_bytes(&sent_key, &sent)?).await?;
    objects.delete(&pending_key).await?;
    Ok(Delivery::Sent)
}

async fn in_hand(objects: &dyn Objects, pending: &ObjectKey, lease_seconds: u64, now: Timestamp) -> Result<bool, JobsError> {
    Ok(match read::<Pending>(objects, pending).await? {
        Some((pending, _)) => now < pending.since.plus_seconds(lease_seconds),
        // Gone between two looks: its sender has just finished.
        None => true,
    })
}

/// Sends every mail whose sender died. One that cannot be read or sent is logged, and keeps no other waiting.
///
/// # Errors
/// When the outbox cannot be listed.
pub async fn flush(objects: &dyn Objects, mailer: &dyn Mailer, lease_seconds: u64, now: Timestamp) -> Result<(), JobsError> {
    for key in keys(objects, state_keys::OUTBOX_PENDING).await? {
        if let Err(error) = flush_one(objects, mailer, &key, lease_seconds, now).await {
            tracing::error!(%key, %error, "a mail waits");
        }
    }
    Ok(())
}

async fn flush_one(
    objects: &dyn Objects,
    mailer: &dyn Mailer,
    key: &ObjectKey,
    lease_seconds: u64,
    now: Timestamp,
) -> Result<(), JobsError> {
    if let Some((pending, _)) = read::<Pending>(objects, key).await? {
        if read::<Sent>(objects, &state_keys::outbox_sent(&pending.mail.id)).await?.is_some() {
            objects.delete(key).await?;
        } else {
            deliver(objects, mailer, &pending.mail, lease_seconds, now).await?;
        }
    }
    Ok(())
}
