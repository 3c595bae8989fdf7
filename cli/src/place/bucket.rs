//! A bucket of a stack on AWS.

use crate::failure::Failure;
use dropscope_aws::S3Objects;
use dropscope_pipeline::ObjectKey;
use dropscope_ports::{Objects, ObjectsError, Sharing};
use std::sync::Arc;

/// How long a link to a result opens it, seconds; less where the credentials that sign it end sooner.
const LINK_SECONDS: u64 = 3600;

/// An opened bucket.
pub(super) struct Bucket(S3Objects);

impl Bucket {
    pub(super) async fn open(name: &str) -> Result<Self, Failure> {
        let sdk = dropscope_aws::sdk().await;
        if sdk.region().is_none() {
            let remedy = "set AWS_REGION to the region of the stack, or say `aws configure set region REGION`";
            return Err(Failure::input("no region of AWS is named", remedy));
        }
        Ok(Self(S3Objects::new(&sdk, name)))
    }

    pub(super) fn objects(&self) -> Arc<dyn Objects> {
        Arc::new(self.0.clone())
    }

    /// By which anybody may read an object for a while.
    pub(super) async fn link(&self, key: &ObjectKey) -> Result<String, ObjectsError> {
        self.0.link(key, LINK_SECONDS).await
    }
}
