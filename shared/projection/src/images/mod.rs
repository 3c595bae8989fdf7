//! From projections to pictures and animations.

mod animation;
mod canvas;
mod contrast;
mod layout;
mod picture;
mod text;

pub(crate) use layout::Layout;

use crate::{Image, PlaneSurvey, ProjectionError, Survey};

/// Names of the files of [`Survey::preview_files`], in their order.
pub const PREVIEW_FILES: [&str; 5] = ["max.gif", "std.gif", "mean.png", "max.png", "std.png"];

impl Survey {
    /// Renders the pictures: maximum and standard deviation through time as animations, and the three projections of
    /// the whole recording. The planes of a volume lie side by side; the animations also show their maximum.
    ///
    /// # Errors
    /// [`ProjectionError`] when a picture cannot be encoded.
    pub fn preview_files(&self) -> Result<Vec<(&'static str, Vec<u8>)>, ProjectionError> {
        let [max_gif, std_gif, mean_png, max_png, std_png] = PREVIEW_FILES;
        let animated =
            |of: fn(&PlaneSurvey) -> &Vec<Image>| animation::gif(&self.layout, &self.planes.iter().map(of).collect::<Vec<_>>());
        let still = |of: fn(&PlaneSurvey) -> &Image| picture::montage_png(&self.planes.iter().map(of).collect::<Vec<_>>());
        Ok(vec![
            (max_gif, animated(|p| &p.window_max)?),
            (std_gif, animated(|p| &p.window_sd)?),
            (mean_png, still(|p| &p.whole.mean)?),
            (max_png, still(|p| &p.whole.max)?),
            (std_png, still(|p| &p.whole.sd)?),
        ])
    }
}
