//! What `template.yaml` promises, held against the code and against the payloads in events/.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "template/boot.rs"]
mod boot;
#[path = "template/docs.rs"]
mod docs;
#[path = "template/functions.rs"]
mod functions;
#[path = "template/index.rs"]
mod index;
#[path = "template/instance.rs"]
mod instance;
#[path = "template/keeping.rs"]
mod keeping;
#[path = "template/lifetime.rs"]
mod lifetime;
#[path = "template/open.rs"]
mod open;
#[path = "template/pattern.rs"]
mod pattern;
#[path = "template/permissions.rs"]
mod permissions;
#[path = "template/policy.rs"]
mod policy;
#[path = "template/routing.rs"]
mod routing;
#[path = "template/stack.rs"]
mod stack;
