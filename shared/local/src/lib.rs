//! The ports on one machine: a folder as the bucket, child processes as instances, `.eml` files as mail.

mod atomic;
mod fleet;
mod maildir;
mod store;

pub use fleet::{LocalFleet, Worker};
pub use maildir::MailDir;
pub use store::LocalStore;
