//! Micro-Manager and NDTiff: JSON in the header and JSON in each page ("Micro-Manager File Formats",
//! micro-manager.org; NDTiff's README, github.com/micro-manager/NDTiffStorage).

mod page;
mod summary;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use super::grid::{self, Place};
use super::units::interval;
use super::{Axis, Metadata, Stated, pages};
use crate::Limits;
use crate::bytes::{ByteOrder, Bytes};
use crate::ifd::{Header, Ifd, tag};
use page::Page;
use summary::Summary;

/// Announces the summary in the header of either format.
const SUMMARY: u64 = 2_355_492;
/// Announces NDTiff, at byte 8.
const NDTIFF: u64 = 483_729;
/// Bytes of the header up to the summary's text, in the longer of the two.
const HEADER: usize = 40;

/// Most pages whose own JSON is read: a volume of a hundred planes in two colours, and the next one's first.
const MOST_PAGES: usize = 256;
/// Time points that make a rate.
const ENOUGH_TIMES: usize = 24;
/// Most bytes of a page's JSON.
const MOST_PAGE_BYTES: u64 = 1 << 18;

pub(super) fn read(ifd: &Ifd, bytes: &mut Bytes, limits: &Limits) -> Option<Metadata> {
    let summary = header_text(ifd.header(), bytes, limits.max_description_bytes).and_then(|text| Summary::parse(&text));
    if summary.is_none() && !ifd.has(tag::MICRO_MANAGER) {
        return None;
    }
    let enough_said = summary.as_ref().is_some_and(|summary| summary.has_sizes() && summary.interval_s().is_some());
    let pages = read_pages(ifd, bytes, limits, if enough_said { 1 } else { MOST_PAGES });
    Some(describe(summary.as_ref(), &pages))
}

/// What a summary and some pages say, given as texts.
#[cfg(any(test, fuzzing))]
pub(super) fn parse(summary: &str, pages: &[String]) -> Option<Metadata> {
    let summary = Summary::parse(summary);
    let pages: Vec<Page> = pages.iter().filter_map(|text| Page::parse(text)).collect();
    (summary.is_some() || !pages.is_empty()).then(|| describe(summary.as_ref(), &pages))
}

/// The summary's JSON: after an announcement at byte 32 in Micro-Manager's files, at byte 16 or 20 in NDTiff's.
fn header_text(header: Header, bytes: &mut Bytes, most: u64) -> Option<String> {
    let mut start = [0; HEADER];
    if header.big || !bytes.holds(0, HEADER as u64) {
        return None;
    }
    bytes.read_at(0, &mut start).ok()?;
    let order: ByteOrder = header.order;
    let word = |at: usize| order.uint(&start[at..at + 4]);
    let places: &[usize] = if word(8) == NDTIFF { &[16, 20] } else { &[32] };
    let at = *places.iter().find(|at| word(**at) == SUMMARY)?;
    let (offset, length) = (at as u64 + 8, word(at + 4));
    if length > most || !bytes.holds(offset, length) {
        return None;
    }
    let mut text = vec![0; length as usize];
    bytes.read_at(offset, &mut text).ok()?;
    Some(String::from_utf8_lossy(&text).into_owned())
}

/// The first pages' own JSON, until order and rate show.
fn read_pages(ifd: &Ifd, bytes: &mut Bytes, limits: &Limits, most: usize) -> Vec<Page> {
    let mut pages: Vec<Page> = Vec::new();
    let mut times = 0;
    pages::each(ifd, bytes, limits, most, |ifd, bytes| {
        let text = ifd.text(bytes, tag::MICRO_MANAGER, MOST_PAGE_BYTES);
        let Some(page) = text.and_then(|text| Page::parse(&text)) else {
            return false;
        };
        let again = pages.first().is_none_or(|first| first.same_view(&page));
        times += usize::from(again);
        pages.push(page);
        // In a volume two time points are found late, and suffice.
        times < if pages.len() > 2 * ENOUGH_TIMES { 3 } else { ENOUGH_TIMES }
    });
    pages
}

fn describe(summary: Option<&Summary>, pages: &[Page]) -> Metadata {
    let mut metadata = summary.map(Summary::metadata).unwrap_or_default();
    if metadata.planes.is_none() && metadata.channels.is_none() {
        axes_of_pages(pages, &mut metadata);
    }
    let first = pages.first();
    if metadata.frame_rate_hz.is_none() {
        metadata.frame_rate_hz = rate_of_pages(pages);
    }
    if metadata.pixel_size_um.is_none() {
        metadata.pixel_size_um = first.and_then(Page::pixel_size);
    }
    let depth = summary.and_then(Summary::bit_depth).or_else(|| first.and_then(Page::bit_depth));
    if let Some(bits) = depth.filter(|bits| !bits.is_multiple_of(8)) {
        metadata.notes.push(format!("Micro-Manager says that the camera delivered `{bits}` bits a sample"));
    }
    metadata
}

/// The sizes of a volume, where the first pages show a whole one and the next one's begin.
fn axes_of_pages(pages: &[Page], metadata: &mut Metadata) {
    let mut channels = HashMap::new();
    let places: Vec<Place> = pages.iter().filter_map(|page| page.place(&mut channels)).collect();
    let Some(grid) = grid::of(&places).filter(|_| places.len() == pages.len()) else {
        return;
    };
    if grid.frames < 2 || grid.order[2] != Axis::Time {
        return;
    }
    let field = "Micro-Manager Axes of the first pages";
    metadata.planes = Some(Stated::new(grid.planes, field));
    metadata.channels = Some(Stated::new(grid.channels, field));
    metadata.order = grid.order;
}

/// Volumes per second by the clock readings of the pages that show the same as the first.
fn rate_of_pages(pages: &[Page]) -> Option<Stated<f64>> {
    let first = pages.first()?;
    let alike = || pages.iter().filter(|page| first.same_view(page));
    // Whole milliseconds.
    let elapsed = interval(alike().filter_map(|page| page.elapsed_s), 1.5e-3);
    if let Some(interval) = elapsed {
        return Some(Stated::new(1.0 / interval, "Micro-Manager ElapsedTime-ms of the first pages"));
    }
    let interval = interval(alike().filter_map(|page| page.received_s), 0.0)?;
    Some(Stated::new(1.0 / interval, "Micro-Manager TimeReceivedByCore of the first pages (median difference)"))
}
