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
    let (meta, segs) = (subject.meta, subject.segs());
    let (height, width) = segs.first().map_or((0, 0), |seg| seg.first_frame.dim());
    let rois = segs.iter().map(|seg| seg.rois.len()).sum();
    let cells = segs.iter().flat_map(|seg| &seg.rois).filter(|r| r.is_cell).count();
    let frames = segs.iter().map(|seg| seg.f.ncols()).max().unwrap_or(0);
    let assumed = if meta.frame_rate_assumed { " (assumed)" } else { "" };
    let mut all = vec![
        format!("{} among {}", label::cells(cells), label::counted(rois, "ROI")),
        format!("{} Hz{assumed}", label::short(meta.frame_rate_hz)),
        label::counted(frames, "frame"),
        format!("{width} × {height} px"),
        format!("tau {} s", label::short(meta.tau_s)),
        format!("dropscope {}", meta.version),
    ];
    let planes = subject.recording.planes.len();
    match segs.len() {
        shown if shown < planes => all.insert(0, format!("plane {} of {planes}", subject.planes.start + 1)),
        1 => {}
        _ => all.insert(0, label::counted(planes, "plane")),
    }
    all
}
