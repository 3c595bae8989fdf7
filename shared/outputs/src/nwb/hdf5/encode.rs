//! Header messages of objects ("IV.A. Disk Format: Level 2A - Data Object Headers"), in the versions of HDF5 1.8.

use super::Hdf5Error;
use super::checksum::lookup3;
use super::node::Type;

/// An address that leads nowhere.
pub(super) const UNDEFINED: u64 = u64::MAX;

/// Kinds of header messages.
pub(super) mod kind {
    pub(in crate::nwb::hdf5) const DATASPACE: u8 = 0x01;
    pub(in crate::nwb::hdf5) const LINK_INFO: u8 = 0x02;
    pub(in crate::nwb::hdf5) const DATATYPE: u8 = 0x03;
    pub(in crate::nwb::hdf5) const FILL_VALUE: u8 = 0x05;
    pub(in crate::nwb::hdf5) const LINK: u8 = 0x06;
    pub(in crate::nwb::hdf5) const LAYOUT: u8 = 0x08;
    pub(in crate::nwb::hdf5) const GROUP_INFO: u8 = 0x0a;
    pub(in crate::nwb::hdf5) const ATTRIBUTE: u8 = 0x0c;
    pub(in crate::nwb::hdf5) const ATTRIBUTE_INFO: u8 = 0x15;
}

/// The header of one object while it is made.
#[derive(Default)]
pub(super) struct Header(Vec<u8>);

impl Header {
    /// Adds a message.
    ///
    /// # Errors
    /// When it has 64 KiB or more, which is the most that a header holds.
    pub(super) fn add(&mut self, kind: u8, body: &[u8]) -> Result<(), Hdf5Error> {
        let size = u16::try_from(body.len()).map_err(|_| Hdf5Error::TooLarge { bytes: body.len() })?;
        // A datatype never changes.
        let flags = u8::from(kind == kind::DATATYPE);
        self.0.push(kind);
        self.0.extend(size.to_le_bytes());
        self.0.push(flags);
        self.0.extend(body);
        Ok(())
    }

    /// The header as it lies in the file, padded to eight bytes: version 2, without times, its size in four bytes.
    pub(super) fn finish(self) -> Vec<u8> {
        let mut out = b"OHDR\x02\x02".to_vec();
        out.extend((self.0.len() as u32).to_le_bytes());
        out.extend(self.0);
        let sum = lookup3(&out);
        out.extend(sum.to_le_bytes());
        out.resize(out.len().next_multiple_of(8), 0);
        out
    }
}

/// The superblock, version 2.
pub(super) fn superblock(root: u64, end: u64) -> Vec<u8> {
    let mut out = b"\x89HDF\r\n\x1a\n\x02\x08\x08\0".to_vec();
    for address in [0, UNDEFINED, end, root] {
        out.extend(address.to_le_bytes());
    }
    let sum = lookup3(&out);
    out.extend(sum.to_le_bytes());
    out
}

/// Size of the superblock, bytes.
pub(super) const SUPERBLOCK: u64 = 48;

/// Says of links or attributes that they are kept in the object's own header, however many.
pub(super) fn kept_here() -> [u8; 18] {
    let mut out = [0xff; 18];
    out[..2].fill(0);
    out
}

/// A link to an object at an address.
pub(super) fn hard_link(name: &str, address: u64) -> Vec<u8> {
    let mut out = vec![1, 0x11, 1];
    out.extend((name.len() as u16).to_le_bytes());
    out.extend(name.as_bytes());
    out.extend(address.to_le_bytes());
    out
}

/// A link to a path.
pub(super) fn soft_link(name: &str, path: &str) -> Vec<u8> {
    let mut out = vec![1, 0x19, 1, 1];
    out.extend((name.len() as u16).to_le_bytes());
    out.extend(name.as_bytes());
    out.extend((path.len() as u16).to_le_bytes());
    out.extend(path.as_bytes());
    out
}

/// The shape of a dataset or attribute: a scalar, or these sizes.
pub(super) fn dataspace(shape: Option<&[usize]>) -> Vec<u8> {
    let sizes = shape.unwrap_or_default();
    let mut out = vec![2, sizes.len() as u8, 0, u8::from(shape.is_some())];
    out.extend(sizes.iter().flat_map(|size| (*size as u64).to_le_bytes()));
    out
}

/// Unwritten elements read as zero; there are none.
pub(super) const FILL_VALUE: [u8; 2] = [3, 0x0a];

/// All elements in one piece.
pub(super) fn contiguous(address: u64, bytes: u64) -> Vec<u8> {
    let mut out = vec![3, 1];
    out.extend(address.to_le_bytes());
    out.extend(bytes.to_le_bytes());
    out
}

/// An attribute with its value, whose name is UTF-8.
pub(super) fn attribute(name: &str, of: &Type, shape: Option<&[usize]>, value: &[u8]) -> Vec<u8> {
    let (of, space) = (datatype(of), dataspace(shape));
    let mut out = vec![3, 0];
    for size in [name.len() + 1, of.len(), space.len()] {
        out.extend((size as u16).to_le_bytes());
    }
    out.push(1);
    out.extend(name.as_bytes());
    out.push(0);
    out.extend(of);
    out.extend(space);
    out.extend(value);
    out
}

/// A type ("IV.A.2.d. The Datatype Message").
pub(super) fn datatype(of: &Type) -> Vec<u8> {
    match of {
        Type::Unsigned(bytes) => integer(*bytes, 0),
        Type::Signed(bytes) => integer(*bytes, 8),
        Type::F32 => float(4, [0, 0, 32, 0, 23, 8, 0, 23], 127),
        Type::F64 => float(8, [0, 0, 64, 0, 52, 11, 0, 52], 1023),
        Type::Bool => boolean(),
        Type::Text => {
            // A sequence that is a text, ends with zero, is UTF-8.
            let mut out = class(0x19, [1, 1, 0], of.bytes());
            out.extend(integer(1, 0));
            out
        }
        Type::Reference => class(0x17, [0; 3], of.bytes()),
        Type::Record(fields) => record(fields, of.bytes()),
    }
}

fn class(version_and_class: u8, bits: [u8; 3], bytes: u32) -> Vec<u8> {
    let mut out = vec![version_and_class];
    out.extend(bits);
    out.extend(bytes.to_le_bytes());
    out
}

fn integer(bytes: u8, sign: u8) -> Vec<u8> {
    let mut out = class(0x10, [sign, 0, 0], bytes.into());
    out.extend([0, 0]);
    out.extend((8 * u16::from(bytes)).to_le_bytes());
    out
}

fn float(bytes: u8, places: [u8; 8], bias: u32) -> Vec<u8> {
    // A leading one that is not stored, and the place of the sign.
    let mut out = class(0x11, [0x20, 8 * bytes - 1, 0], bytes.into());
    out.extend(places);
    out.extend(bias.to_le_bytes());
    out
}

fn boolean() -> Vec<u8> {
    let mut out = class(0x38, [2, 0, 0], 1);
    out.extend(integer(1, 8));
    out.extend(b"FALSE\0TRUE\0\0\x01");
    out
}

/// Of less than 256 bytes, so that the places of its fields have one.
fn record(fields: &[(&'static str, Type)], bytes: u32) -> Vec<u8> {
    let mut out = class(0x36, [fields.len() as u8, 0, 0], bytes);
    let mut place = 0;
    for (name, field) in fields {
        out.extend(name.as_bytes());
        out.extend([0, place as u8]);
        out.extend(datatype(field));
        place += field.bytes();
    }
    out
}
