//! Instances on AWS: the fleet port over EC2.

mod errors;
mod fleet;
mod machines;
mod prices;
mod tags;

pub use fleet::{Ec2Fleet, Launching};
pub use prices::{Architecture, offers};
