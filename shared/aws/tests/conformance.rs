//! The ports on AWS keep the laws that every port keeps: a true client over a true connection.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use aws_sdk_s3::config::{Credentials as Key, Region, SharedCredentialsProvider};
use dropscope_aws::S3Objects;
use dropscope_local::LocalStore;
use dropscope_local::s3::{Credentials, Rights, serve};
use dropscope_testkit::conformance;
use std::sync::Arc;
use tokio::net::TcpListener;

/// An S3 endpoint on loopback over an empty folder, and a client's configuration for it.
async fn endpoint(folder: &std::path::Path) -> dropscope_aws::Sdk {
    let store = LocalStore::open(folder, "dropscope").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let credentials = Credentials { access_key: "key".into(), secret_key: "secret".into(), rights: Rights::Uploader };
    tokio::spawn(serve(listener, store, credentials, std::future::pending()));
    dropscope_aws::sdk()
        .await
        .into_builder()
        .endpoint_url(format!("http://{address}"))
        .region(Region::new("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(Key::new("key", "secret", None, None, "test")))
        .build()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn objects_on_s3_keep_the_laws_of_objects() {
    let folder = tempfile::tempdir().unwrap();
    let sdk = endpoint(folder.path()).await;
    conformance::objects(Arc::new(S3Objects::new(&sdk, "dropscope")), "recordings/conformance/").await.unwrap();
}
