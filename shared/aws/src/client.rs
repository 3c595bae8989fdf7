//! What every client shares: region, credentials and endpoint as the environment gives them, one connector.

use aws_config::BehaviorVersion;
use aws_config::imds::Client as Metadata;
use aws_config::provider_config::ProviderConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_s3::config::SharedHttpClient;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use dropscope_ports::BoxError;
use std::time::Duration;

/// A call that nobody answers for so long is given up and tried again: without this it would wait for ever.
const ATTEMPT: Duration = Duration::from_secs(60);

/// The configuration that the clients of all services are made from.
pub type Sdk = aws_config::SdkConfig;

/// Reads region, credentials (lazily: nothing is asked for before the first call) and endpoints from the environment,
/// as every SDK of AWS does (`AWS_REGION`, `AWS_ENDPOINT_URL_S3` …).
pub async fn sdk() -> Sdk {
    // The version is fixed: a newer SDK does not change how calls behave before somebody has looked at it.
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(http())
        .timeout_config(TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT).build())
        .load()
        .await
}

/// The metadata of the instance that this program runs on (IMDSv2 only; `AWS_EC2_METADATA_SERVICE_ENDPOINT` moves it).
pub fn metadata() -> Metadata {
    Metadata::builder().configure(&ProviderConfig::without_region().with_http_client(http())).build()
}

/// The metadata that is served at another address.
///
/// # Errors
/// When that is no address.
pub fn metadata_at(endpoint: &str) -> Result<Metadata, BoxError> {
    let config = ProviderConfig::without_region().with_http_client(http());
    Ok(Metadata::builder().configure(&config).endpoint(endpoint)?.build())
}

/// TLS by ring, which needs a C compiler only.
fn http() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()
}
