//! The JSON that tifffile writes: `{"shape": [500, 64, 64], "truncated": true}`.

use serde::Deserialize;

use super::Metadata;

#[derive(Deserialize)]
struct Shaped {
    shape: Vec<u64>,
    #[serde(default)]
    truncated: bool,
}

/// Pages in all; the meaning of the axes is not stated. `truncated` means one directory for the whole stack.
pub(super) fn parse(text: &str) -> Option<Metadata> {
    if !text.starts_with("{\"shape\"") {
        return None;
    }
    let shaped: Shaped = serde_json::from_str(text).ok()?;
    let leading = shaped.shape.len().checked_sub(2)?;
    let pages = shaped.shape[..leading].iter().try_fold(1u64, |product, n| product.checked_mul(*n))?;
    Some(Metadata { pages: Some(pages), stack_without_directories: shaped.truncated, ..Metadata::default() })
}
