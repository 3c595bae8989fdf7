//! How the files of a recording follow one another, told by their names.
//!
//! Numbers in names count (`file_2` before `file_10`). Microscopes that write a file for each frame and channel put the
//! channel into the name (Prairie View `…_Cycle00001_Ch2_000017.ome.tif`): such files alternate like the channels do.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use crate::RecordingError;

/// Missing files that are named; of more only the number is told.
pub(crate) const NAMED: usize = 5;

/// Files in the order of their pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arranged {
    /// Places in the list that was given.
    pub(crate) order: Vec<usize>,
    /// Channels that alternate from file to file, where names tell of several.
    pub(crate) channels: Option<usize>,
    /// What is odd about the numbers.
    pub(crate) notes: Vec<String>,
}

/// Sorts files and looks for those that are missing; `is_list` when somebody named each, so that gaps are meant.
///
/// # Errors
/// Names the missing files.
pub(crate) fn arrange(names: &[String], is_list: bool) -> Result<Arranged, RecordingError> {
    let mut parsed: Vec<(usize, Name)> = names.iter().map(|name| Name::parse(name)).enumerate().collect();
    parsed.sort_by(|(_, a), (_, b)| a.cmp(b));
    let channels: BTreeSet<u64> = parsed.iter().filter_map(|(_, name)| name.channel).collect();
    let whole = parsed.iter().all(|(_, name)| name.channel.is_some());
    let channels = if whole && channels.len() > 1 { channels } else { BTreeSet::new() };
    let mut missing = Vec::new();
    if channels.is_empty() {
        // A channel in the name of some files only, or the same in all, orders nothing.
        parsed.sort_by(|(a, _), (b, _)| natural(&names[*a], &names[*b]));
    } else {
        missing.extend(without_channel(&parsed, &channels));
    }
    let gaps = gaps(&parsed, channels.len().max(1));
    let mut notes = Vec::new();
    if !is_list && gaps.few {
        missing.extend(gaps.told);
    } else if let Some(gap) = gaps.told.first() {
        notes.push(format!("the numbers in the names of the files leave some out, such as {gap}"));
    }
    if !missing.is_empty() {
        return Err(RecordingError::incomplete(&missing, NAMED));
    }
    let order = parsed.into_iter().map(|(at, _)| at).collect();
    Ok(Arranged { order, channels: (!channels.is_empty()).then_some(channels.len()), notes })
}

/// The order in which people number: digits count as one number.
pub(crate) fn natural(a: &str, b: &str) -> Ordering {
    tokens(a).cmp(tokens(b)).then_with(|| a.cmp(b))
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Token<'a> {
    /// Length without leading zeros, then digits: compares as the number however long it is.
    Number(usize, &'a str),
    Text(&'a str),
}

fn tokens(text: &str) -> impl Iterator<Item = Token<'_>> {
    let digit = |b: u8| b.is_ascii_digit();
    let mut rest = text;
    std::iter::from_fn(move || {
        let number = digit(*rest.as_bytes().first()?);
        let end = rest.bytes().position(|b| digit(b) != number).unwrap_or(rest.len());
        let (token, after) = rest.split_at(end);
        rest = after;
        let digits = token.trim_start_matches('0');
        Some(if number { Token::Number(digits.len(), digits) } else { Token::Text(token) })
    })
}

/// A name without its channel, then the channel: files of one frame lie side by side.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Name<'a> {
    rest: Vec<Token<'a>>,
    channel: Option<u64>,
    whole: &'a str,
}

impl<'a> Name<'a> {
    fn parse(whole: &'a str) -> Self {
        let mut rest: Vec<Token> = tokens(whole).collect();
        let names_channel =
            |pair: &[Token]| matches!(pair, [Token::Text(text), Token::Number(1..=3, _)] if is_channel_word(text));
        let at = rest.windows(2).position(names_channel);
        let channel = at.and_then(|at| match rest.remove(at + 1) {
            Token::Number(_, digits) => digits.parse().ok(),
            Token::Text(_) => None,
        });
        Self { rest, channel, whole }
    }

    /// By how much the only number that differs between two names is larger in the next; none for other pairs.
    fn step_to(&self, next: &Self) -> Option<u64> {
        if self.rest.len() != next.rest.len() {
            return None;
        }
        let mut different = self.rest.iter().zip(&next.rest).filter(|(a, b)| a != b);
        match (different.next(), different.next()) {
            (Some((Token::Number(_, a), Token::Number(_, b))), None) => {
                let number = |digits: &str| if digits.is_empty() { Some(0) } else { digits.parse::<u64>().ok() };
                number(b)?.checked_sub(number(a)?)
            }
            _ => None,
        }
    }
}

/// `…_Ch`, `…-chan`, `Channel`: a word of its own before the number.
fn is_channel_word(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    ["channel", "chan", "ch"]
        .iter()
        .any(|word| lower.strip_suffix(word).is_some_and(|before| !before.ends_with(|c: char| c.is_alphanumeric())))
}

/// Frames that lack a channel.
fn without_channel(parsed: &[(usize, Name)], channels: &BTreeSet<u64>) -> Vec<String> {
    let mut frames: BTreeMap<&[Token], (Vec<u64>, &str)> = BTreeMap::new();
    for (_, name) in parsed {
        let frame = frames.entry(&name.rest).or_insert((Vec::new(), name.whole));
        frame.0.extend(name.channel);
    }
    let lacking = |(present, whole): (Vec<u64>, &str)| {
        let absent = channels.iter().find(|channel| !present.contains(channel))?;
        Some(format!("channel {absent} beside {whole}"))
    };
    frames.into_values().filter_map(lacking).collect()
}

