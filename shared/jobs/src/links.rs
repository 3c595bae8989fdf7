//! What signs the links in mails, and which are revoked: one document, so that a check is one read.

use crate::documents::{Changed, JobsError, create, read, to_bytes, update};
use dropscope_pipeline::link::{Link, LinkKey};
use dropscope_pipeline::{Door, Links, RunId, Timestamp, state_keys};
use dropscope_ports::Objects;
use std::convert::Infallible;

/// The links of the bucket; none before the key was made.
///
/// # Errors
/// See [`JobsError`].
pub async fn find_links(objects: &dyn Objects) -> Result<Option<Links>, JobsError> {
    Ok(read(objects, &state_keys::links()).await?.map(|(links, _)| links))
}

/// Makes the key of the bucket, where there is none. Whoever is first makes it; it stays until somebody revokes all links.
///
/// # Errors
/// See [`JobsError`].
pub async fn make_links(objects: &dyn Objects, now: Timestamp) -> Result<(), JobsError> {
    let key = state_keys::links();
    if find_links(objects).await?.is_none() {
        create(objects, &key, &to_bytes(&key, &Links::new(new_key()?, now))?).await?;
    }
    Ok(())
}

/// Revokes the links of one run, sent before or to be sent, or all that were sent so far. Both hold from the next click on.
///
/// # Errors
/// See [`JobsError`].
pub async fn revoke_links(objects: &dyn Objects, run: Option<&RunId>, now: Timestamp) -> Result<Links, JobsError> {
    // Decided on again after a lost answer, it is the same key.
    let key = new_key()?;
    let step = |links: &Links| match run {
        Some(run) => Ok::<_, Infallible>(links.without(run, now)),
        None => Ok(links.renewed(key.clone(), now)),
    };
    match update(objects, &state_keys::links(), Some(Links::new(key.clone(), now)), step).await? {
        Changed::Now(links) | Changed::Refused(links, _) => Ok(links),
    }
}

/// The link of a run for its mail. A mail without one still says where the results are, so nothing that lasts keeps it
/// waiting: no key yet, none that may be read, a document that is broken.
///
/// # Errors
/// When the store does not answer now.
pub(crate) async fn link(objects: &dyn Objects, door: &Door, run: &RunId, now: Timestamp) -> Result<Option<Link>, JobsError> {
    match find_links(objects).await {
        Ok(Some(links)) => Ok(door.link(&links, run, now)),
        Ok(None) => {
            tracing::warn!(%run, "no key signs links yet: the mail has none");
            Ok(None)
        }
        Err(JobsError::Store(error)) if error.is_transient() => Err(error.into()),
        Err(error @ (JobsError::Store(_) | JobsError::Broken { .. })) => {
            tracing::error!(%run, %error, "the key of links cannot be read: the mail has none");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn new_key() -> Result<LinkKey, JobsError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(LinkKey::new(bytes))
}

#[cfg(test)]
#[path = "links_tests.rs"]
mod tests;
