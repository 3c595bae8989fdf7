//! `TiffData`: which page is which, and which pages are in which file.

use super::super::grid::{self, Grid, Place};
use super::super::{Axis, FileSet, Metadata, Stated};
use super::model::{Block, Image, Model};

/// Pages whose places are followed one by one; the order shows long before.
const MOST_PLACES: usize = 1 << 17;

/// The files that belong together in order of time, or `None` where there is just one.
pub(super) fn set(model: &Model, image: &Image) -> Option<FileSet> {
    if model.files.len() < 2 {
        return None;
    }
    let mut earliest: Vec<Option<[u64; 3]>> = vec![None; model.files.len()];
    for block in &image.blocks {
        let [c, z, t] = block.first;
        if let Some(first) = block.file.and_then(|file| earliest.get_mut(file)) {
            *first = Some(first.map_or([t, z, c], |seen| seen.min([t, z, c])));
        }
    }
    // Files of other images are not part of this recording.
    let mut order: Vec<_> = (0..earliest.len()).filter_map(|file| earliest[file].map(|first| (first, file))).collect();
    order.sort_unstable();
    let files: Vec<_> = order.into_iter().map(|(_, file)| model.files[file].clone()).collect();
    (files.len() > 1).then_some(FileSet { files, ..FileSet::default() })
}

/// Corrects sizes and order by what `TiffData` say of this file's own pages.
pub(super) fn apply(model: &Model, image: &Image, metadata: &mut Metadata) {
    let in_set = metadata.set.is_some();
    let mut cut = model.cut;
    let grid = match own_places(model, image, metadata) {
        Pages::Places(places) => {
            cut |= places.len() == MOST_PLACES;
            grid::of(&places)
        }
        Pages::AsStated if in_set => None,
        Pages::AsStated => return,
        Pages::Irregular => {
            metadata.notes.push("the OME metadata list the pages in no regular order; they are read as they follow".to_owned());
            return;
        }
    };
    match grid {
        Some(grid) if in_set => follow(grid, metadata, cut),
        Some(grid) => correct(grid, metadata, cut),
        // How many of the set's time points are in this file is not known.
        None if in_set => metadata.frames = None,
        None => metadata
            .notes
            .push("the OME metadata list the pages in no regular order; they are read in the order stated for all".to_owned()),
    }
}

/// A file of a set holds a part of what is stated for the set.
fn follow(grid: Grid, metadata: &mut Metadata, cut: bool) {
    let stated = |n: usize| Some(Stated::new(n, "OME TiffData"));
    metadata.frames = stated(grid.frames).filter(|_| !cut);
    metadata.planes = stated(grid.planes);
    metadata.channels = stated(grid.channels);
    metadata.order = grid.order;
}

/// A file of its own holds what is stated, though perhaps in another order.
fn correct(grid: Grid, metadata: &mut Metadata, cut: bool) {
    let says = |stated: &Option<Stated<usize>>, n: usize| stated.as_ref().is_some_and(|s| s.value == n);
    if !says(&metadata.planes, grid.planes) || !says(&metadata.channels, grid.channels) {
        follow(grid, metadata, cut);
    } else if !same_order(grid, metadata.order) {
        metadata
            .notes
            .push("the OME metadata list the pages in another order than DimensionOrder; the list is followed".to_owned());
        metadata.order = grid.order;
    }
}

/// Whether two orders are the same for axes of these sizes: an axis of one value may stand anywhere.
fn same_order(grid: Grid, other: [Axis; 3]) -> bool {
    let matters = |axis: &Axis| match axis {
        Axis::Channel => grid.channels > 1,
        Axis::Plane => grid.planes > 1,
        Axis::Time => grid.frames > 1,
    };
    grid.order.into_iter().filter(matters).eq(other.into_iter().filter(matters))
}

enum Pages {
    Places(Vec<Place>),
    /// Nothing is listed page by page: the stated order holds.
    AsStated,
    Irregular,
}

/// The places of this file's pages from the first on.
fn own_places(model: &Model, image: &Image, metadata: &Metadata) -> Pages {
    let mut blocks: Vec<&Block> = image.blocks.iter().filter(|block| model.is_ours(block)).collect();
    if blocks.is_empty() || blocks.iter().any(|b| b.count.is_none() && b.ifd.is_none()) {
        return Pages::AsStated;
    }
    blocks.sort_by_key(|block| block.ifd);
    let mut places = Vec::new();
    for block in blocks {
        if block.ifd.unwrap_or(0) != places.len() as u64 {
            return Pages::Irregular;
        }
        let room = (MOST_PLACES - places.len()) as u64;
        let count = block.count.unwrap_or(1);
        let block = (0..count.min(room)).map_while(|k| place(block, k, metadata));
        places.extend(block);
        if count >= room {
            break;
        }
    }
    Pages::Places(places)
}

/// The place of the page `k` after a block's first, counted in the stated order.
fn place(block: &Block, k: u64, metadata: &Metadata) -> Option<Place> {
    let size = |stated: &Option<Stated<usize>>| stated.as_ref().map_or(1, |s| s.value as u64);
    let mut left = k;
    let mut place = [0; 3];
    for axis in metadata.order {
        let (first, size) = match axis {
            Axis::Channel => (block.first[0], size(&metadata.channels)),
            Axis::Plane => (block.first[1], size(&metadata.planes)),
            Axis::Time => (block.first[2], size(&metadata.frames)),
        };
        let sum = first.checked_add(left)?;
        // The first page may lie beyond what is stated; then the statement is of no use for those that follow.
        let (at, carry) = if k == 0 { (first, 0) } else { (sum % size, sum / size) };
        place[axis as usize] = u32::try_from(at).ok()?;
        left = carry;
    }
    Some(place)
}
