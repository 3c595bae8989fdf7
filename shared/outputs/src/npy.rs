//! NumPy's `.npy` container, version 1.0 (NEP 1).

use std::io::{self, Write};

use ndarray::Array2;

use crate::pickle::{self, Value};

const MAGIC: &[u8] = b"\x93NUMPY\x01\x00";
const ALIGNMENT: usize = 64;

/// A float32 matrix in C order.
pub(crate) fn matrix(values: &Array2<f32>) -> Vec<u8> {
    let shape = format!("({}, {})", values.nrows(), values.ncols());
    let mut out = header("<f4", &shape);
    out.reserve(values.len() * 4);
    out.extend(values.iter().flat_map(|v| v.to_le_bytes()));
    out
}

/// Writes float32 matrices one below the other, as one in C order; rows of fewer columns than others end in zeros.
pub(crate) fn write_stacked(parts: &[&Array2<f32>], out: &mut dyn Write) -> io::Result<()> {
    let rows: usize = parts.iter().map(|part| part.nrows()).sum();
    let columns = parts.iter().map(|part| part.ncols()).max().unwrap_or(0);
    out.write_all(&header("<f4", &format!("({rows}, {columns})")))?;
    for row in parts.iter().flat_map(|part| part.rows()) {
        let zeros = std::iter::repeat_n(0.0, columns - row.len());
        let bytes: Vec<u8> = row.iter().copied().chain(zeros).flat_map(f32::to_le_bytes).collect();
        out.write_all(&bytes)?;
    }
    Ok(())
}

/// A one-dimensional array of Python objects, as `np.save` writes a list of dicts.
pub(crate) fn objects(items: Vec<Value>) -> Vec<u8> {
    let mut out = header("|O", &format!("({},)", items.len()));
    out.extend(pickle::object_array(Some(items.len()), items));
    out
}

/// A 0-d array around one Python object, as `np.save` writes a dict.
pub(crate) fn object(item: Value) -> Vec<u8> {
    let mut out = header("|O", "()");
    out.extend(pickle::object_array(None, vec![item]));
    out
}

fn header(descr: &str, shape: &str) -> Vec<u8> {
    let mut text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}").into_bytes();
    // The data starts on a multiple of 64 bytes, so that it may be memory-mapped.
    let unpadded = MAGIC.len() + 2 + text.len() + 1;
    text.resize(text.len() + (ALIGNMENT - unpadded % ALIGNMENT) % ALIGNMENT, b' ');
    text.push(b'\n');
    let mut out = MAGIC.to_vec();
    // The text is about a hundred bytes long: two lengths of up to 20 digits and constants.
    out.extend((text.len() as u16).to_le_bytes());
    out.extend(text);
    out
}
