//! The harness of the end-to-end laws: a machine that can be switched off between any two writes.

pub mod fleet;
pub mod machine;
pub mod recordings;

pub use fleet::InlineFleet;
pub use machine::{DATED, Machine, Whole, alike, alike_in_any_run};
