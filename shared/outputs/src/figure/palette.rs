//! Colours that survive colour blindness and a grey printer.

/// Okabe & Ito 2008, *Color Universal Design*, without black and with yellow last, which is
/// weak on white.
pub(crate) const CLUSTERS: [&str; 7] = ["#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442"];

/// Blue – white – red, ColorBrewer's *RdBu* with eleven steps (Harrower & Brewer 2003), reversed.
pub(crate) const DIVERGING: [[u8; 3]; 11] = [
    [5, 48, 97],
    [33, 102, 172],
    [67, 147, 195],
    [146, 197, 222],
    [209, 229, 240],
    [247, 247, 247],
    [253, 219, 199],
    [244, 165, 130],
    [214, 96, 77],
    [178, 24, 43],
    [103, 0, 31],
];

/// The colour of a cluster; past seven they come round again, told apart by number.
pub(super) fn cluster(label: usize) -> &'static str {
    CLUSTERS[label % CLUSTERS.len()]
}

/// The colour of a cluster's lines on white: yellow alone is too pale for them.
pub(super) fn line(label: usize) -> &'static str {
    match cluster(label) {
        "#F0E442" => "#B5A800",
        strong => strong,
    }
}

/// The colour of a value between −1 and 1.
pub(super) fn diverging(value: f64) -> [u8; 3] {
    let position = (value.clamp(-1.0, 1.0) + 1.0) / 2.0 * (DIVERGING.len() - 1) as f64;
    let below = (position as usize).min(DIVERGING.len() - 2);
    let part = position - below as f64;
    let (a, b) = (DIVERGING[below], DIVERGING[below + 1]);
    std::array::from_fn(|i| (f64::from(a[i]) * (1.0 - part) + f64::from(b[i]) * part).round() as u8)
}
