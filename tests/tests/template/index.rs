//! The table in events/INDEX.md.

use crate::stack::root;
use std::collections::{BTreeMap, BTreeSet};

/// Payload → functions that get it; none for `-`.
pub(crate) fn functions_by_file() -> BTreeMap<String, BTreeSet<String>> {
    let mut by_file: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in dropscope_testkit::events::rows().unwrap() {
        let functions = by_file.entry(row.file.clone()).or_default();
        if row.function == "-" {
            assert!(!row.outcome.is_empty(), "{}: why does nobody get it?", row.file);
        } else {
            let known = ["done: ", "refused: ", "failed: "].iter().any(|kind| row.outcome.starts_with(kind));
            assert!(known && functions.insert(row.function.clone()), "{row:?}");
        }
    }
    by_file
}

/// Names of all payloads.
pub(crate) fn files() -> BTreeSet<String> {
    let entries = std::fs::read_dir(root().join("events")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name != "INDEX.md").collect()
}
