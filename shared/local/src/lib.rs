//! The ports on one machine: a folder as the bucket, served as S3, child processes as instances, `.eml` files as mail.

mod atomic;
mod fleet;
mod maildir;
pub mod s3;
mod store;

pub use fleet::{LocalFleet, Worker};
pub use maildir::MailDir;
pub use store::{Arrived, Incoming, LocalStore, Opened, Page, PendingUpload, Query, Sighting, StoredPart};
