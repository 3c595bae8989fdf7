//! The elements of OME-XML that tell about pages: `Image`, `Pixels`, `TiffData`, `Plane` (OME model 2016-06 and the
//! "OME-TIFF specification", docs.openmicroscopy.org).

use std::collections::HashMap;

use super::super::xml::{Element, Item, Items};

/// Most files of a set whose names are kept.
const MOST_FILES: usize = 1 << 16;
/// Most time stamps that are kept; an even rate is known long before.
const MOST_TIMES: usize = 1 << 14;

/// What the text says, of the image that this file belongs to.
#[derive(Debug, Default)]
pub(super) struct Model {
    /// The `UUID` of this file.
    own: Option<String>,
    /// The file that holds the metadata which this one lacks.
    pub(super) elsewhere: Option<String>,
    pub(super) images: usize,
    pub(super) image: Option<Image>,
    /// Names of the files of the set, in order of appearance.
    pub(super) files: Vec<String>,
    /// Whether the text ended before its elements did.
    pub(super) cut: bool,
}

/// One `Image` with its `Pixels`.
#[derive(Debug, Default)]
pub(super) struct Image {
    pub(super) order: Option<String>,
    pub(super) size_t: Option<usize>,
    pub(super) size_z: Option<usize>,
    pub(super) size_c: Option<usize>,
    pub(super) time_increment: Option<String>,
    pub(super) time_unit: Option<String>,
    pub(super) physical_size: Option<String>,
    pub(super) physical_unit: Option<String>,
    pub(super) samples_per_pixel: usize,
    pub(super) blocks: Vec<Block>,
    /// `TheT` and the time in its unit's seconds, of the first plane and channel that has one.
    pub(super) times: Vec<(u64, f64)>,
    timed: Option<(u64, u64)>,
    has_pixels: bool,
}

/// One `TiffData`: pages of a file and the place of the first of them, as channel, plane, time.
#[derive(Debug, Default)]
pub(super) struct Block {
    pub(super) ifd: Option<u64>,
    pub(super) count: Option<u64>,
    pub(super) first: [u64; 3],
    /// Index into [`Model::files`].
    pub(super) file: Option<usize>,
    uuid: Option<String>,
}

impl Model {
    /// Reads what is there; a text that ends early gives what comes before.
    pub(super) fn read(text: &str) -> Self {
        let mut model = Self::default();
        let mut names = HashMap::new();
        let mut image = Image::default();
        let mut in_uuid = false;
        let mut items = Items::of(text);
        for item in items.by_ref() {
            match item {
                Item::Open(element) => {
                    in_uuid = element.name() == "UUID";
                    model.open(&element, &mut image, &mut names);
                }
                Item::Text(text) if in_uuid => {
                    if let Some(block) = image.blocks.last_mut() {
                        block.uuid = Some(text.trim().to_owned());
                    }
                }
                Item::Text(_) => {}
                Item::Close(name) => {
                    in_uuid = false;
                    if name == "Image" {
                        model.close_image(std::mem::take(&mut image));
                    }
                }
            }
        }
        model.cut = items.is_open();
        model.close_image(image);
        model
    }

    fn open(&mut self, element: &Element<'_>, image: &mut Image, names: &mut HashMap<String, usize>) {
        match element.name().as_ref() {
            "OME" => self.own = element.get("UUID"),
            "BinaryOnly" => self.elsewhere = element.get("MetadataFile").and_then(|name| file_name(&name)),
            "Image" => self.images += 1,
            "Pixels" if !image.has_pixels => image.open_pixels(element),
            "Channel" if image.samples_per_pixel == 0 => {
                image.samples_per_pixel = element.number("SamplesPerPixel").unwrap_or(1);
            }
            "TiffData" => image.blocks.push(Block {
                ifd: element.number("IFD"),
                count: element.number("PlaneCount"),
                first: ["FirstC", "FirstZ", "FirstT"].map(|key| element.number(key).unwrap_or(0)),
                ..Block::default()
            }),
            "UUID" => {
                let name = element.get("FileName").and_then(|name| file_name(&name));
                if let (Some(name), Some(block)) = (name, image.blocks.last_mut()) {
                    block.file = self.file(name, names);
                }
            }
            "Plane" => image.add_time(element),
            _ => {}
        }
    }

    fn file(&mut self, name: String, names: &mut HashMap<String, usize>) -> Option<usize> {
        if let Some(index) = names.get(&name) {
            return Some(*index);
        }
        if self.files.len() == MOST_FILES {
            return None;
        }
        names.insert(name.clone(), self.files.len());
        self.files.push(name);
        Some(self.files.len() - 1)
    }

    /// Keeps the first image, or the first that has pages in this file.
    fn close_image(&mut self, image: Image) {
        let kept_is_ours = self.image.as_ref().is_some_and(|kept| self.has_ours(kept));
        if image.has_pixels && !kept_is_ours && (self.image.is_none() || self.has_ours(&image)) {
            self.image = Some(image);
        }
    }

    fn has_ours(&self, image: &Image) -> bool {
        image.blocks.iter().any(|block| self.is_ours(block))
    }

    /// Whether the pages are in this file: it says nothing of another, or names this one's identifier.
    pub(super) fn is_ours(&self, block: &Block) -> bool {
        match (&block.uuid, &self.own) {
            (Some(uuid), Some(own)) if uuid == own => true,
            (None, _) if block.file.is_none() => true,
            // A file that was saved anew has another identifier, and a set of one file is this file.
            _ => self.files.len() <= 1,
        }
    }
}

impl Image {
    fn open_pixels(&mut self, element: &Element<'_>) {
        let size = |key: &str| element.number(key).filter(|n| *n > 0);
        self.has_pixels = true;
        self.order = element.get("DimensionOrder");
        self.size_t = size("SizeT");
        self.size_z = size("SizeZ");
        self.size_c = size("SizeC");
        self.time_increment = element.get("TimeIncrement");
        self.time_unit = element.get("TimeIncrementUnit");
        self.physical_size = element.get("PhysicalSizeX");
        self.physical_unit = element.get("PhysicalSizeXUnit");
    }

    fn add_time(&mut self, element: &Element<'_>) {
        let unit = element.get("DeltaTUnit").map_or(Some(1.0), |unit| super::seconds(&unit));
        let (Some(time), Some(unit)) = (element.number::<f64>("DeltaT"), unit) else {
            return;
        };
        let [Some(t), Some(z), Some(c)] = ["TheT", "TheZ", "TheC"].map(|key| element.number::<u64>(key)) else {
            return;
        };
        if *self.timed.get_or_insert((z, c)) == (z, c) && self.times.len() < MOST_TIMES {
            self.times.push((t, time * unit));
        }
    }
}

/// The name of a file without its folders, or `None` where that is no name.
fn file_name(path: &str) -> Option<String> {
    let name = path.rsplit(['/', '\\']).next()?.trim();
    let usable = !matches!(name, "" | "." | "..") && name.len() <= 255 && !name.chars().any(char::is_control);
    usable.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_lead_nowhere_else() {
        for (path, name) in [("a b.ome.tif", Some("a b.ome.tif")), ("C:\\x\\a.tif", Some("a.tif")), ("../../etc/a", Some("a"))] {
            assert_eq!(file_name(path).as_deref(), name, "{path}");
        }
        for path in ["", "..", "a/..", "a\nb", &"x".repeat(256)] {
            assert_eq!(file_name(path), None, "{path}");
        }
    }
}
