//! The page: a template, and the parts that are filled in without a script.

use std::fmt::Write;

use base64::{Engine, engine::general_purpose::STANDARD};
use dropscope_segmentation::SegmentedRecording;
use sha2::{Digest, Sha256};

use super::{ReportFacts, ReportFlag, Severity, encode, shown::Shown};
use crate::{RunMeta, figure::counted, tables::number};

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
/// One program in parts: bytes, drawing, the three views, and what ties them together.
const SCRIPT: [&str; 6] = [
    include_str!("page/data.js"),
    include_str!("page/draw.js"),
    include_str!("page/field.js"),
    include_str!("page/traces.js"),
    include_str!("page/plots.js"),
    include_str!("page/main.js"),
];

/// What goes into the template.
pub(super) struct Parts<'a> {
    pub(super) meta: &'a RunMeta,
    pub(super) recording: &'a SegmentedRecording,
    pub(super) facts: &'a ReportFacts,
    pub(super) shown: &'a Shown,
    /// Bytes of the movies that are embedded, as GIFs; others are links.
    pub(super) movies: usize,
    /// Data for the script, in elements of their own.
    pub(super) data: &'a str,
}

/// Text as HTML shows it, also inside of quotes, on one line. The marks that turn its direction have no place in a name.
pub(super) fn escaped(text: &str) -> String {
    let plain = |c: char| match c {
        '\u{2028}' | '\u{2029}' => ' ',
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        c if c.is_control() && c.is_whitespace() => ' ',
        c => c,
    };
    crate::figure::escaped(&text.chars().map(plain).collect::<String>())
}

/// JSON that may stand inside of a script element, whatever texts it holds: nothing in it can end the element.
pub(super) fn inside_script(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out
}

/// The whole document.
pub(super) fn render(parts: &Parts<'_>) -> String {
    let script = format!("\"use strict\";(()=>{{\n{}}})();\n", SCRIPT.concat());
    // The page's own program runs and no other, whatever a name says; and nothing is fetched from anywhere.
    let hash = STANDARD.encode(Sha256::digest(script.as_bytes()));
    fill(PAGE, |name| match name {
        "hash" => hash.clone(),
        "title" => escaped(&parts.meta.name),
        "style" => STYLE.to_owned(),
        "script" => script.clone(),
        "verdict" => verdict(parts),
        "facts" => facts(parts),
        "flags" => flags(&parts.facts.flags),
        "movies" => movies(parts),
        "measures" => rows(parts.facts.measures.iter()),
        "settings" => settings(parts.facts),
        "run" => rows(parts.facts.run.iter()),
        "files" => files(parts.facts),
        "version" => escaped(&parts.meta.version),
        "data" => parts.data.to_owned(),
        _ => String::new(),
    })
}

/// Puts values where the template names them; what a value holds is never looked at again.
fn fill(template: &str, value: impl Fn(&str) -> String) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let Some((name, after)) = after.split_once("}}") else { break };
        out.push_str(&value(name));
        rest = after;
    }
    out.push_str(rest);
    out
}

fn verdict(parts: &Parts<'_>) -> String {
    let planes = &parts.recording.planes;
    let cells = planes.iter().flat_map(|s| &s.rois).filter(|r| r.is_cell).count();
    let rois: usize = planes.iter().map(|s| s.rois.len()).sum();
    let clusters = parts.recording.clustering.in_use();
    let mut out = format!("<b>{}</b> among {}", counted(cells, "cell"), counted(rois, "ROI"));
    if clusters > 0 {
        let _ = write!(out, ", in {}", counted(clusters, "cluster"));
    }
    if parts.shown.rois.len() < parts.shown.of {
        let _ = write!(out, "; this page shows {} of the ROIs, the tables have all", parts.shown.rois.len());
    }
    out
}

fn facts(parts: &Parts<'_>) -> String {
    let (meta, planes) = (parts.meta, &parts.recording.planes);
    let (height, width) = planes.first().map_or((0, 0), |seg| seg.first_frame.dim());
    let frames = planes.iter().map(|seg| seg.registration.yoff.len()).max().unwrap_or(0);
    let assumed = if meta.frame_rate_assumed { " <span class=\"assumed\">assumed</span>" } else { "" };
    let mut all = vec![
        format!("{} × {} px", width, height),
        counted(frames, "frame"),
        format!("{} Hz{assumed}", number(meta.frame_rate_hz)),
        duration(frames as f64 / meta.frame_rate_hz),
    ];
    if planes.len() > 1 {
        all.insert(0, counted(planes.len(), "plane"));
    }
    if let Some(um) = meta.pixel_size_um {
        all.push(format!("{} µm a pixel", number(um)));
    }
    all.iter().map(|fact| format!("<li>{fact}</li>")).collect()
}

