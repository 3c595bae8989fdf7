//! The two answers that there are.

use serde_json::{Value, json};

/// An answer to a browser (Lambda guide, urls-invocation, payload 2.0).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer(Option<String>);

impl Answer {
    /// On to this address.
    pub(crate) fn on_to(address: String) -> Self {
        Self(Some(address))
    }

    /// The same for everybody else, so that it tells nothing of why.
    pub(crate) fn refused() -> Self {
        Self(None)
    }

    /// As AWS Lambda takes it. Nothing in between keeps it, and the page that it leads to is not told where from.
    pub fn to_json(&self) -> Value {
        let mut headers = json!({ "Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex" });
        let (status, body) = match &self.0 {
            Some(address) => {
                headers["Location"] = json!(address);
                (302, "")
            }
            None => {
                headers["Content-Type"] = json!("text/plain; charset=utf-8");
                (403, REFUSED)
            }
        };
        json!({ "statusCode": status, "headers": headers, "body": body, "isBase64Encoded": false })
    }
}

const REFUSED: &str = "This link opens nothing, or nothing any more: links of mails end after some days.\n\
    The results are kept. Whoever runs dropscope opens them: dropscope open RUN --bucket BUCKET\n";
