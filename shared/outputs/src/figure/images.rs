//! Panels A and C: pictures of the tissue.

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
/// From this many page units on, a pixel is drawn as a square.
const SQUARE: f64 = 2.0;

/// Panel A.
pub(super) fn first_frame(svg: &mut Svg, area: Area, subject: &Subject) -> Result<(), OutputError> {
    let image = &subject.seg.first_frame;
    let (at, (low, high)) = picture(svg, area, image, (0.005, 0.995))?;
    svg.frame(at);
    let caption =
        format!("black {}, white {} (0.5th, 99.5th percentile)", label::short(f64::from(low)), label::short(f64::from(high)));
    let style = TextStyle::new(20.0).color("#444444");
    svg.text(at.x, at.y + at.height + 32.0, &style, &caption);
    scale_bar(svg, at, image.ncols(), subject.meta.pixel_size_um);
    Ok(())
}

/// Panel C.
pub(super) fn cells(svg: &mut Svg, area: Area, subject: &Subject) -> Result<(), OutputError> {
    let image = &subject.seg.registration.mean;
    let (at, _) = picture(svg, area, image, (0.01, 0.998))?;
    outlines(svg, at, subject);
    svg.frame(at);
    legend(svg, area, at.y + at.height + 32.0, subject);
    Ok(())
}

/// Draws an image as large as fits, stretched between two fractions of its values, and returns
/// where it is and the values of black and white.
fn picture(
    svg: &mut Svg,
    area: Area,
    image: &Array2<f32>,
    (dark, bright): (f64, f64),
) -> Result<(Area, (f32, f32)), OutputError> {
    let at = fit(area, image.dim());
    let image = binned(image);
    let (low, high) = robust_range(&image, dark, bright);
    let sharp = at.width / image.ncols() as f64 >= SQUARE;
    svg.image(at, &gray_png(&image, low, high)?, sharp);
    Ok((at, (low, high)))
}

/// The largest area of the image's shape.
fn fit(area: Area, (height, width): (usize, usize)) -> Area {
    let room = area.height - BELOW;
    let scale = (area.width / width as f64).min(room / height as f64);
    Area { width: width as f64 * scale, height: height as f64 * scale, ..area }
}

/// Means of square blocks, the fewest that bring the image within the limit.
fn binned(image: &Array2<f32>) -> Array2<f32> {
    let (height, width) = image.dim();
    let factor = height.max(width).div_ceil(MOST_PIXELS).max(1);
    let shape = (height.div_ceil(factor), width.div_ceil(factor));
    Array2::from_shape_fn(shape, |(r, c)| {
        let rows = r * factor..((r + 1) * factor).min(height);
        let columns = c * factor..((c + 1) * factor).min(width);
        let n = (rows.len() * columns.len()) as f32;
        let values = rows.flat_map(|y| columns.clone().map(move |x| image[[y, x]]));
        values.sum::<f32>() / n
    })
}

fn outlines(svg: &mut Svg, at: Area, subject: &Subject) {
    let seg = subject.seg;
    let scale = at.width / seg.first_frame.ncols() as f64;
    // A stroke in page units, whatever the size of a pixel.
    let stroke = 2.0 / scale;
    svg.push(format_args!(
        "<g transform=\"translate({:.2} {:.2}) scale({scale:.5})\" stroke-width=\"{stroke:.5}\" \
         stroke-linejoin=\"round\" fill-opacity=\"0.35\" fill-rule=\"evenodd\">\n",
        at.x, at.y
    ));
    for (&member, &cluster) in seg.clustering.members.iter().zip(&seg.clustering.labels) {
        let roi = &seg.rois[member];
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
    let labels = &subject.seg.clustering.labels;
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

/// A bar of round length below an image whose pixel size is known, where it hides nothing.
fn scale_bar(svg: &mut Svg, at: Area, columns: usize, pixel_size_um: Option<f64>) {
    let Some(pixel) = pixel_size_um.filter(|p| p.is_finite() && *p > 0.0) else {
        return;
    };
    let per_um = at.width / (columns as f64 * pixel);
    let um = label::nice_below(0.25 * at.width / per_um);
    let (right, y) = (at.x + at.width, at.y + at.height + 14.0);
    svg.line((right - um * per_um, y), (right, y), "#111111", 5.0);
    let style = TextStyle::new(20.0).end();
    svg.text(right, y + 27.0, &style, &format!("{} µm", label::short(um)));
}

const NO_CELLS: &str = "No cells were found in this recording.";

/// Fills a panel that would show cells with the words that there are none.
pub(super) fn no_cells(svg: &mut Svg, area: Area) {
    nothing(svg, area, NO_CELLS);
}
