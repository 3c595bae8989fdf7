//! Failing ports, the conformance suite, a synthetic movie with known truth.

pub mod clock;
pub mod conformance;
pub mod faults;
pub mod movie;
mod python;

pub use python::{PythonError, python, python_with};
