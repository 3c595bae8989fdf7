//! What stands for a topic of AWS in a program that was built without its clients: there is none.

use crate::failure::Failure;
use dropscope_pipeline::subscribers::{Step, Subscriber};

/// No value is one.
pub(super) enum Topic {}

impl Topic {
    #[allow(clippy::unused_async)]
    pub(super) async fn of_stack(_stack: &str) -> Result<Self, Failure> {
        let remedy = "build it with them: `cargo install --path cli --features aws`";
        Err(Failure::input("this program was built without the clients of AWS", remedy))
    }

    #[allow(clippy::unused_async)]
    pub(super) async fn list(&self) -> Result<Vec<Subscriber>, Failure> {
        match *self {}
    }

    #[allow(clippy::unused_async)]
    pub(super) async fn take(&self, _step: &Step, _address: &str) -> Result<(), Failure> {
        match *self {}
    }
}
