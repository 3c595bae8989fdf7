//! A writer of HDF5 files ("HDF5 File Format Specification Version 3.0", The HDF Group), and no more than NWB needs.
//!
//! Written here since no crate serves: bindings need the C library, and the writers in pure Rust are months old, change from
//! week to week, have a hundred thousand lines and more, and take datasets as slices in memory. A run's bytes may not
//! change with such a crate's version, and traces are larger than memory should be. What is written is what HDF5 1.8 reads:
//! superblock and object headers of version 2, links and attributes in the headers, contiguous data.
//!
//! All addresses are known before the first byte is written, so a file is one pass over a plain `Write`: superblock, headers,
//! texts, then data in the order of their datasets.

mod checksum;
mod encode;
mod heap;
mod node;

use std::collections::HashMap;
use std::io::{self, Write};

use encode::{Header, UNDEFINED, kind};
use heap::Heap;
pub(crate) use node::{Child, Data, Kind, Node, Type, Value};

/// Why a tree of objects is no file: a mistake of the program.
#[derive(Debug, thiserror::Error)]
pub enum Hdf5Error {
    /// A reference leads nowhere.
    #[error("nothing lies at `{path}`, which is referred to")]
    Missing {
        /// The path.
        path: String,
    },
    /// A name or attribute is larger than a header may hold.
    #[error("a header message has `{bytes}` bytes, and 65535 is the most")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
}

/// A file whose bytes are settled, except for the data.
pub(crate) struct Plan<'t> {
    /// Superblock, headers and texts.
    start: Vec<u8>,
    /// Datasets that have data, with the bytes that they take.
    data: Vec<(&'t Data<'t>, u64)>,
    heap: Heap,
    heap_at: u64,
}

/// Where everything lies.
struct Places {
    headers: Vec<u64>,
    data: Vec<u64>,
    heap: u64,
}

impl<'t> Plan<'t> {
    /// Settles where everything lies.
    ///
    /// # Errors
    /// See [`Hdf5Error`].
    pub(crate) fn of(root: &'t Node<'t>) -> Result<Self, Hdf5Error> {
        let mut objects = Objects::default();
        objects.add(String::new(), root);
        let unplaced = vec![UNDEFINED; objects.nodes.len()];
        let mut places = Places { headers: unplaced.clone(), data: unplaced, heap: 0 };
        // Sizes of headers do not depend on what the addresses are.
        let sizes = objects.headers(&places)?;
        let mut at = encode::SUPERBLOCK;
        for (place, header) in places.headers.iter_mut().zip(&sizes) {
            *place = at;
            at += header.len() as u64;
        }
        places.heap = at;
        at += objects.heap.bytes();
        let mut data = Vec::new();
        for (place, node) in places.data.iter_mut().zip(&objects.nodes) {
            if let Kind::Dataset { of, shape, data: elements } = &node.kind
                && let bytes @ 1.. = size(of, shape.as_deref())
            {
                *place = at;
                at += bytes.next_multiple_of(8);
                data.push((elements, bytes));
            }
        }
        let mut start = encode::superblock(places.headers[0], at);
        objects.headers(&places)?.iter().for_each(|header| start.extend(header));
        start.extend(objects.heap.encode());
        Ok(Self { start, data, heap: objects.heap, heap_at: places.heap })
    }

    /// Writes the file.
    ///
    /// # Errors
    /// Those of `out`; and when a dataset gives other bytes than its shape says, a mistake of the program.
    pub(crate) fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(&self.start)?;
        for (data, bytes) in &self.data {
            let mut counted = Counted { out: &mut *out, bytes: 0 };
            match data {
                Data::Bytes(bytes) => counted.write_all(bytes)?,
                Data::Texts(texts) => {
                    texts.iter().try_for_each(|text| counted.write_all(&self.heap.pointer(text, self.heap_at)))?;
                }
                Data::Pieces(pieces) => pieces(&mut counted)?,
            }
            if counted.bytes != *bytes {
                let found = counted.bytes;
                return Err(io::Error::other(format!("a dataset gave `{found}` bytes where `{bytes}` were expected")));
            }
            let padding = bytes.next_multiple_of(8) - bytes;
            out.write_all(&[0; 8][..padding as usize])?;
        }
        Ok(())
    }
}

