//! Finding ROIs: seeds on a map of thresholded activity, grown and subtracted one after the other
//! (Pachitariu et al. 2017, bioRxiv 061507, section "Cell detection"), with the threshold taken from the noise.

mod activity;
mod binned;
mod grow;
mod kept;
mod mask;
mod merge;
mod normalise;
mod scale;
mod seeds;
mod silent;
mod threshold;

use crate::checkpoint::Trail;
use crate::movie::RegisteredMovie;
use crate::numeric::Plane;
use crate::pipeline::Watch;
use crate::registration::Registered;
use crate::{Params, SegmentError};

pub(crate) use binned::Images;
#[cfg(any(test, fuzzing))]
pub(crate) use kept::read;
pub(crate) use kept::{keep, load};

/// A mask in coordinates of the whole frame.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// Row-major indices, ascending.
    pub(crate) pixels: Vec<usize>,
    /// Weight of each pixel, raw units of the activity, positive.
    pub(crate) lam: Vec<f32>,
    /// Share of its height that is left around it, −1 to 1.
    pub(crate) halo: f32,
}

/// What detection hands on.
pub(crate) struct Detected {
    pub(crate) found: Vec<Found>,
    /// Diameter of a cell, pixels: as given, or as estimated.
    pub(crate) diameter: f64,
    pub(crate) diameter_given: bool,
    pub(crate) images: Images,
}

/// Detects ROIs in the registered movie.
pub(crate) fn detect(
    movie: &mut RegisteredMovie<'_>,
    registered: &Registered,
    plane: Plane,
    params: &Params,
    (watch, trail): (&Watch, &mut Trail<'_>),
) -> Result<Detected, SegmentError> {
    let (images, mut binned) = binned::bin_movie(movie, registered, plane, params, (watch, trail))?;
    normalise::remove_slow(&mut binned, params.frame_rate_hz);
    normalise::scale_to_noise(&mut binned);
    watch.check()?;
    let diameter = params.diameter_px.unwrap_or_else(|| scale::diameter(&binned));
    normalise::remove_wide(&mut binned, diameter);
    let grown = grow::grow_all(&mut binned, diameter, watch)?;
    let kept = merge::without_duplicates(grown, diameter, binned.plane.width);
    let mean: Vec<f32> = common_view(registered).pixels(plane).map(|i| images.mean[i]).collect();
    let kept = silent::with_silent_cells(&mean, binned.plane, kept, diameter);
    let (top, left) = (registered.yrange.0, registered.xrange.0);
    let crop = binned.plane;
    let whole = |i: usize| (i / crop.width + top) * plane.width + i % crop.width + left;
    let found =
        kept.into_iter().map(|g| Found { pixels: g.pixels.iter().map(|&i| whole(i)).collect(), lam: g.lam, halo: g.halo });
    Ok(Detected { found: found.collect(), diameter, diameter_given: params.diameter_px.is_some(), images })
}

fn common_view(registered: &Registered) -> activity::Rect {
    activity::Rect { y: registered.yrange, x: registered.xrange }
}
