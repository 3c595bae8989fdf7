//! Narrow traits to the world outside: objects and links to them, fleet, mail, clock. Each error says what its caller may do.

pub mod clock;
pub mod fleet;
pub mod mail;
pub mod objects;
pub mod reader;
pub mod retry;
pub mod sharing;
pub mod upload;

pub use clock::Clock;
pub use fleet::{Fleet, FleetError, Instance, InstanceState, LaunchRequest, Machine, MachineKind};
pub use mail::{MailError, Mailer};
pub use objects::{Condition, ETag, Object, ObjectMeta, Objects, ObjectsError, Part, Select};
pub use reader::{Depth, ObjectReader};
pub use sharing::Sharing;

/// A cause, kept whole.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