/// Bytes of a dataset.
fn size(of: &Type, shape: Option<&[usize]>) -> u64 {
    shape.unwrap_or_default().iter().fold(u64::from(of.bytes()), |bytes, size| bytes.saturating_mul(*size as u64))
}

/// Every object of a file; the root is the first.
#[derive(Default)]
struct Objects<'t> {
    nodes: Vec<&'t Node<'t>>,
    /// Paths from the root, that of the root itself empty.
    paths: Vec<String>,
    numbers: HashMap<String, usize>,
    heap: Heap,
}

impl<'t> Objects<'t> {
    fn add(&mut self, path: String, node: &'t Node<'t>) {
        self.numbers.insert(path.clone(), self.nodes.len());
        self.nodes.push(node);
        self.paths.push(path.clone());
        for (_, value) in &node.attributes {
            match value {
                Value::Text(text) => self.heap.add(text),
                Value::Texts(texts) => texts.iter().for_each(|text| self.heap.add(text)),
                Value::F64(_) | Value::Reference(_) => {}
            }
        }
        match &node.kind {
            Kind::Dataset { data: Data::Texts(texts), .. } => texts.iter().for_each(|text| self.heap.add(text)),
            Kind::Dataset { .. } => {}
            Kind::Group(children) => {
                for (name, child) in children {
                    if let Child::Node(node) = child {
                        self.add(format!("{path}/{name}"), node);
                    }
                }
            }
        }
    }

    /// The headers of all objects, given where everything lies.
    fn headers(&self, places: &Places) -> Result<Vec<Vec<u8>>, Hdf5Error> {
        (0..self.nodes.len()).map(|number| self.header(number, places)).collect()
    }

    fn header(&self, number: usize, places: &Places) -> Result<Vec<u8>, Hdf5Error> {
        let node = self.nodes[number];
        let mut header = Header::default();
        match &node.kind {
            Kind::Group(children) => {
                header.add(kind::LINK_INFO, &encode::kept_here())?;
                header.add(kind::GROUP_INFO, &[0, 0])?;
                for (name, child) in children {
                    let link = match child {
                        Child::Soft(path) => encode::soft_link(name, path),
                        Child::Node(_) => {
                            encode::hard_link(name, self.address(&format!("{}/{name}", self.paths[number]), places)?)
                        }
                    };
                    header.add(kind::LINK, &link)?;
                }
            }
            Kind::Dataset { of, shape, .. } => {
                header.add(kind::DATASPACE, &encode::dataspace(shape.as_deref()))?;
                header.add(kind::DATATYPE, &encode::datatype(of))?;
                header.add(kind::FILL_VALUE, &encode::FILL_VALUE)?;
                let bytes = size(of, shape.as_deref());
                header.add(kind::LAYOUT, &encode::contiguous(places.data[number], bytes))?;
            }
        }
        // Readers count the attributes of an object only where this is.
        if !node.attributes.is_empty() {
            header.add(kind::ATTRIBUTE_INFO, &encode::kept_here())?;
        }
        for (name, value) in &node.attributes {
            header.add(kind::ATTRIBUTE, &self.attribute(name, value, places)?)?;
        }
        Ok(header.finish())
    }

    fn attribute(&self, name: &str, value: &Value, places: &Places) -> Result<Vec<u8>, Hdf5Error> {
        let pointer = |text: &String| self.heap.pointer(text, places.heap);
        Ok(match value {
            Value::Text(text) => encode::attribute(name, &Type::Text, None, &pointer(text)),
            Value::Texts(texts) => {
                let pointers: Vec<u8> = texts.iter().flat_map(pointer).collect();
                encode::attribute(name, &Type::Text, Some(&[texts.len()]), &pointers)
            }
            Value::F64(value) => encode::attribute(name, &Type::F64, None, &value.to_le_bytes()),
            Value::Reference(path) => encode::attribute(name, &Type::Reference, None, &self.address(path, places)?.to_le_bytes()),
        })
    }

    fn address(&self, path: &str, places: &Places) -> Result<u64, Hdf5Error> {
        let number = self.numbers.get(path).ok_or_else(|| Hdf5Error::Missing { path: path.to_owned() })?;
        Ok(places.headers[*number])
    }
}

/// Counts what is written.
struct Counted<'o> {
    out: &'o mut dyn Write,
    bytes: u64,
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.out.write(bytes)?;
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests;
