//! Panels A and C: pictures of the tissue.

use dropscope_segmentation::Segmentation;
use ndarray::Array2;

use super::{
    Subject, contour, label, nothing, palette,
    svg::{Area, Svg, TextStyle},
};
use crate::{OutputError, gray_png, robust_range};

/// Legend entries that fit into one line, and lines there are.
const PER_LINE: usize = 5;
const LINES: usize = 3;
const LINE_HEIGHT: f64 = 30.0;
/// Room below both images, so that they are of one size.
const BELOW: f64 = LINES as f64 * LINE_HEIGHT + 20.0;
/// Larger images are binned: the page has no room for more pixels, and every one is bytes.
const MOST_PIXELS: usize = 1024;
/// Between the images of two planes, page units.
const GAP: f64 = 8.0;
/// Size of the number of a plane.
const NUMBER: f64 = 18.0;
/// From this many page units on, a pixel is drawn as a square.
const SQUARE: f64 = 2.0;

/// Panel A.
pub(super) fn first_frames(svg: &mut Svg, area: Area, subject: &Subject) -> Result<(), OutputError> {
    let grid = Grid::of(area, subject);
    let mut range = (0.0, 0.0);
    for (tile, seg) in grid.tiles(subject) {
        range = picture(svg, &grid, tile, &seg.first_frame, (0.005, 0.995))?;
    }
    grid.finish(svg, subject);
    let caption = if subject.segs().len() > 1 {
        "black, white: 0.5th, 99.5th percentile of each plane".to_owned()
    } else {
        let (low, high) = (label::short(f64::from(range.0)), label::short(f64::from(range.1)));
        format!("black {low}, white {high} (0.5th, 99.5th percentile)")
    };
    let style = TextStyle::new(20.0).color("#444444");
    svg.text(grid.whole.x, grid.below(), &style, &caption);
    scale_bar(svg, &grid, subject.meta.pixel_size_um);
    Ok(())
}

/// Panel C.
pub(super) fn cells(svg: &mut Svg, area: Area, subject: &Subject) -> Result<(), OutputError> {
    let grid = Grid::of(area, subject);
    for (plane, (tile, seg)) in subject.planes.clone().zip(grid.tiles(subject)) {
        picture(svg, &grid, tile, &seg.registration.mean, (0.01, 0.998))?;
        outlines(svg, &grid, tile, subject, plane);
    }
    grid.finish(svg, subject);
    legend(svg, area, grid.below(), subject);
    Ok(())
}

/// Where the images of the planes are: as large as fits, row by row.
struct Grid {
    whole: Area,
    columns: usize,
    /// Page units per pixel.
    scale: f64,
    /// Height and width of an image, pixels.
    shape: (usize, usize),
}

impl Grid {
    fn of(area: Area, subject: &Subject) -> Self {
        let segs = subject.segs();
        let shape = segs.first().map_or((1, 1), |seg| seg.first_frame.dim());
        let (room, n) = (area.height - BELOW, segs.len().max(1));
        let scale = |columns: usize| {
            let side = |room: f64, count: usize, pixels: usize| (room - (count - 1) as f64 * GAP) / (count * pixels) as f64;
            side(area.width, columns, shape.1).min(side(room, n.div_ceil(columns), shape.0))
        };
        let columns = (1..=n).rev().max_by(|&a, &b| scale(a).total_cmp(&scale(b))).unwrap_or(1);
        let (rows, scale) = (n.div_ceil(columns), scale(columns));
        let length = |count: usize, pixels: usize| (count * pixels) as f64 * scale + (count - 1) as f64 * GAP;
        Self { whole: Area { width: length(columns, shape.1), height: length(rows, shape.0), ..area }, columns, scale, shape }
    }

    fn tile(&self, index: usize) -> Area {
        let (height, width) = (self.shape.0 as f64 * self.scale, self.shape.1 as f64 * self.scale);
        let x = self.whole.x + (index % self.columns) as f64 * (width + GAP);
        let y = self.whole.y + (index / self.columns) as f64 * (height + GAP);
        Area { x, y, width, height }
    }

    fn tiles<'a>(&self, subject: &Subject<'a>) -> Vec<(Area, &'a Segmentation)> {
        subject.segs().iter().enumerate().map(|(index, seg)| (self.tile(index), seg)).collect()
    }

    /// Where the first line of text below the images stands.
    fn below(&self) -> f64 {
        self.whole.y + self.whole.height + 32.0
    }

    /// Frames, and the numbers of the planes where there are several.
    fn finish(&self, svg: &mut Svg, subject: &Subject) {
        let n = subject.segs().len();
        for index in 0..n {
            let tile = self.tile(index);
            svg.frame(tile);
            if n > 1 && tile.width >= 3.0 * NUMBER {
                svg.rect(Area { width: 2.0 * NUMBER, height: NUMBER + 6.0, ..tile }, "#111111");
                let style = TextStyle::new(NUMBER).middle().color("#ffffff");
                svg.text(tile.x + NUMBER, tile.y + NUMBER, &style, &(index + 1).to_string());
            }
        }
    }
}

