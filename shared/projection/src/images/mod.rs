//! From projections to pictures and animations.

mod animation;
mod canvas;
mod caption;
mod contrast;
mod layout;
mod lzw;
mod pairs;
mod picture;
mod text;

pub(crate) use layout::Layout;
pub use pairs::Pairs;

use rayon::prelude::*;

use crate::{About, Image, PlaneSurvey, ProjectionError, Survey};
use caption::Caption;

/// Names of the files of [`Survey::preview_files`], in their order.
pub const PREVIEW_FILES: [&str; 5] = ["max.gif", "std.gif", "mean.png", "max.png", "std.png"];

impl Survey {
    /// Renders the pictures: maximum and standard deviation through time as animations, and the three projections of
    /// the whole recording. The planes of a volume lie side by side; the animations also show their maximum, when each
    /// window begins, and a scale where the recording states its pixels' size. An animation has 8 MB at most.
    ///
    /// # Errors
    /// [`ProjectionError`] when a picture cannot be encoded.
    pub fn preview_files(&self, about: &About) -> Result<Vec<(&'static str, Vec<u8>)>, ProjectionError> {
        let contents = [
            Content::Animated(|plane| &plane.window_max),
            Content::Animated(|plane| &plane.window_sd),
            Content::Still(|plane| &plane.whole.mean),
            Content::Still(|plane| &plane.whole.max),
            Content::Still(|plane| &plane.whole.sd),
        ];
        // Who looks at a picture of a sampled recording has to be able to tell.
        let comment = (self.every > 1).then(|| {
            format!("dropscope: every {}th time point of {}, {} in all", self.every, self.info.frames, self.times().len())
        });
        let caption = Caption::of(self, about);
        let file = |(name, content)| match content {
            Content::Animated(of) => {
                let windows: Vec<&Vec<Image>> = self.planes.iter().map(of).collect();
                Ok((name, animation::gif(&self.layout, &windows, &caption, comment.as_deref())?))
            }
            Content::Still(of) => Ok((name, picture::montage_png(&self.planes.iter().map(of).collect::<Vec<_>>())?)),
        };
        PREVIEW_FILES.into_par_iter().zip(contents).map(file).collect()
    }
}

/// What a picture shows of each plane.
enum Content {
    Animated(fn(&PlaneSurvey) -> &Vec<Image>),
    Still(fn(&PlaneSurvey) -> &Image),
}
