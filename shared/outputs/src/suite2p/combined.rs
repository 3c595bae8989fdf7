//! Several planes as one: ROIs and traces plane after plane, images as tiles.

use dropscope_segmentation::{Registration, Roi, Segmentation};
use ndarray::Array2;

use super::{Entries, maps, ops, stat, traces};
use crate::files::Contents;
use crate::pickle::{Value, image, ints};
use crate::{RunMeta, npy};

const FOLDER: &str = "suite2p/combined";

/// Hands the files of `combined/` to `sink`.
pub(super) fn render<E>(
    meta: &RunMeta,
    planes: &[Segmentation],
    mut sink: impl FnMut(&str, Contents<'_>) -> Result<(), E>,
) -> Result<(), E> {
    traces(FOLDER, planes, &mut sink)?;
    let tiles = Tiles::of(planes);
    let places = planes.iter().enumerate().map(|(p, seg)| (p, seg, tiles.place(p)));
    let stat = places.flat_map(|(p, seg, place)| seg.rois.iter().map(move |r| stat::dict(r, &seg.rois, p, place))).collect();
    sink(&format!("{FOLDER}/stat.npy"), Contents::Whole(npy::objects(stat)))?;
    let rois: Vec<Roi> = planes.iter().flat_map(|seg| seg.rois.clone()).collect();
    let settings = || ops::settings(meta, &rois);
    let whole = || [acquired(meta, planes, &tiles), images(planes, &tiles)].concat();
    let all = || [whole(), settings(), ops::of_older_versions(&rois)].concat();
    let dicts: [(&str, &dyn Fn() -> Entries); 3] = [("ops", &all), ("db", &whole), ("settings", &settings)];
    for (name, entries) in dicts {
        sink(&format!("{FOLDER}/{name}.npy"), Contents::Whole(npy::object(Value::Dict(entries()))))?;
    }
    Ok(())
}

fn acquired(meta: &RunMeta, planes: &[Segmentation], tiles: &Tiles) -> Entries {
    let (height, width) = tiles.size();
    let frames = planes.iter().map(|seg| seg.f.ncols()).max().unwrap_or(0);
    ops::acquisition(meta, (height, width), frames, planes.len())
        .into_iter()
        .chain(ops::provenance(meta, "suite2p/combined".to_owned()))
        .chain([("yrange", ints(&[0, height])), ("xrange", ints(&[0, width]))])
        .collect()
}

fn images(planes: &[Segmentation], tiles: &Tiles) -> Entries {
    let tiled = |of: &dyn Fn(&Registration) -> Array2<f32>| {
        let mut canvas = Array2::zeros(tiles.size());
        for (p, seg) in planes.iter().enumerate() {
            let (top, left) = tiles.place(p);
            for ((y, x), value) in of(&seg.registration).indexed_iter() {
                if let Some(pixel) = canvas.get_mut((top + y, left + x)) {
                    *pixel = *value;
                }
            }
        }
        image(&canvas)
    };
    vec![
        ("meanImg", tiled(&|reg| reg.mean.clone())),
        ("meanImgE", tiled(&|reg| maps::enhanced(&reg.mean))),
        ("max_proj", tiled(&|reg| maps::in_view(&reg.max, reg))),
        ("Vcorr", tiled(&|reg| maps::in_view(&maps::liveliness(reg), reg))),
        ("sdImg", tiled(&|reg| reg.sd.clone())),
    ]
}

/// Planes of one size in rows, as near to a square as suite2p lays them.
struct Tiles {
    height: usize,
    width: usize,
    count: usize,
    columns: usize,
}

impl Tiles {
    fn of(planes: &[Segmentation]) -> Self {
        let largest = |side: fn((usize, usize)) -> usize| planes.iter().map(|seg| side(seg.first_frame.dim())).max().unwrap_or(0);
        let (height, width, count) = (largest(|d| d.0), largest(|d| d.1), planes.len());
        // The least whole number that is no less than the square root of the area over the width.
        let columns = (1..count).find(|c| c * c * width >= height * count).unwrap_or(count.max(1));
        Self { height, width, count, columns }
    }

    fn size(&self) -> (usize, usize) {
        (self.count.div_ceil(self.columns) * self.height, self.columns.min(self.count) * self.width)
    }

    /// Row and column of the first pixel of a plane.
    fn place(&self, plane: usize) -> (usize, usize) {
        (plane / self.columns * self.height, plane % self.columns * self.width)
    }
}
