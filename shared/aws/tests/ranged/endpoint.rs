//! A bucket in a folder, served over HTTP on loopback, and the client that an instance uses.

use aws_sdk_s3::config::{Credentials as Key, Region, SharedCredentialsProvider};
use dropscope_aws::S3Objects;
use dropscope_local::LocalStore;
use dropscope_local::s3::{Credentials, Rights, serve};
use dropscope_pipeline::ObjectKey;
use dropscope_ports::{Depth, ObjectMeta, ObjectReader, Objects, Select};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// Where every recording of these tests lies.
pub(crate) const KEY: &str = "recordings/ana/a.tif";

/// Serves a folder as a bucket.
pub(crate) async fn served(folder: &Path) -> SocketAddr {
    let store = LocalStore::open(folder, "dropscope").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let credentials = Credentials { access_key: "key".into(), secret_key: "secret".into(), rights: Rights::Uploader };
    tokio::spawn(serve(listener, store, credentials, std::future::pending()));
    address
}

/// The bucket behind an address.
pub(crate) async fn bucket(address: SocketAddr) -> Arc<dyn Objects> {
    let sdk = dropscope_aws::sdk().await.into_builder();
    let key = SharedCredentialsProvider::new(Key::new("key", "secret", None, None, "test"));
    let sdk = sdk.endpoint_url(format!("http://{address}")).region(Region::new("eu-west-1")).credentials_provider(key);
    Arc::new(S3Objects::new(&sdk.build(), "dropscope"))
}

/// The recording in it, as it is now.
pub(crate) async fn recording(bucket: &Arc<dyn Objects>) -> ObjectMeta {
    bucket.head(&ObjectKey::raw(KEY), &Select::default()).await.unwrap()
}

/// A reader of the recording.
pub(crate) fn reader(runtime: &Runtime, bucket: &Arc<dyn Objects>, meta: &ObjectMeta, depth: Depth) -> ObjectReader {
    ObjectReader::new(bucket.clone(), runtime.handle().clone(), meta.clone(), depth)
}
