//! Links in mails: a token that names a run and an end, signed, so that whoever made no mail makes no link.
//!
//! A token is URL-safe base64 of `version (1 byte), end (8, seconds since 1970), run (its text), tag (32)`. The tag is
//! HMAC-SHA-256 (RFC 2104) of all before it, under a key that only the state of the bucket holds.

use crate::{RunId, Timestamp};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::collections::BTreeMap;

/// What tokens of this shape begin with.
const VERSION: u8 = 1;
const END: usize = 8;
const TAG: usize = 32;
/// More text than any token has is not even decoded.
const LONGEST: usize = 128;
const DAY_SECONDS: u64 = 86_400;

/// What signs links: 32 bytes that nobody can guess.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LinkKey([u8; 32]);

impl LinkKey {
    /// The key of these bytes, which must come from a source that nobody can foretell.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    fn mac(&self, signed: &[u8]) -> Option<Hmac<Sha256>> {
        // HMAC takes keys of any length.
        Hmac::<Sha256>::new_from_slice(&self.0).ok().map(|mac| mac.chain_update(signed))
    }
}

/// Without the bytes: what is logged must not sign.
impl std::fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LinkKey(..)")
    }
}

impl From<LinkKey> for String {
    fn from(key: LinkKey) -> Self {
        hex::encode(key.0)
    }
}

impl TryFrom<String> for LinkKey {
    type Error = hex::FromHexError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes)?;
        Ok(Self(bytes))
    }
}

/// Why a token opens nothing. For the log only: whoever holds the token must not learn which it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadLink {
    /// No token of this version.
    #[error("the link has no shape of ours")]
    Shapeless,
    /// Its end has passed.
    #[error("the link has expired")]
    Expired,
    /// Nobody with the key signed it.
    #[error("the link is not signed by the key")]
    Forged,
    /// Its run is opened by no link any more.
    #[error("the links of the run are revoked")]
    Revoked,
}

/// What a token claims, before anybody has looked at its tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    run: RunId,
    signed: Vec<u8>,
    tag: [u8; TAG],
}

impl Claim {
    /// Takes a token apart. What fails here is refused without a look at the state: shape, and the end that it names itself.
    ///
    /// # Errors
    /// [`BadLink::Shapeless`], [`BadLink::Expired`].
    pub fn read(token: &str, now: Timestamp) -> Result<Self, BadLink> {
        Self::take_apart(token).map_or(Err(BadLink::Shapeless), |(claim, end)| {
            let open = u64::try_from(now.millis()).is_ok_and(|now| now < end.saturating_mul(1000));
            if open { Ok(claim) } else { Err(BadLink::Expired) }
        })
    }

    fn take_apart(token: &str) -> Option<(Self, u64)> {
        let bytes = URL_SAFE_NO_PAD.decode(Some(token).filter(|token| token.len() <= LONGEST)?).ok()?;
        let (signed, tag) = bytes.split_last_chunk::<TAG>()?;
        let (end, run) = signed.strip_prefix(&[VERSION])?.split_first_chunk::<END>()?;
        let run = std::str::from_utf8(run).ok()?.parse().ok()?;
        Some((Self { run, signed: signed.to_vec(), tag: *tag }, u64::from_be_bytes(*end)))
    }

    /// The run, if the key signed for it.
    fn proven(&self, key: &LinkKey) -> Result<&RunId, BadLink> {
        let mac = key.mac(&self.signed).ok_or(BadLink::Forged)?;
        // In constant time.
        mac.verify_slice(&self.tag).map_err(|_| BadLink::Forged)?;
        Ok(&self.run)
    }
}

/// A token for a run that ends at `until`, which is cut to seconds.
fn sign(key: &LinkKey, run: &RunId, until: Timestamp) -> Option<String> {
    let end = u64::try_from(until.millis()).unwrap_or(0) / 1000;
    let signed = [&[VERSION], end.to_be_bytes().as_slice(), run.as_str().as_bytes()].concat();
    let tag = key.mac(&signed)?.finalize().into_bytes();
    Some(URL_SAFE_NO_PAD.encode([signed.as_slice(), &tag].concat()))
}

/// All that decides over links, one document: what signs them, and what is revoked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Links {
    schema: u32,
    key: LinkKey,
    /// When the key was made: links of before it open nothing.
    pub made_at: Timestamp,
    /// Runs that no link opens, of before or after, and since when. A rerun is another run.
    #[serde(default)]
    pub revoked: BTreeMap<RunId, Timestamp>,
}

impl Links {
    /// Links under a new key, none of them revoked.
    pub fn new(key: LinkKey, now: Timestamp) -> Self {
        Self { schema: 1, key, made_at: now, revoked: BTreeMap::new() }
    }

    /// A token that opens a run until `until`; none for a run whose links are revoked.
    pub fn sign(&self, run: &RunId, until: Timestamp) -> Option<String> {
        if self.revoked.contains_key(run) { None } else { sign(&self.key, run, until) }
    }

    /// The run that a token opens.
    ///
    /// # Errors
    /// [`BadLink::Forged`], [`BadLink::Revoked`].
    pub fn opens<'a>(&self, claim: &'a Claim) -> Result<&'a RunId, BadLink> {
        let run = claim.proven(&self.key)?;
        if self.revoked.contains_key(run) { Err(BadLink::Revoked) } else { Ok(run) }
    }

    /// The same, but that no link opens this run any more.
    #[must_use]
    pub fn without(&self, run: &RunId, now: Timestamp) -> Self {
        let mut links = self.clone();
        links.revoked.entry(run.clone()).or_insert(now);
        links
    }

    /// The same under another key: every link of before is void. Runs that were revoked stay so.
    #[must_use]
    pub fn renewed(&self, key: LinkKey, now: Timestamp) -> Self {
        Self { key, made_at: now, ..self.clone() }
    }
}

/// Where links of a deployment lead, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Door {
    address: String,
    days: u32,
}

impl Door {
    /// The door at this address, such as `https://….lambda-url.eu-central-1.on.aws/`; none where links live no day.
    pub fn new(address: &str, days: u32) -> Option<Self> {
        (days > 0).then(|| Self { address: format!("{}/", address.trim_end_matches('/')), days })
    }

    /// The address that opens a run from `now` on.
    pub fn link(&self, links: &Links, run: &RunId, now: Timestamp) -> Option<Link> {
        let token = links.sign(run, now.plus_seconds(u64::from(self.days) * DAY_SECONDS))?;
        Some(Link { address: format!("{}{token}", self.address), days: self.days })
    }
}

/// An address that opens one report, for whoever has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The address.
    pub address: String,
    /// Days that it lives.
    pub days: u32,
}

#[cfg(test)]
#[path = "link_tests.rs"]
mod tests;
