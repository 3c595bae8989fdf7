//! Texts of lines `key = value`, as ImageJ and ScanImage write them.

/// The first value of each wanted key.
pub(super) struct Lines<'a> {
    values: Vec<(&'static str, &'a str)>,
}

impl<'a> Lines<'a> {
    /// Looks for `wanted` keys, written with or without `prefix`. Lines end in any of the three usual ways.
    pub(super) fn of(text: &'a str, prefix: &str, wanted: &'static [&'static str]) -> Self {
        let mut values: Vec<(&'static str, &'a str)> = Vec::new();
        for (key, value) in text.split(['\n', '\r']).filter_map(|line| line.split_once('=')) {
            let key = key.trim();
            let key = key.strip_prefix(prefix).unwrap_or(key);
            let Some(key) = wanted.iter().find(|wanted| **wanted == key) else {
                continue;
            };
            if values.iter().all(|(seen, _)| seen != key) {
                values.push((key, value.trim()));
            }
        }
        Self { values }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    pub(super) fn get(&self, key: &str) -> Option<&'a str> {
        self.values.iter().find(|(seen, _)| *seen == key).map(|(_, value)| *value)
    }

    /// The first key of several that `read` makes something of, and what.
    pub(super) fn first<T>(&self, keys: &[&'static str], read: impl Fn(&str) -> Option<T>) -> Option<(&'static str, T)> {
        keys.iter().find_map(|key| Some((*key, read(self.get(key)?)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_value_of_a_key_counts() {
        let lines = Lines::of("a = 1\r\np.b=2 \ra = 3\nc\n=4", "p.", &["a", "b", "c"]);
        assert_eq!([lines.get("a"), lines.get("b"), lines.get("c")], [Some("1"), Some("2"), None]);
        assert_eq!(lines.first(&["c", "b"], |v| v.parse().ok()), Some(("b", 2)));
        assert!(Lines::of("x=1", "", &["a"]).is_empty());
    }
}
