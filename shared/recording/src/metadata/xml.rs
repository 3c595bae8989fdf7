//! A pull reader of XML that never fails: what it cannot read ends the text.
//!
//! Entities are not followed, whatever a document type declares, so no text grows while it is read.

use std::borrow::Cow;

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

/// One step through a text.
pub(super) enum Item<'a> {
    Open(Element<'a>),
    /// An element's end, also that of an empty one.
    Close(Cow<'a, str>),
    Text(Cow<'a, str>),
}

/// An element's start, names without their namespace.
pub(super) struct Element<'a> {
    start: BytesStart<'a>,
}

impl Element<'_> {
    pub(super) fn name(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.start.local_name().into_inner())
    }

    /// The value of an attribute.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        let mut attributes = self.start.attributes();
        // Looking for attributes that come twice takes quadratic time.
        let mut attributes = attributes.with_checks(false).flatten();
        let found = attributes.find(|a| a.key.local_name().into_inner() == name.as_bytes())?;
        let value = found.normalized_value(XmlVersion::Implicit1_0);
        Some(value.map_or_else(|_| String::from_utf8_lossy(&found.value).into_owned(), Cow::into_owned))
    }

    /// The value of an attribute as a number.
    pub(super) fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.get(name)?.trim().parse().ok()
    }
}

/// The steps through a text.
pub(super) struct Items<'a> {
    reader: Reader<&'a [u8]>,
    /// The end that an empty element still owes.
    owed: Option<Cow<'a, str>>,
    /// Elements that are open; not 0 at the end of a text that was cut short.
    depth: usize,
}

impl<'a> Items<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let mut reader = Reader::from_str(text);
        let config = reader.config_mut();
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        config.allow_dangling_amp = true;
        Self { reader, owed: None, depth: 0 }
    }

    /// Whether the text so far left elements open.
    pub(super) fn is_open(&self) -> bool {
        self.depth > 0
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        if let Some(name) = self.owed.take() {
            return Some(Item::Close(name));
        }
        loop {
            match self.reader.read_event().ok()? {
                Event::Start(start) => {
                    self.depth += 1;
                    return Some(Item::Open(Element { start }));
                }
                Event::Empty(start) => {
                    self.owed = Some(Cow::Owned(Element { start: start.clone() }.name().into_owned()));
                    return Some(Item::Open(Element { start }));
                }
                Event::End(end) => {
                    self.depth = self.depth.saturating_sub(1);
                    let name = String::from_utf8_lossy(end.local_name().into_inner()).into_owned();
                    return Some(Item::Close(Cow::Owned(name)));
                }
                Event::Text(text) => {
                    return Some(Item::Text(Cow::Owned(String::from_utf8_lossy(&text.into_inner()).into_owned())));
                }
                Event::Eof => return None,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        let open = Items::of(text).filter_map(|item| match item {
            Item::Open(element) => Some(element.name().into_owned()),
            _ => None,
        });
        open.collect()
    }

    #[test]
    fn namespaces_do_not_change_names() {
        assert_eq!(names("<?xml version='1.0'?><OME:OME xmlns:OME='x'><OME:Pixels/></OME:OME>"), ["OME", "Pixels"]);
    }

    #[test]
    fn a_text_cut_short_gives_what_it_has() {
        assert_eq!(names("<a><b c='1'/><d"), ["a", "b"]);
        let mut items = Items::of("<a><b>");
        assert_eq!(items.by_ref().count(), 2);
        assert!(items.is_open());
    }

    #[test]
    fn entities_are_not_followed() {
        let bomb = "<!DOCTYPE a [<!ENTITY x 'xxxx'><!ENTITY y '&x;&x;&x;&x;'>]><a b='&y;' c='&lt;&#181;m'>&y;</a>";
        let mut items = Items::of(bomb);
        let Some(Item::Open(a)) = items.next() else { panic!("no element") };
        assert_eq!((a.get("b").unwrap().as_str(), a.get("c").unwrap().as_str(), a.get("d")), ("&y;", "<µm", None));
        assert_eq!(items.count(), 1);
    }
}
