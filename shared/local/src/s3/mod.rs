//! The bucket as an S3 endpoint that any client can talk to: path style, on this machine only.
//!
//! The protocol (requests, signatures, XML) is the crate `s3s`; what it means is the store's. Outside clients read
//! everything and write below `recordings/`: what lies elsewhere is written by dropscope. Not kept: user metadata,
//! content types (guessed from the name), tags, versions. The functions of a stack, which tests start as they are deployed,
//! come with a key of other [`Rights`].

mod arrive;
mod bucket;
mod checksums;
mod conditions;
mod errors;
mod list;
mod multipart;
mod read;
mod rights;
mod server;
mod write;

pub use rights::Rights;
pub use server::{Credentials, serve};
