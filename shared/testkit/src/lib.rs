//! Failing ports, the conformance suite, a synthetic movie with known truth.

pub mod clock;
pub mod conformance;
pub mod events;
pub mod faults;
mod http;
pub mod imds;
pub mod lambda;
pub mod moto;
pub mod movie;
mod python;
pub mod world;

pub use python::{PythonError, python, python_with};
