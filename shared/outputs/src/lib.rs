//! suite2p arrays, CSV tables, NWB, the figure and the report of a segmented recording.
//!
//! Everything here is a pure function from a result to bytes: no clock, no randomness, no
//! order that depends on a hash map. [`render_all`] hands every file of a run to the caller,
//! one at a time; [`write_folder`] is the caller that puts them in a directory.

mod clusters;
mod dff;
mod error;
mod figure;
mod files;
mod meta;
mod npy;
mod nwb;
mod pickle;
mod picture;
mod report;
mod stack;
mod suite2p;
mod tables;

pub use dff::delta_f_over_f;
pub use dropscope_picture::PictureError;
pub use error::OutputError;
pub use figure::{figure_svg, plane_figure_svg, rasterize};
pub use files::{Contents, render_all, write_folder};
pub use meta::RunMeta;
pub use nwb::{Hdf5Error, Session, Subject};
pub use picture::{gray_png, robust_range};
pub use report::{
    Brightness, MOST_REPORT_BYTES, Movie, ReportFacts, ReportFlag, ReportSetting, RoiTraces, Severity, Traces, report_html,
    report_html_of,
};
pub use stack::{Stack, StackShape};
