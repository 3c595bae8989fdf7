//! What stands for a bucket of AWS in a program that was built without its clients: there is none.

use crate::failure::Failure;
use dropscope_pipeline::ObjectKey;
use dropscope_ports::{Objects, ObjectsError};
use std::sync::Arc;

/// No value is one.
pub(super) enum Bucket {}

impl Bucket {
    #[allow(clippy::unused_async)]
    pub(super) async fn open(_name: &str) -> Result<Self, Failure> {
        let remedy = "build it with them: `cargo install --path cli --features aws`";
        Err(Failure::input("this program was built without the clients of AWS", remedy))
    }

    pub(super) fn objects(&self) -> Arc<dyn Objects> {
        match *self {}
    }

    #[allow(clippy::unused_async)]
    pub(super) async fn link(&self, _key: &ObjectKey) -> Result<String, ObjectsError> {
        match *self {}
    }
}
