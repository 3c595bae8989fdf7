//! A recording as the folder that suite2p, its GUI and the scripts of many laboratories read.
//!
//! Layout and keys follow suite2p's public description of its outputs (<https://suite2p.readthedocs.io>, page *Outputs*)
//! and what its version 1.1.0 opens: `ops.npy` with everything, as before version 1, and the same in the four files that
//! version 1 has beside it. Several planes are in `combined/`, too, tiled as suite2p tiles them.

mod combined;
mod maps;
mod ops;
mod stat;

use std::io::Write;

use dropscope_segmentation::{Roi, Segmentation};
use ndarray::Array2;

use crate::files::Contents;
use crate::pickle::Value;
use crate::{RunMeta, npy};

/// One of the arrays of a plane, ROIs × frames.
type Trace = fn(&Segmentation) -> &Array2<f32>;

/// A named entry of a dict.
type Entries = Vec<(&'static str, Value)>;

/// Hands every file of the layout to `sink`, in a fixed order, as (path relative to the run, contents).
///
/// `F`, `Fneu`, `spks` are float32, ROIs × frames; `iscell` is float32, ROIs × 2 (label, probability); `stat` an array of
/// dicts, one per ROI; all others a dict in a 0-d array. One plane has no `combined/`, as in suite2p.
///
/// # Errors
/// The first error of `sink`.
pub(crate) fn render<E>(
    meta: &RunMeta,
    planes: &[Segmentation],
    mut sink: impl FnMut(&str, Contents<'_>) -> Result<(), E>,
) -> Result<(), E> {
    for (p, seg) in planes.iter().enumerate() {
        let folder = format!("suite2p/plane{p}");
        traces(&folder, std::slice::from_ref(seg), &mut sink)?;
        let stat = seg.rois.iter().map(|r| stat::dict(r, &seg.rois, p, (0, 0))).collect();
        sink(&format!("{folder}/stat.npy"), Contents::Whole(npy::objects(stat)))?;
        let acquired = || ops::acquired(meta, (p, planes.len()), seg);
        let found: [(&str, &dyn Fn() -> Entries); 5] = [
            ("ops", &|| ops::all(meta, (p, planes.len()), seg)),
            ("db", &acquired),
            ("settings", &|| ops::settings(meta, &seg.rois)),
            ("reg_outputs", &|| ops::registered(&seg.registration)),
            ("detect_outputs", &|| ops::detected(&seg.registration)),
        ];
        for (name, entries) in found {
            sink(&format!("{folder}/{name}.npy"), Contents::Whole(npy::object(Value::Dict(entries()))))?;
        }
    }
    if planes.len() > 1 { combined::render(meta, planes, sink) } else { Ok(()) }
}

/// The arrays of numbers of all ROIs of `planes`, one plane after the other.
fn traces<E>(folder: &str, planes: &[Segmentation], sink: &mut impl FnMut(&str, Contents<'_>) -> Result<(), E>) -> Result<(), E> {
    let arrays: [(&str, Trace); 3] = [("F", |seg| &seg.f), ("Fneu", |seg| &seg.fneu), ("spks", |seg| &seg.spks)];
    for (name, of) in arrays {
        let parts: Vec<&Array2<f32>> = planes.iter().map(of).collect();
        let write = |out: &mut dyn Write| npy::write_stacked(&parts, out);
        sink(&format!("{folder}/{name}.npy"), Contents::Pieces(&write))?;
    }
    let rois: Vec<&Roi> = planes.iter().flat_map(|seg| &seg.rois).collect();
    sink(&format!("{folder}/iscell.npy"), Contents::Whole(npy::matrix(&iscell(&rois))))
}

fn iscell(rois: &[&Roi]) -> Array2<f32> {
    Array2::from_shape_fn((rois.len(), 2), |(i, column)| match column {
        0 => f32::from(u8::from(rois[i].is_cell)),
        _ => rois[i].cell_probability,
    })
}
