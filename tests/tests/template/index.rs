//! The table in events/INDEX.md.

use crate::stack::root;
use std::collections::{BTreeMap, BTreeSet};

/// Payload → functions that get it; none for `-`.
pub(crate) fn functions_by_file() -> BTreeMap<String, BTreeSet<String>> {
    let path = root().join("events/INDEX.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let table = text.split("## What becomes of each").nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap();
    let mut by_file: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in table.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| file ")) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [_, file, function, outcome, _] = cells[..] else { panic!("{row}") };
        let functions = by_file.entry(file.to_owned()).or_default();
        if function == "-" {
            assert!(!outcome.is_empty(), "{file}: why does nobody get it?");
        } else {
            let known = ["done: ", "refused: ", "failed: "].iter().any(|kind| outcome.starts_with(kind));
            assert!(known && functions.insert(function.to_owned()), "{row}");
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
