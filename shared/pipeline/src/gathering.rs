//! A folder that fills: when to look at it next, and when it has been quiet for long enough.

use crate::folder::Listing;
use crate::{ObjectKey, Timestamp};
use serde::{Deserialize, Serialize};

/// A marker without a file is of a folder that was emptied again. So long, seconds, files may still come.
const EMPTY: u64 = 24 * 3600;
const MINUTE: u64 = 60;

/// The marker of a folder that gathers. Files that land do not change it, so a hundred thousand may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gathering {
    /// Layout of this document.
    pub schema: u32,
    /// The recording's folder.
    pub folder: ObjectKey,
    /// When the first file was heard of.
    pub since: Timestamp,
    /// When the folder is to be looked at next.
    pub next_look: Timestamp,
    /// What the last look found.
    pub seen: Option<Seen>,
}

/// What a look at a folder found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// [`Listing::digest`].
    pub digest: String,
    /// When.
    pub at: Timestamp,
    /// Since when nothing has come.
    pub quiet_since: Timestamp,
}

/// How long a folder must be quiet, and when to speak of it again, seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quiet {
    /// Without a new file, before the recording counts as whole.
    pub needed: u64,
    /// After an announcement, before the next one of the same folder.
    pub again: u64,
}

impl Gathering {
    /// A folder of which the first file was just heard of.
    pub fn new(folder: ObjectKey, now: Timestamp) -> Self {
        Self { schema: 1, folder, since: now, next_look: now, seen: None }
    }

    /// What follows from a look, and whether the folder is ripe. `stated` when a `recording.toml` says that it is.
    pub fn looked(&self, listing: &Listing, stated: bool, quiet: Quiet, now: Timestamp) -> (Self, bool) {
        let digest = listing.digest();
        let quiet_since = self.quiet_since(listing, &digest, now);
        let whole = quiet_since.plus_seconds(quiet.needed);
        let ripe = !listing.is_empty() && (stated || now >= whole);
        let next_look = match (ripe, &listing.statement) {
            (true, _) => now.plus_seconds(quiet.again),
            // Only a statement so far: what it speaks of is on its way.
            (false, Some(_)) => whole.min(now.plus_seconds(MINUTE)),
            // An empty folder is never ripe: without a floor its next look would be at once, again and again.
            (false, None) => whole.max(now.plus_seconds(1)),
        };
        let seen = Some(Seen { digest, at: now, quiet_since });
        (Self { next_look, seen, ..self.clone() }, ripe)
    }

    /// Whether nobody can be expected to put anything there any more.
    pub fn is_abandoned(&self, listing: &Listing, now: Timestamp) -> bool {
        listing.is_empty() && now >= self.since.plus_seconds(EMPTY)
    }

    /// Dates of files alone are not believed: a copy may keep those of its original, and S3 dates an upload in parts by
    /// its beginning. What came after a look is at least as young as that look; when it came tells its date, if it may.
    fn quiet_since(&self, listing: &Listing, digest: &str, now: Timestamp) -> Timestamp {
        let before = match &self.seen {
            Some(seen) if seen.digest == digest => return seen.quiet_since,
            Some(seen) => seen.at,
            None => self.since,
        };
        match listing.newest {
            Some(newest) if newest > before => newest.min(now),
            _ if self.seen.is_none() => before,
            _ => now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::Member;
    use proptest::prelude::*;

    const QUIET: Quiet = Quiet { needed: 600, again: 1800 };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    fn files(count: usize, newest: Option<i64>) -> Listing {
        let member = |n: usize| Member { name: format!("{n}"), etag: "e".into(), size: 1 };
        Listing { members: (0..count).map(member).collect(), statement: None, newest: newest.map(at) }
    }

    fn fresh() -> Gathering {
        Gathering::new(ObjectKey::raw("recordings/a/x.rec/"), at(1000))
    }

    #[test]
    fn a_folder_is_ripe_after_ten_quiet_minutes_and_not_before() {
        let (first, ripe) = fresh().looked(&files(3, Some(1030)), false, QUIET, at(1060));
        assert_eq!((ripe, first.next_look), (false, at(1630)));
        assert!(!first.looked(&files(3, Some(1030)), false, QUIET, at(1629)).1);
        let (ripened, ripe) = first.looked(&files(3, Some(1030)), false, QUIET, at(1630));
        assert_eq!((ripe, ripened.next_look), (true, at(1630 + 1800)));
        let (filled, ripe) = first.looked(&files(4, Some(1400)), false, QUIET, at(1630));
        assert_eq!((ripe, filled.next_look), (false, at(2000)));
    }

    #[test]
    fn a_statement_is_enough_and_an_empty_folder_never_is() {
        assert!(fresh().looked(&files(1, Some(1001)), true, QUIET, at(1001)).1);
        assert!(!fresh().looked(&files(0, None), true, QUIET, at(90_000)).1);
        assert!(fresh().is_abandoned(&files(0, None), at(1000 + 24 * 3600)));
        assert!(!fresh().is_abandoned(&files(1, None), at(900_000)));
    }

    #[test]
    fn old_dates_and_dates_to_come_deceive_nobody() {
        // Copied with the dates of the originals, one by one.
        let (first, ripe) = fresh().looked(&files(1, Some(5)), false, QUIET, at(1060));
        assert_eq!((ripe, first.next_look), (false, at(1600)));
        let (second, ripe) = first.looked(&files(2, Some(6)), false, QUIET, at(1600));
        assert_eq!((ripe, second.next_look), (false, at(2200)));
        // A clock that runs ahead.
        let (ahead, _) = fresh().looked(&files(1, Some(99_999)), false, QUIET, at(1060));
        assert!(ahead.looked(&files(1, Some(99_999)), false, QUIET, at(1660)).1);
    }

    proptest! {
        #[test]
        fn whatever_the_dates_no_folder_is_ripe_before_it_was_quiet_for_so_long(
            looks in prop::collection::vec((1u64..900, 0usize..4, prop::option::of(0i64..9000)), 1..12),
        ) {
            let (mut gathering, mut now, mut before, mut changed) = (fresh(), at(1000), None, at(1000));
            for (pause, count, newest) in looks {
                let asleep_since = now;
                now = now.plus_seconds(pause);
                let listing = files(count + 1, newest);
                if before.is_some_and(|before| before != count) {
                    changed = asleep_since;
                }
                before = Some(count);
                let (next, ripe) = gathering.looked(&listing, false, QUIET, now);
                prop_assert!(!ripe || now >= changed.plus_seconds(600));
                gathering = next;
            }
        }
    }
}
