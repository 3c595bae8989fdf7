//! The ports on AWS keep the laws that every port keeps: a true client over a true connection.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use aws_sdk_s3::config::{Credentials as Key, Region, SharedCredentialsProvider};
use dropscope_aws::{S3Objects, SnsSubscribers};
use dropscope_local::LocalStore;
use dropscope_local::s3::{Credentials, Rights, serve};
use dropscope_pipeline::subscribers::{Mails, Step, adding, removing};
use dropscope_testkit::conformance;
use dropscope_testkit::moto::Moto;
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

/// A client's configuration for moto.
async fn sdk_of(moto: &Moto) -> dropscope_aws::Sdk {
    dropscope_aws::sdk()
        .await
        .into_builder()
        .endpoint_url(&moto.place.endpoint)
        .region(Region::new(moto.place.region.clone()))
        .credentials_provider(SharedCredentialsProvider::new(Key::new("key", "secret", None, None, "test")))
        .build()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_gets_the_mails_of_its_owners_and_then_of_nobody() {
    let moto = tokio::task::block_in_place(Moto::start).unwrap();
    let topic = SnsSubscribers::new(&sdk_of(&moto).await, &moto.place.topic);
    let before = topic.list().await.unwrap().len();
    let (ana, bo) = ("ana@example.org", "bo@example.org");
    let there = async || topic.list().await.unwrap().into_iter().find(|one| one.address == ana);
    for owner in ["fish", "it's \"more\" \\ than: ü"] {
        let step = adding(there().await.as_ref(), owner).unwrap();
        topic.take(&step, ana).await.unwrap();
        // Told what it knows already, it stays as it is.
        assert_eq!(adding(there().await.as_ref(), owner), Ok(Step::Nothing));
    }
    topic.take(&adding(None, "fish").unwrap(), bo).await.unwrap();
    let owners = ["fish", "it's \"more\" \\ than: ü"].map(str::to_owned).into();
    assert_eq!(there().await.unwrap().mails, Some(Mails::Of(owners)));
    for owner in ["fish", "it's \"more\" \\ than: ü"] {
        let step = removing(there().await.as_ref(), owner).unwrap();
        topic.take(&step, ana).await.unwrap();
    }
    assert_eq!(there().await, None);
    assert_eq!(topic.list().await.unwrap().len(), before + 1, "bo's is another subscription");
}
