//! Words and numbers for the figure.

use crate::tables::number;

/// "1 cell", "12 cells".
pub(super) fn cells(n: usize) -> String {
    counted(n, "cell")
}

/// "1 frame", "12 frames".
pub(crate) fn counted(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

/// Three significant digits, with a real minus sign.
pub(super) fn short(value: f64) -> String {
    let rounded = format!("{value:.2e}").parse().unwrap_or(value);
    number(rounded).replace('-', "\u{2212}")
}

/// Shortens a text in the middle until it fits; both ends of a file name tell it apart.
pub(super) fn fitted(text: &str, size: f64, width: f64) -> String {
    let chars: Vec<char> = text.chars().collect();
    let total: f64 = chars.iter().map(|&c| advance(c)).sum::<f64>() * size;
    if total <= width {
        return text.to_owned();
    }
    let budget = (width / size - advance('…')) / 2.0;
    let head = fits(chars.iter().copied(), budget);
    let tail = fits(chars.iter().rev().copied(), budget);
    let start: String = chars[..head].iter().collect();
    let end: String = chars[chars.len() - tail..].iter().collect();
    format!("{start}…{end}")
}

fn fits(chars: impl Iterator<Item = char>, budget: f64) -> usize {
    let mut used = 0.0;
    chars
        .take_while(|&c| {
            used += advance(c);
            used <= budget
        })
        .count()
}

/// An upper bound of the advance width in ems, so that text never runs off the page.
fn advance(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | '.' | ',' | ' ' | 'I' | '/' | '(' | ')' => 0.4,
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '…' => 1.02,
        '0'..='9' | 'a'..='z' | '_' | '-' => 0.64,
        'A'..='Z' => 0.8,
        _ => 1.02,
    }
}

/// The largest of 1, 2, 5 × 10^n that is not above `limit`, which is positive.
pub(super) fn nice_below(limit: f64) -> f64 {
    let decade = libm::pow(10.0, libm::floor(libm::log10(limit)));
    let factor = [5.0, 2.0, 1.0].into_iter().find(|f| f * decade <= limit);
    factor.unwrap_or(1.0) * decade
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_keep_both_ends() {
        let name = format!("start_{}_end.tif", "x".repeat(300));
        let short = fitted(&name, 30.0, 600.0);
        assert!(short.starts_with("start_") && short.ends_with("_end.tif"));
        assert!(short.chars().count() < 40);
    }

    #[test]
    fn nice_numbers_are_one_two_five() {
        for (limit, expected) in [(1.0, 1.0), (0.37, 0.2), (99.0, 50.0), (2.0, 2.0), (7e5, 5e5)] {
            assert!((nice_below(limit) - expected).abs() < 1e-9 * expected, "{limit}");
        }
    }

    #[test]
    fn short_numbers_have_three_digits() {
        assert_eq!(short(-1234.5), "\u{2212}1230");
        assert_eq!(short(0.012_345), "0.0123");
    }
}
