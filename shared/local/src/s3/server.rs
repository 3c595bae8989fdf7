//! The endpoint: connections on loopback, handed to the bucket.

use super::bucket::Bucket;
use super::rights::Rights;
use crate::store::LocalStore;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use s3s::auth::SimpleAuth;
use s3s::config::{S3Config, StaticConfigProvider};
use s3s::service::{S3Service, S3ServiceBuilder};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// Connections at a time; more wait to be accepted. With their buffers they bound the memory of readers.
const CONNECTIONS: usize = 512;
/// What a connection may hold of a request or answer, bytes.
const BUFFER: usize = 1 << 16;
/// A connection without a request for so long is closed, so that others get its place.
const IDLE: Duration = Duration::from_secs(60);
/// Requests under way when the server is stopped have so long to end.
const FAREWELL: Duration = Duration::from_secs(5);

/// The key that clients sign their requests with (Signature Version 4).
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Name of the key.
    pub access_key: String,
    /// Its secret.
    pub secret_key: String,
    /// What they may write.
    pub rights: Rights,
}

/// Serves `store` on `listener` until `stop` is ready; requests under way then get some seconds to end. A client that
/// is cut off has not got its answer, and nothing half-written is seen.
pub async fn serve(listener: TcpListener, store: LocalStore, credentials: Credentials, stop: impl Future<Output = ()>) {
    let (service, places, graceful) =
        (service(store, credentials), Arc::new(Semaphore::new(CONNECTIONS)), GracefulShutdown::new());
    let mut stop = std::pin::pin!(stop);
    loop {
        let stream = tokio::select! {
            () = &mut stop => break,
            stream = accept(&listener, &places) => stream,
        };
        let Some((stream, place)) = stream else { continue };
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(IDLE)
            .max_buf_size(BUFFER)
            .serve_connection(TokioIo::new(stream), service.clone());
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection broke off");
            }
            drop(place);
        });
    }
    let _ = tokio::time::timeout(FAREWELL, graceful.shutdown()).await;
}

/// The next connection, once there is a place for it; none when the system could not give it.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = places.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, place)),
        Err(error) => {
            tracing::warn!(%error, "a connection could not be accepted");
            // Out of file handles, say: trying again at once would not help.
            tokio::time::sleep(Duration::from_millis(100)).await;
            None
        }
    }
}

fn service(store: LocalStore, credentials: Credentials) -> S3Service {
    let mut config = S3Config::default();
    // Forms are refused; `s3s` would read their files into memory first.
    config.post_object_max_file_size = BUFFER as u64;
    config.form_max_fields_size = BUFFER;
    let mut builder = S3ServiceBuilder::new(Bucket::new(store, credentials.rights));
    builder.set_config(Arc::new(StaticConfigProvider::new(Arc::new(config))));
    builder.set_auth(SimpleAuth::from_single(credentials.access_key, credentials.secret_key));
    builder.build()
}
