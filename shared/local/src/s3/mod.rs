//! The bucket as an S3 endpoint that any client can talk to: path style, on this machine only.
//!
//! The protocol (requests, signatures, XML) is the crate `s3s`; what it means is the store's. Outside clients read
//! everything and write below `recordings/`: what lies elsewhere is written by dropscope. Not kept: user metadata,
//! content types (guessed from the name), tags, versions.

mod arrive;
mod bucket;
mod checksums;
mod conditions;
mod errors;
mod list;
mod multipart;
mod read;
mod server;
mod write;

pub use server::{Credentials, serve};
