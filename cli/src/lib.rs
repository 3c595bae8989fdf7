//! The program `dropscope`: the whole flow on one machine.

pub mod args;
pub mod cloud;
mod commands;
mod doctor;
pub mod failure;
mod folder;
mod on_disk;
mod place;
mod progress;
mod settings;
mod text;

pub use commands::run;
