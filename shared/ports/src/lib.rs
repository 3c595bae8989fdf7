//! Narrow traits to the world outside: objects, fleet, mail, clock. Each error says what its caller may do.

pub mod clock;
pub mod fleet;
pub mod mail;
pub mod objects;
pub mod reader;
pub mod retry;
pub mod upload;

pub use clock::Clock;
pub use fleet::{Fleet, FleetError, Instance, InstanceState, LaunchRequest, Machine, MachineKind};
pub use mail::{MailError, Mailer};
pub use objects::{Condition, ETag, Object, ObjectMeta, Objects, ObjectsError, Part, Select};
pub use reader::{Depth, ObjectReader};

/// A cause, kept whole.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