/// Numbers left out.
#[derive(Default)]
struct Gaps {
    /// Whether nearly all files count by one, and most are there: then those left out are missing, not meant.
    few: bool,
    told: Vec<String>,
}

fn gaps(parsed: &[(usize, Name)], channels: usize) -> Gaps {
    let frames: Vec<&Name> = parsed.iter().step_by(channels).map(|(_, name)| name).collect();
    let step = |pair: &[&Name]| pair[0].step_to(pair[1]);
    let by_one = frames.windows(2).filter(|pair| step(pair) == Some(1)).count();
    let jumps: Vec<_> = frames.windows(2).filter_map(|pair| step(pair).filter(|n| *n > 1).map(|n| (pair, n - 1))).collect();
    if by_one < 2 || by_one < jumps.len() {
        return Gaps::default();
    }
    let absent = jumps.iter().fold(0u64, |sum, (_, n)| sum.saturating_add(*n));
    let tell = |(pair, n): &(&[&Name], u64)| match n {
        1 => format!("the one between {} and {}", pair[0].whole, pair[1].whole),
        n => format!("the {n} between {} and {}", pair[0].whole, pair[1].whole),
    };
    Gaps { few: absent <= frames.len() as u64 / 2, told: jumps.iter().map(tell).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names(of: &[&str]) -> Vec<String> {
        of.iter().map(ToString::to_string).collect()
    }

    fn sorted(of: &[&str]) -> Vec<String> {
        let names = names(of);
        let arranged = arrange(&names, false).unwrap();
        arranged.order.iter().map(|at| names[*at].clone()).collect()
    }

    #[test]
    fn numbers_in_names_count() {
        assert_eq!(sorted(&["f_10.tif", "f_2.tif", "f_1.tif", "f_3.tif"])[..2], ["f_1.tif", "f_2.tif"]);
        assert_eq!(natural("a007", "a7"), Ordering::Less, "equal numbers fall back to the text");
        assert_eq!(natural("99999999999999999999999999998", "99999999999999999999999999999"), Ordering::Less);
    }

    #[test]
    fn channels_alternate_and_cycles_follow() {
        let files = [
            "T_Cycle00001_Ch2_000001.ome.tif",
            "T_Cycle00001_Ch1_000002.ome.tif",
            "T_Cycle00002_Ch1_000001.ome.tif",
            "T_Cycle00001_Ch1_000001.ome.tif",
            "T_Cycle00002_Ch2_000001.ome.tif",
            "T_Cycle00001_Ch2_000002.ome.tif",
        ];
        let names = names(&files);
        let arranged = arrange(&names, false).unwrap();
        assert_eq!(arranged.channels, Some(2));
        assert_eq!(arranged.order, [3, 0, 1, 5, 2, 4]);
    }

    #[test]
    fn a_word_that_ends_like_channel_is_none() {
        assert!(is_channel_word("x_Ch") && is_channel_word("chan") && is_channel_word("a-Channel"));
        assert!(!is_channel_word("batch") && !is_channel_word("march"));
    }

    #[test]
    fn a_gap_is_named_unless_each_file_was() {
        let files = names(&["f_1.tif", "f_2.tif", "f_3.tif", "f_5.tif"]);
        let error = arrange(&files, false).unwrap_err();
        assert!(error.cause().contains("f_3.tif and f_5.tif"), "{error}");
        assert!(arrange(&files, true).is_ok());
        let lacking = names(&["a_ch1_1.tif", "a_ch2_1.tif", "a_ch1_2.tif"]);
        assert!(arrange(&lacking, false).unwrap_err().cause().contains("channel 2"));
    }

    #[test]
    fn numbers_with_more_left_out_than_there_are_make_a_note() {
        let arranged = arrange(&names(&["f_1.tif", "f_2.tif", "f_3.tif", "f_99.tif"]), false).unwrap();
        assert_eq!((arranged.order, arranged.notes.len()), (vec![0, 1, 2, 3], 1));
    }

    #[test]
    fn names_by_clock_have_no_gaps() {
        assert!(arrange(&names(&["t0033.tif", "t0066.tif", "t0099.tif", "t0150.tif"]), false).is_ok());
    }

    proptest! {
        #[test]
        fn every_file_is_placed_once(files in prop::collection::vec("[a-c_]{0,3}[0-9]{0,4}(ch[0-9]{1,2})?[a-z]{0,2}", 0..30)) {
            if let Ok(arranged) = arrange(&files, true) {
                let mut order = arranged.order;
                order.sort_unstable();
                prop_assert_eq!(order, (0..files.len()).collect::<Vec<_>>());
            }
        }

        #[test]
        fn the_order_of_names_is_an_order(a in ".{0,12}", b in ".{0,12}", c in ".{0,12}") {
            prop_assert_eq!(natural(&a, &b), natural(&b, &a).reverse());
            if natural(&a, &b).is_le() && natural(&b, &c).is_le() {
                prop_assert!(natural(&a, &c).is_le());
            }
        }
    }
}
