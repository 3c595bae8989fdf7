//! Decisions only: keys, run ids, events, settings, needs, instance choice, job states, ledger rules, mail texts.
//!
//! Nothing here touches the world. Ports carry out what these functions decide.

pub mod alert;
pub mod budget;
pub mod choices;
pub mod event;
pub mod folder;
pub mod gathering;
pub mod indicator;
pub mod instance;
pub mod job;
pub mod key;
pub mod link;
pub mod mail;
pub mod manifest;
pub mod market;
pub mod money;
pub mod needs;
pub mod nwb;
pub mod run;
pub mod settings;
pub mod state_keys;
pub mod subscribers;
pub mod timestamp;
pub mod usage;

pub use choices::{ClusterBy, Clusters};
pub use event::{EventError, Upload};
pub use folder::{Begun, Frozen, Listing, Member, RecordingToml};
pub use gathering::{Gathering, Quiet};
pub use indicator::Indicator;
pub use job::{Job, Outcome, Refused, State, Verdict};
pub use key::{KeyError, MemberKey, MemberKind, ObjectKey, RecordingKey};
pub use link::{Door, Links};
pub use mail::{Mail, MailKind};
pub use manifest::Manifest;
pub use market::Market;
pub use money::Usd;
pub use needs::Needs;
pub use nwb::{Nwb, NwbSubject};
pub use run::RunId;
pub use settings::{Plan, Settings, SettingsError, Sourced};
pub use timestamp::Timestamp;
pub use usage::Usage;
