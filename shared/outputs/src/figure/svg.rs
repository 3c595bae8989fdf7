//! A few SVG elements, written as text.

use std::fmt::Write;

use base64::{Engine, engine::general_purpose::STANDARD};

/// Families for viewers that render the SVG themselves; the first is the embedded one.
const FAMILIES: &str = "DejaVu Sans, Verdana, Arial, sans-serif";

/// A rectangle on the page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Area {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// How a line of text looks and where it is anchored.
#[derive(Debug, Clone, Copy)]
pub(super) struct TextStyle {
    size: f64,
    bold: bool,
    anchor: &'static str,
    color: &'static str,
    turned: bool,
}

impl TextStyle {
    pub(super) fn new(size: f64) -> Self {
        Self { size, bold: false, anchor: "start", color: "#111111", turned: false }
    }

    pub(super) fn bold(mut self) -> Self {
        self.bold = true;
        self
    }

    pub(super) fn middle(mut self) -> Self {
        self.anchor = "middle";
        self
    }

    pub(super) fn end(mut self) -> Self {
        self.anchor = "end";
        self
    }

    pub(super) fn color(mut self, color: &'static str) -> Self {
        self.color = color;
        self
    }

    /// Reads from bottom to top.
    pub(super) fn turned(mut self) -> Self {
        self.turned = true;
        self
    }
}

/// A document under construction.
pub(super) struct Svg(String);

impl Svg {
    pub(super) fn new(width: f64, height: f64, title: &str) -> Self {
        let mut svg = Self(String::new());
        svg.push(format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" \
             width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
             font-family=\"{FAMILIES}\">\n<title>{}</title>\n",
            escaped(title)
        ));
        let page = Area { x: 0.0, y: 0.0, width, height };
        svg.rect(page, "#ffffff");
        svg
    }

    pub(super) fn finish(mut self) -> String {
        self.0.push_str("</svg>\n");
        self.0
    }

    pub(super) fn push(&mut self, text: std::fmt::Arguments) {
        // Writing to a String cannot fail.
        let _ = self.0.write_fmt(text);
    }

    pub(super) fn text(&mut self, x: f64, y: f64, style: &TextStyle, text: &str) {
        let weight = if style.bold { " font-weight=\"bold\"" } else { "" };
        let turn = if style.turned { format!(" transform=\"rotate(-90 {x:.1} {y:.1})\"") } else { String::new() };
        let TextStyle { size, anchor, color, .. } = style;
        self.push(format_args!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{size}\" fill=\"{color}\" \
             text-anchor=\"{anchor}\"{weight}{turn}>{}</text>\n",
            escaped(text)
        ));
    }

    pub(super) fn rect(&mut self, a: Area, fill: &str) {
        self.push(format_args!(
            "<rect x=\"{:.2}\" y=\"{:.2}\" width=\"{:.2}\" height=\"{:.2}\" fill=\"{fill}\"/>\n",
            a.x, a.y, a.width, a.height
        ));
    }

    pub(super) fn frame(&mut self, a: Area) {
        self.push(format_args!(
            "<rect x=\"{:.2}\" y=\"{:.2}\" width=\"{:.2}\" height=\"{:.2}\" fill=\"none\" \
             stroke=\"#333333\" stroke-width=\"1\"/>\n",
            a.x, a.y, a.width, a.height
        ));
    }

    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64), color: &str, width: f64) {
        self.push(format_args!(
            "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"{color}\" \
             stroke-width=\"{width}\"/>\n",
            from.0, from.1, to.0, to.1
        ));
    }

    /// An image stretched over `a`; `sharp` keeps its pixels as squares.
    pub(super) fn image(&mut self, a: Area, png: &[u8], sharp: bool) {
        let style = if sharp { " style=\"image-rendering:pixelated\"" } else { "" };
        let data = STANDARD.encode(png);
        self.push(format_args!(
            "<image x=\"{:.2}\" y=\"{:.2}\" width=\"{:.2}\" height=\"{:.2}\" \
             preserveAspectRatio=\"none\"{style} \
             xlink:href=\"data:image/png;base64,{data}\"/>\n",
            a.x, a.y, a.width, a.height
        ));
    }
}

/// Makes any text safe inside an element or attribute; characters that XML 1.0 forbids are
/// replaced, since a file name may hold them.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
