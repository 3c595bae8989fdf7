//! Links that open one object to whoever has them (S3 user guide, ShareObjectPreSignedURL).

use crate::S3Objects;
use crate::errors::sorted;
use aws_sdk_s3::presigning::PresigningConfig;
use dropscope_pipeline::ObjectKey;
use dropscope_ports::{ObjectsError, Sharing};
use std::time::Duration;

#[async_trait::async_trait]
impl Sharing for S3Objects {
    /// The link ends with the credentials that sign it, too: those of a role live for hours. Nothing is asked of S3.
    async fn link(&self, key: &ObjectKey, seconds: u64) -> Result<String, ObjectsError> {
        let invalid = |why: String| ObjectsError::Invalid { key: key.clone(), why };
        let signing = PresigningConfig::expires_in(Duration::from_secs(seconds)).map_err(|error| invalid(error.to_string()))?;
        // Without them a browser would save the file instead of showing it.
        let call = self.client.get_object().bucket(&self.bucket).key(key.as_str()).set_response_content_type(shown_as(key));
        let call = call.response_content_disposition("inline");
        let signed = call.presigned(signing).await.map_err(|error| sorted(error, key))?;
        Ok(signed.uri().to_owned())
    }
}

/// What a browser takes an object for that it can show.
fn shown_as(key: &ObjectKey) -> Option<String> {
    let (_, extension) = key.as_str().rsplit_once('.')?;
    let kind = match extension {
        "html" => "text/html; charset=utf-8",
        "png" => "image/png",
        _ => return None,
    };
    Some(kind.to_owned())
}
