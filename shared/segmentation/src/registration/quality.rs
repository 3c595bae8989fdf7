//! Which frames to trust, and what part of the view they share.

use super::grid::Field;
use super::phase::Shift;
use crate::numeric::{Plane, median, median_and_spread};

/// Frames on either side that a shift is compared with.
const NEIGHBOURHOOD: usize = 5;
/// Pixels a frame may lie off its neighbours before its correlation is looked at.
const FREE_JUMP_PX: f32 = 3.0;

/// Frames to keep out of detection: the blank ones, and those that jump where no neighbour is while they
/// correlate far worse (four robust standard deviations) than the others.
pub(crate) fn bad_frames(shifts: &[Shift], blank: &[bool]) -> Vec<bool> {
    let good: Vec<f32> = (0..shifts.len()).filter(|&i| !blank[i]).map(|i| shifts[i].corr).collect();
    let (middle, spread) = median_and_spread(&good);
    let floor = middle - 4.0 * spread as f32;
    let alone = |i: usize| {
        let near = i.saturating_sub(NEIGHBOURHOOD)..(i + NEIGHBOURHOOD + 1).min(shifts.len());
        let near: Vec<Shift> = near.filter(|&j| !blank[j]).map(|j| shifts[j]).collect();
        let off = |pick: fn(&Shift) -> i32| {
            let v: Vec<f32> = near.iter().map(|s| pick(s) as f32).collect();
            (pick(&shifts[i]) as f32 - median(&v)).abs()
        };
        off(|s| s.y).max(off(|s| s.x)) > FREE_JUMP_PX
    };
    (0..shifts.len()).map(|i| blank[i] || (shifts[i].corr < floor && alone(i))).collect()
}

/// Rows and columns every good frame covers, ends exclusive; the whole frame when they share none.
pub(super) fn common_view(fields: &[Field], bad: &[bool], plane: Plane) -> [(usize, usize); 2] {
    let good = || fields.iter().zip(bad).filter(|(_, b)| !**b).map(|(f, _)| f);
    let along = |side: usize, pick: fn(&Field) -> &Vec<f32>| {
        let low = good().flat_map(pick).fold(0.0f32, |m, v| m.min(*v));
        let high = good().flat_map(pick).fold(0.0f32, |m, v| m.max(*v));
        // What rounding leaves of a whole displacement is no reason to give up a row.
        let whole = |v: f32| (v - 1e-3).ceil().max(0.0) as usize;
        let (low, high) = (whole(-low), whole(high));
        if low + high < side { (low, side - high) } else { (0, side) }
    };
    [along(plane.height, |f| &f.y), along(plane.width, |f| &f.x)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_lone_badly_correlated_jump_is_bad_and_a_shared_one_is_not() {
        let mut shifts: Vec<Shift> = (0..100).map(|i| Shift { y: i % 2, x: 0, corr: 0.5 + 0.001 * (i % 7) as f32 }).collect();
        shifts[40..60].iter_mut().for_each(|s| s.y = 9);
        shifts[20] = Shift { y: -8, x: 3, corr: 0.05 };
        let bad = bad_frames(&shifts, &[false; 100]);
        let expected: Vec<usize> = vec![20];
        let found: Vec<usize> = (0..100).filter(|&i| bad[i]).collect();
        assert_eq!(found, expected);
    }

    proptest! {
        #[test]
        fn the_common_view_is_never_empty_and_covered_by_all(
            moves in prop::collection::vec((-9i32..9, -9i32..9), 1..20), h in 1usize..30, w in 1usize..30,
        ) {
            let fields: Vec<Field> = moves.iter().map(|&(y, x)| Field { y: vec![y as f32], x: vec![x as f32] }).collect();
            let plane = Plane { height: h, width: w };
            let [(y0, y1), (x0, x1)] = common_view(&fields, &vec![false; fields.len()], plane);
            prop_assert!(y0 < y1 && y1 <= h && x0 < x1 && x1 <= w);
            if (y0, y1) != (0, h) {
                prop_assert!(moves.iter().all(|m| y0 as i32 + m.0 >= 0 && y1 as i32 + m.0 <= h as i32));
            }
        }
    }
}
