//! The few pickle opcodes that suite2p's object arrays need (PEP 3154, protocol 4).
//!
//! Arrays are rebuilt the way `np.save` asks for it, through
//! `numpy.core.multiarray._reconstruct`, a name that NumPy 1 and 2 both keep for old files and
//! import without a warning. Only plain Python values and NumPy arrays ever go in, so that
//! nothing but NumPy is needed to read them.

use ndarray::Array2;

/// A Python value.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(String),
    List(Vec<Value>),
    Dict(Vec<(&'static str, Value)>),
    Array(Array),
}

/// A NumPy array of numbers, little-endian, C order.
#[derive(Debug, Clone)]
pub(crate) struct Array {
    descr: &'static str,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl From<f64> for Value {
    fn from(v: f64) -> Self {
        Self::Float(v)
    }
}

impl From<f32> for Value {
    fn from(v: f32) -> Self {
        Self::Float(f64::from(v))
    }
}

impl From<bool> for Value {
    fn from(v: bool) -> Self {
        Self::Bool(v)
    }
}

impl From<&str> for Value {
    fn from(v: &str) -> Self {
        Self::Str(v.to_owned())
    }
}

/// An integer; counts in memory never reach 2^63.
pub(crate) fn int(v: usize) -> Value {
    Value::Int(v as i64)
}

/// A list of integers.
pub(crate) fn ints(values: &[usize]) -> Value {
    Value::List(values.iter().map(|&v| int(v)).collect())
}

/// A float32 image.
pub(crate) fn image(values: &Array2<f32>) -> Value {
    Value::Array(Array {
        descr: "f4",
        shape: vec![values.nrows(), values.ncols()],
        bytes: values.iter().flat_map(|v| v.to_le_bytes()).collect(),
    })
}

/// A float32 vector.
pub(crate) fn floats(values: &[f32]) -> Value {
    vector("f4", values.len(), values.iter().flat_map(|v| v.to_le_bytes()))
}

/// An int32 vector, as suite2p keeps pixel coordinates; those are far below 2^31.
pub(crate) fn int32s(values: &[u32]) -> Value {
    let bytes = values.iter().flat_map(|&v| (v as i32).to_le_bytes());
    vector("i4", values.len(), bytes)
}

/// A vector of booleans.
pub(crate) fn bools(values: &[bool]) -> Value {
    vector("b1", values.len(), values.iter().map(|&v| u8::from(v)))
}

fn vector(descr: &'static str, len: usize, bytes: impl Iterator<Item = u8>) -> Value {
    Value::Array(Array { descr, shape: vec![len], bytes: bytes.collect() })
}

/// A whole pickle: an object array of the given length, or 0-d where that is absent.
pub(crate) fn object_array(len: Option<usize>, items: Vec<Value>) -> Vec<u8> {
    let mut w = Writer(vec![0x80, 4]);
    let shape: Vec<usize> = len.into_iter().collect();
    w.array_with("O8", &shape, |w| w.value(&Value::List(items)));
    w.0.push(b'.');
    w.0
}

struct Writer(Vec<u8>);

impl Writer {
    fn value(&mut self, value: &Value) {
        match value {
            Value::Bool(v) => self.0.push(if *v { 0x88 } else { 0x89 }),
            Value::Int(v) => self.int(*v),
            Value::Float(v) => {
                self.0.push(b'G');
                self.0.extend(v.to_be_bytes());
            }
            Value::Str(v) => self.sized(0x8d, v.as_bytes()),
            Value::List(items) => {
                self.0.extend(b"](");
                items.iter().for_each(|v| self.value(v));
                self.0.push(b'e');
            }
            Value::Dict(items) => {
                self.0.extend(b"}(");
                for (key, v) in items {
                    self.sized(0x8d, key.as_bytes());
                    self.value(v);
                }
                self.0.push(b'u');
            }
            Value::Array(a) => self.array_with(a.descr, &a.shape, |w| w.sized(0x8e, &a.bytes)),
        }
    }

    fn int(&mut self, v: i64) {
        match i32::try_from(v) {
            Ok(small) => {
                self.0.push(b'J');
                self.0.extend(small.to_le_bytes());
            }
            Err(_) => {
                self.0.extend([0x8a, 8]);
                self.0.extend(v.to_le_bytes());
            }
        }
    }

    /// A text (opcode 0x8d) or bytes (0x8e) with its length in eight bytes.
    fn sized(&mut self, opcode: u8, bytes: &[u8]) {
        self.0.push(opcode);
        self.0.extend((bytes.len() as u64).to_le_bytes());
        self.0.extend(bytes);
    }

    fn global(&mut self, module: &str, name: &str) {
        self.0.push(b'c');
        self.0.extend(format!("{module}\n{name}\n").into_bytes());
    }

    fn tuple(&mut self, items: &[Value]) {
        self.0.push(b'(');
        items.iter().for_each(|v| self.value(v));
        self.0.push(b't');
    }

    fn array_with(&mut self, descr: &str, shape: &[usize], data: impl FnOnce(&mut Self)) {
        self.global("numpy.core.multiarray", "_reconstruct");
        self.0.push(b'(');
        self.global("numpy", "ndarray");
        self.tuple(&[int(0)]);
        self.sized(0x8e, b"b");
        self.0.extend(b"tR");
        // State: version, shape, dtype, Fortran order, data.
        self.0.push(b'(');
        self.value(&int(1));
        let shape: Vec<Value> = shape.iter().map(|&n| int(n)).collect();
        self.tuple(&shape);
        self.dtype(descr);
        self.value(&Value::Bool(false));
        data(self);
        self.0.extend(b"tb");
    }

    fn dtype(&mut self, descr: &str) {
        self.global("numpy", "dtype");
        self.tuple(&[Value::from(descr), Value::Bool(false), Value::Bool(true)]);
        self.0.push(b'R');
        let object = descr == "O8";
        let order = if matches!(descr, "f4" | "i4") { "<" } else { "|" };
        // 63 are NumPy's flags of an object dtype: reference counted, needs Python's lock, …
        let flags = if object { 63 } else { 0 };
        self.0.push(b'(');
        self.value(&int(3));
        self.value(&Value::from(order));
        self.0.extend(b"NNN");
        self.value(&Value::Int(-1));
        self.value(&Value::Int(-1));
        self.value(&Value::Int(flags));
        self.0.extend(b"tb");
    }
}
