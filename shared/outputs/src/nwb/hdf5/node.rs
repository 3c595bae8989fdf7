//! What a file holds: groups and datasets with attributes.

use std::io::{self, Write};

/// A type of numbers, texts or records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Type {
    /// Unsigned integers of this many bytes.
    Unsigned(u8),
    /// Signed integers of this many bytes.
    Signed(u8),
    /// IEEE 754 single precision.
    F32,
    /// IEEE 754 double precision.
    F64,
    /// One byte, 0 or 1, as h5py keeps NumPy's `bool`: an enumeration of FALSE and TRUE.
    Bool,
    /// UTF-8 of any length.
    Text,
    /// The place of another object.
    Reference,
    /// Named fields, one after the other.
    Record(Vec<(&'static str, Type)>),
}

impl Type {
    /// Bytes of one element.
    pub(crate) fn bytes(&self) -> u32 {
        match self {
            Self::Unsigned(bytes) | Self::Signed(bytes) => u32::from(*bytes),
            Self::F32 => 4,
            Self::F64 | Self::Reference => 8,
            Self::Bool => 1,
            Self::Text => 16,
            Self::Record(fields) => fields.iter().map(|(_, field)| field.bytes()).sum(),
        }
    }
}

/// Value of an attribute.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Text(String),
    Texts(Vec<String>),
    F64(f64),
    /// Path of the object referred to, from the root.
    Reference(String),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// Writes the elements of a dataset, little-endian, in C order.
pub(crate) type Pieces<'a> = Box<dyn Fn(&mut dyn Write) -> io::Result<()> + 'a>;

/// Elements of a dataset.
pub(crate) enum Data<'a> {
    /// As bytes, little-endian, in C order.
    Bytes(Vec<u8>),
    /// Of [`Type::Text`].
    Texts(Vec<String>),
    /// Made when they are written, since they would fill memory; exactly as many bytes as type and shape say.
    Pieces(Pieces<'a>),
}

/// An object of the file.
pub(crate) struct Node<'a> {
    pub(crate) attributes: Vec<(&'static str, Value)>,
    pub(crate) kind: Kind<'a>,
}

/// What an object is.
pub(crate) enum Kind<'a> {
    Group(Vec<(String, Child<'a>)>),
    /// Of the shape; a scalar where that is none.
    Dataset {
        of: Type,
        shape: Option<Vec<usize>>,
        data: Data<'a>,
    },
}

/// What a name in a group leads to.
pub(crate) enum Child<'a> {
    Node(Node<'a>),
    /// A path from the root.
    Soft(String),
}

impl<'a> Node<'a> {
    /// A group without anything.
    pub(crate) fn group() -> Self {
        Self { attributes: Vec::new(), kind: Kind::Group(Vec::new()) }
    }

    /// One text.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::dataset(Type::Text, None, Data::Texts(vec![text.into()]))
    }

    /// A list of texts.
    pub(crate) fn texts(texts: Vec<String>) -> Self {
        Self::dataset(Type::Text, Some(vec![texts.len()]), Data::Texts(texts))
    }

    /// One number.
    pub(crate) fn number(value: f64) -> Self {
        Self::dataset(Type::F64, None, Data::Bytes(value.to_le_bytes().to_vec()))
    }

    /// A list of numbers.
    pub(crate) fn numbers(values: &[f64]) -> Self {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        Self::dataset(Type::F64, Some(vec![values.len()]), Data::Bytes(bytes))
    }

    /// Elements of any type; a scalar without a shape.
    pub(crate) fn dataset(of: Type, shape: Option<Vec<usize>>, data: Data<'a>) -> Self {
        Self { attributes: Vec::new(), kind: Kind::Dataset { of, shape, data } }
    }

    /// The same with one attribute more.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.attributes.push((name, value.into()));
        self
    }

    /// The same with one object more in it; a dataset stays as it is.
    pub(crate) fn holding(self, name: impl Into<String>, child: Node<'a>) -> Self {
        self.leading(name, Child::Node(child))
    }

    /// The same with a soft link to a path from the root.
    pub(crate) fn linking(self, name: impl Into<String>, path: impl Into<String>) -> Self {
        self.leading(name, Child::Soft(path.into()))
    }

    fn leading(mut self, name: impl Into<String>, child: Child<'a>) -> Self {
        if let Kind::Group(children) = &mut self.kind {
            children.push((name.into(), child));
        }
        self
    }
}
