//! The samples of one frame, in the type the file has them in.

use std::io;

use crate::SampleType;
use crate::bytes::ByteOrder;

/// The samples of one frame, row by row.
#[derive(Debug, Clone, PartialEq)]
pub enum Pixels {
    /// Unsigned 8 bit.
    U8(Vec<u8>),
    /// Signed 8 bit.
    I8(Vec<i8>),
    /// Unsigned 16 bit.
    U16(Vec<u16>),
    /// Signed 16 bit.
    I16(Vec<i16>),
    /// Unsigned 32 bit.
    U32(Vec<u32>),
    /// Signed 32 bit.
    I32(Vec<i32>),
    /// Unsigned 64 bit.
    U64(Vec<u64>),
    /// Signed 64 bit.
    I64(Vec<i64>),
    /// IEEE 754 single precision.
    F32(Vec<f32>),
    /// IEEE 754 double precision.
    F64(Vec<f64>),
}

/// Runs one expression on the vector inside, whatever its type.
macro_rules! each {
    ($pixels:expr, $v:ident => $body:expr) => {
        match $pixels {
            Pixels::U8($v) => $body,
            Pixels::I8($v) => $body,
            Pixels::U16($v) => $body,
            Pixels::I16($v) => $body,
            Pixels::U32($v) => $body,
            Pixels::I32($v) => $body,
            Pixels::U64($v) => $body,
            Pixels::I64($v) => $body,
            Pixels::F32($v) => $body,
            Pixels::F64($v) => $body,
        }
    };
}

impl Pixels {
    fn empty(dtype: SampleType) -> Self {
        match dtype {
            SampleType::U8 => Self::U8(Vec::new()),
            SampleType::I8 => Self::I8(Vec::new()),
            SampleType::U16 => Self::U16(Vec::new()),
            SampleType::I16 => Self::I16(Vec::new()),
            SampleType::U32 => Self::U32(Vec::new()),
            SampleType::I32 => Self::I32(Vec::new()),
            SampleType::U64 => Self::U64(Vec::new()),
            SampleType::I64 => Self::I64(Vec::new()),
            SampleType::F32 => Self::F32(Vec::new()),
            SampleType::F64 => Self::F64(Vec::new()),
        }
    }

    /// Returns the type of the samples.
    pub fn dtype(&self) -> SampleType {
        match self {
            Self::U8(_) => SampleType::U8,
            Self::I8(_) => SampleType::I8,
            Self::U16(_) => SampleType::U16,
            Self::I16(_) => SampleType::I16,
            Self::U32(_) => SampleType::U32,
            Self::I32(_) => SampleType::I32,
            Self::U64(_) => SampleType::U64,
            Self::I64(_) => SampleType::I64,
            Self::F32(_) => SampleType::F32,
            Self::F64(_) => SampleType::F64,
        }
    }

    /// Returns the number of samples.
    pub fn len(&self) -> usize {
        each!(self, v => v.len())
    }

    /// Says whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Writes the samples as float32, as many as `out` has room for.
    ///
    /// Exact for 8 and 16 bit samples and float32; integers beyond 2²⁴ and float64 are rounded to the nearest float32.
    pub fn write_f32(&self, out: &mut [f32]) {
        match self {
            Self::U8(v) => widen(v, out, f32::from),
            Self::I8(v) => widen(v, out, f32::from),
            Self::U16(v) => widen(v, out, f32::from),
            Self::I16(v) => widen(v, out, f32::from),
            Self::U32(v) => widen(v, out, |s| s as f32),
            Self::I32(v) => widen(v, out, |s| s as f32),
            Self::U64(v) => widen(v, out, |s| s as f32),
            Self::I64(v) => widen(v, out, |s| s as f32),
            Self::F32(v) => widen(v, out, |s| s),
            Self::F64(v) => widen(v, out, |s| s as f32),
        }
    }

    /// Returns the samples as little-endian bytes, as a NumPy file holds them.
    pub fn to_le_bytes(&self) -> Vec<u8> {
        each!(self, v => v.iter().flat_map(|s| s.to_le_bytes()).collect())
    }

    /// Makes room for `samples` samples of a type, whatever they were, and returns their bytes in this machine's order.
    pub(crate) fn make_room(&mut self, dtype: SampleType, samples: usize) -> &mut [u8] {
        if self.dtype() != dtype {
            *self = Self::empty(dtype);
        }
        each!(self, v => {
            v.resize(samples, Default::default());
            bytemuck::cast_slice_mut(v)
        })
    }

    /// Lets `read` fill the memory of `samples` samples with bytes of any order, and turns them into this machine's.
    pub(crate) fn read_into(
        &mut self,
        dtype: SampleType,
        samples: usize,
        order: ByteOrder,
        read: impl FnOnce(&mut [u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let bytes = self.make_room(dtype, samples);
        read(bytes)?;
        order.make_native(bytes, dtype.bytes());
        Ok(())
    }

    /// Undoes ImageJ's signed 16 bit storage: value = stored − 32768.
    pub(crate) fn subtract_32768(&mut self) {
        if let Self::I16(v) = self {
            for s in v {
                *s ^= i16::MIN;
            }
        }
    }
}

fn widen<T: Copy>(from: &[T], out: &mut [f32], to_f32: impl Fn(T) -> f32) {
    for (o, s) in out.iter_mut().zip(from) {
        *o = to_f32(*s);
    }
}

/// One frame's samples with its shape; reused from frame to frame so that reading allocates once.
#[derive(Debug, Clone, PartialEq)]
pub struct FrameBuffer {
    pub(crate) pixels: Pixels,
    pub(crate) height: usize,
    pub(crate) width: usize,
}

impl FrameBuffer {
    /// Creates an empty buffer; the first read gives it shape and type.
    pub fn new() -> Self {
        Self { pixels: Pixels::U8(Vec::new()), height: 0, width: 0 }
    }

    /// Returns the samples, row by row, `height` × `width` of them.
    pub fn pixels(&self) -> &Pixels {
        &self.pixels
    }

    /// Returns the samples and gives up the buffer.
    pub fn into_pixels(self) -> Pixels {
        self.pixels
    }

    /// Returns the number of rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Returns the number of columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Writes the samples as float32, see [`Pixels::write_f32`].
    pub fn write_f32(&self, out: &mut [f32]) {
        self.pixels.write_f32(out);
    }
}

impl Default for FrameBuffer {
    fn default() -> Self {
        Self::new()
    }
}

/// One frame of one plane and channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// Time point, counted from 0.
    pub index: usize,
    /// Page of the file it was read from, counted from 0.
    pub page: usize,
    /// Samples and shape.
    pub buffer: FrameBuffer,
}

impl Frame {
    /// Returns the samples, row by row.
    pub fn pixels(&self) -> &Pixels {
        self.buffer.pixels()
    }

    /// Writes the samples as float32, see [`Pixels::write_f32`].
    pub fn write_f32(&self, out: &mut [f32]) {
        self.buffer.write_f32(out);
    }
}
