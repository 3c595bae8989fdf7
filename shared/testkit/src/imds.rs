//! Instance metadata, version 2 only (EC2 user guide, instancedata-data-retrieval): what a worker asks who it is.

use crate::http::{self, Request};
use std::collections::BTreeMap;
use std::io;
use std::net::TcpListener;

/// Starts a metadata service that tells these things (`instance-id`, `tags/instance/dropscope:run` …), and gives its
/// address, for `AWS_EC2_METADATA_SERVICE_ENDPOINT`. It lives as long as the process.
///
/// # Errors
/// When there is no loopback.
pub fn start(told: &[(&str, &str)]) -> io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let told: BTreeMap<String, String> = told.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    http::serve(listener, move |request| answer(&request, &told));
    Ok(format!("http://{address}"))
}

fn answer(request: &Request, told: &BTreeMap<String, String>) -> Vec<u8> {
    match (request.method.as_str(), request.path.as_str()) {
        ("PUT", "/latest/api/token") => http::response("200 OK", &[("X-aws-ec2-metadata-token-ttl-seconds", "21600")], b"token"),
        ("GET", path) => match path.strip_prefix("/latest/meta-data/").and_then(|what| told.get(&what.replace("%3A", ":"))) {
            Some(value) => http::response("200 OK", &[], value.as_bytes()),
            None => http::response("404 Not Found", &[], b""),
        },
        _ => http::response("405 Method Not Allowed", &[], b""),
    }
}