/// How long a recording is, in the unit that a person would use.
fn duration(seconds: f64) -> String {
    if seconds < 120.0 {
        return format!("{seconds:.1} s");
    }
    let minutes = (seconds / 60.0).round() as u64;
    if minutes < 120 { format!("{minutes} min") } else { format!("{} h {} min", minutes / 60, minutes % 60) }
}

fn flags(flags: &[ReportFlag]) -> String {
    if flags.is_empty() {
        return "<p class=\"calm\">Nothing stands out: no flag was raised.</p>".to_owned();
    }
    let mut out = String::from("<ul class=\"flags\">");
    for flag in flags {
        let (what, remedy) = flag.words.split_once(": ").unwrap_or((&flag.words, ""));
        let sign = match flag.severity {
            Severity::Problem => "Problem",
            Severity::Warning => "Warning",
            Severity::Info => "Note",
        };
        let word = flag.severity.word();
        let (what, remedy) = (escaped(what), escaped(remedy));
        let _ =
            write!(out, "<li class=\"{word}\"><span class=\"sign\">{sign}</span><div><b>{what}</b><p>{remedy}</p></div></li>");
    }
    out.push_str("</ul>");
    out
}

fn movies(parts: &Parts<'_>) -> String {
    let (mut out, mut left) = (String::new(), parts.movies);
    for movie in &parts.facts.movies {
        let (name, shows) = (escaped(&movie.name), escaped(&movie.shows));
        if movie.gif.len() <= left {
            left -= movie.gif.len();
            let gif = encode::text(&movie.gif);
            let _ = write!(
                out,
                "<figure><img alt=\"{shows}\" src=\"data:image/gif;base64,{gif}\"><figcaption>{shows}</figcaption></figure>"
            );
        } else {
            let _ = write!(out, "<p class=\"beside\"><a href=\"./{name}\">{name}</a> {shows}; too large to be carried along</p>");
        }
    }
    if out.is_empty() {
        out.push_str("<p class=\"calm\">None lies beside this report: <code>dropscope preview</code> makes them.</p>");
    }
    out
}

fn rows<'a>(rows: impl Iterator<Item = &'a (String, String)>) -> String {
    rows.map(|(label, value)| format!("<tr><th scope=\"row\">{}</th><td>{}</td></tr>", escaped(label), escaped(value))).collect()
}

fn settings(facts: &ReportFacts) -> String {
    let row = |s: &super::ReportSetting| {
        let mark = if s.assumed { "<span class=\"assumed\">assumed</span>".to_owned() } else { escaped(&s.source) };
        format!("<tr><th scope=\"row\">{}</th><td>{}</td><td>{mark}</td></tr>", escaped(&s.name), escaped(&s.value))
    };
    facts.settings.iter().map(row).collect()
}

fn files(facts: &ReportFacts) -> String {
    let row = |(name, what): &(String, String)| {
        format!("<tr><th scope=\"row\"><a href=\"./{0}\">{0}</a></th><td>{1}</td></tr>", escaped(name), escaped(what))
    };
    facts.files.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_a_script_element() {
        let json = serde_json::to_string("</script><!-- & \u{2028}\u{2029}").unwrap_or_default();
        let safe = inside_script(&json);
        assert!(!safe.contains(['<', '>', '&', '\u{2028}', '\u{2029}']), "{safe}");
        assert_eq!(serde_json::from_str::<String>(&safe).ok().as_deref(), Some("</script><!-- & \u{2028}\u{2029}"));
    }

    #[test]
    fn a_value_that_looks_like_a_place_is_no_place() {
        let name = |place: &str| if place == "a" { "{{b}}".to_owned() } else { "filled".to_owned() };
        assert_eq!(fill("x {{a}} y {{b}}", name), "x {{b}} y filled");
    }

    #[test]
    fn long_recordings_are_told_in_hours() {
        assert_eq!([duration(26.67), duration(600.0), duration(10_000.0)], ["26.7 s", "10 min", "2 h 47 min"]);
    }
}
