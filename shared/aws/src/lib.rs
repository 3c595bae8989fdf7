//! Objects and mail on AWS: the ports over S3 and SNS.

mod client;
mod errors;
mod link;
mod mail;
mod multipart;
mod objects;
mod subscribers;

pub use aws_config::imds::Client as Metadata;
pub use aws_config::imds::client::error::ImdsError as MetadataError;
pub use client::{Sdk, metadata, metadata_at, sdk};
pub use mail::SnsMailer;
pub use objects::S3Objects;
pub use subscribers::{SnsSubscribers, SubscribersError};

/// What stands before a key of this bucket to make it an address.
pub fn place(bucket: &str) -> String {
    format!("s3://{bucket}/")
}

/// How long a mail stays in the hand of whoever began to send it, seconds: longer than any function lives with it.
pub const MAIL_LEASE_SECONDS: u64 = 900;
