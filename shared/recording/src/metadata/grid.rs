//! The places of pages in time, depth and colour, one by one, as sizes and an order.

use std::collections::HashMap;

use super::{Axis, CHANNEL_PLANE_TIME};

/// A page's channel, plane and time point.
pub(super) type Place = [u32; 3];

/// Every order of the three axes, fastest first; ImageJ's first, for it is meant where several fit.
const ORDERS: [[Axis; 3]; 6] = [
    CHANNEL_PLANE_TIME,
    [Axis::Plane, Axis::Channel, Axis::Time],
    [Axis::Channel, Axis::Time, Axis::Plane],
    [Axis::Plane, Axis::Time, Axis::Channel],
    [Axis::Time, Axis::Channel, Axis::Plane],
    [Axis::Time, Axis::Plane, Axis::Channel],
];

/// Sizes of the axes and their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Grid {
    pub(super) channels: usize,
    pub(super) planes: usize,
    pub(super) frames: usize,
    pub(super) order: [Axis; 3],
}

/// The grid that pages at these places fill without gap in their order; the slowest axis may end early.
pub(super) fn of(places: &[Place]) -> Option<Grid> {
    // Ranks follow first appearance, which is the order of time only if time does not go back within a plane.
    let first = *places.first()?;
    let mut last = first[2];
    for place in places.iter().filter(|p| p[..2] == first[..2]) {
        if place[2] < last {
            return None;
        }
        last = place[2];
    }
    let ranks: [(Vec<usize>, usize); 3] = [0, 1, 2].map(|axis| rank(places, axis));
    let size = |axis: Axis| ranks[axis as usize].1;
    let fits = |order: &&[Axis; 3]| {
        let mut step = 1usize;
        order.iter().all(|axis| {
            let (ranks, size) = &ranks[*axis as usize];
            let here = step;
            step = step.saturating_mul(*size);
            ranks.iter().enumerate().all(|(page, rank)| page / here % size == *rank)
        }) && places.len() <= step
    };
    let order = *ORDERS.iter().find(fits)?;
    Some(Grid { channels: size(Axis::Channel), planes: size(Axis::Plane), frames: size(Axis::Time), order })
}

/// For each page the rank of its value on an axis by first appearance, and how many values there are.
fn rank(places: &[Place], axis: usize) -> (Vec<usize>, usize) {
    let mut seen = HashMap::new();
    let ranks = places.iter().map(|place| {
        let next = seen.len();
        *seen.entry(place[axis]).or_insert(next)
    });
    (ranks.collect(), seen.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn places(sizes: [usize; 3], order: [Axis; 3], first: u32) -> Vec<Place> {
        let pages = sizes.iter().product();
        let place = |page: usize| {
            let mut place = [first; 3];
            let mut left = page;
            for axis in order {
                place[axis as usize] += (left % sizes[axis as usize]) as u32;
                left /= sizes[axis as usize];
            }
            place
        };
        (0..pages).map(place).collect()
    }

    proptest! {
        #[test]
        fn every_regular_order_is_found(c in 2usize..4, z in 2usize..5, t in 2usize..6, which in 0usize..6, first in 0u32..9) {
            let order = ORDERS[which];
            let places = places([c, z, t], order, first);
            prop_assert_eq!(of(&places), Some(Grid { channels: c, planes: z, frames: t, order }));
            // A recording that was stopped within a volume.
            let cut = &places[..places.len() - 1];
            prop_assert_eq!(of(cut).map(|g| (g.order, g.frames)), Some((order, t)));
        }

        #[test]
        fn places_in_any_order_end(places in prop::collection::vec([0u32..3, 0u32..3, 0u32..3], 0..40)) {
            if let Some(grid) = of(&places) {
                prop_assert!(places.len() <= grid.channels * grid.planes * grid.frames);
            }
        }
    }

    #[test]
    fn pages_in_disorder_are_no_grid() {
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[[0, 0, 0], [0, 0, 2], [0, 0, 1]]), None);
        assert_eq!(of(&[[0, 0, 0], [0, 1, 0], [0, 1, 1], [0, 0, 1]]), None);
        assert_eq!(of(&[[0, 0, 0], [0, 0, 0]]), None);
    }
}
