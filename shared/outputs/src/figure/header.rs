//! The two lines above the panels: what was recorded, and the result in numbers.

use super::{
    MARGIN, Subject, WIDTH, label,
    svg::{Svg, TextStyle},
};

const NAME_SIZE: f64 = 38.0;

pub(super) fn draw(svg: &mut Svg, subject: &Subject) {
    let name = label::fitted(&subject.meta.name, NAME_SIZE, WIDTH - 2.0 * MARGIN);
    svg.text(MARGIN, 56.0, &TextStyle::new(NAME_SIZE).bold(), &name);
    let style = TextStyle::new(22.0).color("#444444");
    svg.text(MARGIN, 94.0, &style, &facts(subject).join("  ·  "));
}

fn facts(subject: &Subject) -> Vec<String> {
    let (meta, seg) = (subject.meta, subject.seg);
    let (height, width) = seg.first_frame.dim();
    let cells = seg.rois.iter().filter(|r| r.is_cell).count();
    let assumed = if meta.frame_rate_assumed { " (assumed)" } else { "" };
    let mut all = vec![
        format!("{} among {}", label::cells(cells), label::counted(seg.rois.len(), "ROI")),
        format!("{} Hz{assumed}", label::short(meta.frame_rate_hz)),
        label::counted(seg.f.ncols(), "frame"),
        format!("{width} × {height} px"),
        format!("tau {} s", label::short(meta.tau_s)),
        format!("dropscope {}", meta.version),
    ];
    if subject.planes > 1 {
        all.insert(0, format!("plane {} of {}", subject.plane + 1, subject.planes));
    }
    all
}