/// Draws an image, stretched between two fractions of its values, and returns the values of black and white.
fn picture(
    svg: &mut Svg,
    grid: &Grid,
    at: Area,
    image: &Array2<f32>,
    (dark, bright): (f64, f64),
) -> Result<(f32, f32), OutputError> {
    let image = binned(image, MOST_PIXELS.div_ceil(grid.columns));
    let (low, high) = robust_range(&image, dark, bright);
    let sharp = at.width / image.ncols() as f64 >= SQUARE;
    svg.image(at, &gray_png(&image, low, high)?, sharp);
    Ok((low, high))
}

/// Means of square blocks, the fewest that bring the image within `most` pixels a side.
pub(crate) fn binned(image: &Array2<f32>, most: usize) -> Array2<f32> {
    let (height, width) = image.dim();
    let factor = height.max(width).div_ceil(most).max(1);
    let shape = (height.div_ceil(factor), width.div_ceil(factor));
    Array2::from_shape_fn(shape, |(r, c)| {
        let rows = r * factor..((r + 1) * factor).min(height);
        let columns = c * factor..((c + 1) * factor).min(width);
        let n = (rows.len() * columns.len()) as f32;
        let values = rows.flat_map(|y| columns.clone().map(move |x| image[[y, x]]));
        values.sum::<f32>() / n
    })
}

fn outlines(svg: &mut Svg, grid: &Grid, at: Area, subject: &Subject, plane: usize) {
    let scale = grid.scale;
    // A stroke in page units, whatever the size of a pixel.
    let stroke = 2.0 / scale;
    svg.push(format_args!(
        "<g transform=\"translate({:.2} {:.2}) scale({scale:.5})\" stroke-width=\"{stroke:.5}\" \
         stroke-linejoin=\"round\" fill-opacity=\"0.35\" fill-rule=\"evenodd\">\n",
        at.x, at.y
    ));
    let c = subject.clustering();
    for (member, &cluster) in c.members.iter().zip(&c.labels).filter(|(member, _)| member.plane == plane) {
        let roi = &subject.recording.planes[plane].rois[member.roi];
        let color = palette::cluster(cluster);
        svg.push(format_args!("<path fill=\"{color}\" stroke=\"{color}\" d=\""));
        for corners in contour::outlines(&roi.ypix, &roi.xpix) {
            for (i, (x, y)) in corners.iter().enumerate() {
                svg.push(format_args!("{}{x} {y}", if i == 0 { 'M' } else { 'L' }));
            }
            svg.push(format_args!("Z"));
        }
        svg.push(format_args!("\"/>\n"));
    }
    svg.push(format_args!("</g>\n"));
}

/// Which colour is which cluster, and how many cells it has.
fn legend(svg: &mut Svg, area: Area, y: f64, subject: &Subject) {
    let labels = subject.labels(&subject.order);
    let clusters = labels.iter().max().map_or(0, |&l| l + 1);
    let style = TextStyle::new(20.0);
    if clusters == 0 {
        svg.text(area.x, y, &style, NO_CELLS);
        return;
    }
    let step = area.width / PER_LINE as f64;
    let room = PER_LINE * LINES;
    for cluster in 0..clusters.min(room) {
        let x = area.x + (cluster % PER_LINE) as f64 * step;
        let y = y + (cluster / PER_LINE) as f64 * LINE_HEIGHT;
        if cluster + 1 == room && clusters > room {
            svg.text(x, y, &style, &format!("+ {} more", clusters - cluster));
            return;
        }
        let swatch = Area { x, y: y - 15.0, width: 16.0, height: 16.0 };
        svg.rect(swatch, palette::cluster(cluster));
        let n = labels.iter().filter(|&&l| l == cluster).count();
        let words = format!("{}: {}", cluster + 1, label::cells(n));
        svg.text(x + 24.0, y, &style, &words);
    }
}

/// A bar of round length below images whose pixel size is known, where it hides nothing.
fn scale_bar(svg: &mut Svg, grid: &Grid, pixel_size_um: Option<f64>) {
    let Some(pixel) = pixel_size_um.filter(|p| p.is_finite() && *p > 0.0) else {
        return;
    };
    let per_um = grid.scale / pixel;
    let um = label::nice_below(0.25 * grid.tile(0).width / per_um);
    let (right, y) = (grid.whole.x + grid.whole.width, grid.whole.y + grid.whole.height + 14.0);
    svg.line((right - um * per_um, y), (right, y), "#111111", 5.0);
    let style = TextStyle::new(20.0).end();
    svg.text(right, y + 27.0, &style, &format!("{} µm", label::short(um)));
}

const NO_CELLS: &str = "No cells were found in this recording.";

/// Fills a panel that would show cells with the words that there are none.
pub(super) fn no_cells(svg: &mut Svg, area: Area) {
    nothing(svg, area, NO_CELLS);
}
