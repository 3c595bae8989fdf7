//! Pictures of each plane, and how its frames moved.

use ndarray::Array2;

use super::hdf5::{Data, Node, Type, Value};
use super::{Source, of_type, series, typed};

/// Adds the pictures and the motion of all planes.
pub(super) fn all<'a>(source: Source<'a>, module: Node<'a>) -> Node<'a> {
    source.planes().fold(module, |module, (p, _, seg)| {
        let reg = &seg.registration;
        let pictures = [
            ("mean", "Mean of the registered frames.", &reg.mean),
            ("mean_raw", "Mean of the frames before registration.", &reg.mean_raw),
            ("max", "Maximum of the registered frames, averaged over short bins of time.", &reg.max),
            ("sd", "Standard deviation of the registered frames.", &reg.sd),
            ("reference", "The picture that the frames were registered to.", &reg.reference),
            ("first_frame", "The first frame before registration.", &seg.first_frame),
        ];
        let what = format!("Pictures of plane {p}, indexed [x, y] as NWB has it: transpose them to show rows and columns.");
        let group = pictures.into_iter().fold(typed("core", "Images").with("description", what), |group, (name, what, image)| {
            group.holding(name, picture(image, what, source.meta.pixel_size_um))
        });
        series::motion(module.holding(format!("SummaryImages_plane{p}"), group), p, reg, source.meta.frame_rate_hz)
    })
}

/// Columns by rows: the first axis of NWB's images is x.
fn picture<'a>(image: &'a Array2<f32>, what: &str, pixel_size_um: Option<f64>) -> Node<'a> {
    let (height, width) = image.dim();
    let write =
        |out: &mut dyn std::io::Write| out.write_all(&image.t().iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>());
    let data = Node::dataset(Type::F32, Some(vec![width, height]), Data::Pieces(Box::new(write)));
    let image = of_type(data, "core", "GrayscaleImage").with("description", what);
    match pixel_size_um {
        // Pixels in a centimetre.
        Some(um) => image.with("resolution", Value::F64(1e4 / um)),
        None => image,
    }
}
