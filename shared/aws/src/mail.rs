//! Mail by SNS.

use aws_sdk_sns::Client;
use aws_sdk_sns::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sns::operation::publish::PublishError;
use aws_sdk_sns::types::MessageAttributeValue;
use dropscope_pipeline::Mail;
use dropscope_ports::{BoxError, MailError, Mailer};

/// A message has at most 256 KiB with its attributes (SNS quotas); the attributes get a KiB of them.
const LONGEST_BODY: usize = 255 * 1024;
/// A longer value of an attribute would be refused with everything else.
const LONGEST_OWNER: usize = 256;

/// One topic; people subscribe to it with a filter on the attributes `owner` and `kind`.
#[derive(Debug, Clone)]
pub struct SnsMailer {
    client: Client,
    topic: String,
}

impl SnsMailer {
    /// The topic of this ARN.
    pub fn new(sdk: &crate::Sdk, topic: impl Into<String>) -> Self {
        Self { client: Client::new(sdk), topic: topic.into() }
    }
}

#[async_trait::async_trait]
impl Mailer for SnsMailer {
    async fn send(&self, mail: &Mail) -> Result<(), MailError> {
        let mut call = self.client.publish().topic_arn(&self.topic).subject(&mail.subject).message(cut(&mail.body));
        for (name, value) in [("owner", attribute(&mail.owner)), ("kind", mail.kind.word().to_owned())] {
            // An attribute without a value is refused; a recording without a folder has no owner.
            if !value.is_empty() {
                let value = MessageAttributeValue::builder().data_type("String").string_value(value).build();
                call = call.message_attributes(name, value.map_err(|error| refused(mail, Box::new(error)))?);
            }
        }
        call.send().await.map(|_| ()).map_err(|error| sorted(error, mail))
    }
}

/// What cannot stand in a message's attribute (SNS: XML characters only) is left out.
fn attribute(owner: &str) -> String {
    let mut kept: String = owner.chars().filter(|c| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}')).collect();
    kept.truncate(kept.floor_char_boundary(LONGEST_OWNER));
    kept
}

fn cut(body: &str) -> String {
    if body.len() <= LONGEST_BODY {
        return body.to_owned();
    }
    format!("{}\n(cut: the mail was too long)\n", &body[..body.floor_char_boundary(LONGEST_BODY - 64)])
}

fn refused(mail: &Mail, source: BoxError) -> MailError {
    MailError::Refused { id: mail.id.clone(), source }
}

/// Sorts by what the caller may do (SNS API reference, Publish: errors).
fn sorted(error: SdkError<PublishError>, mail: &Mail) -> MailError {
    let status = error.raw_response().map(|response| response.status().as_u16());
    let throttled = error.code().is_some_and(|code| code.contains("Throttl") || code == "ExpiredToken");
    let lasting = matches!(status, Some(400..=499)) && status != Some(429) && !throttled;
    let lasting = lasting || matches!(error, SdkError::ConstructionFailure(_));
    let id = mail.id.clone();
    let source: BoxError = Box::new(error);
    if lasting { MailError::Refused { id, source } } else { MailError::Busy { id, source } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_cut_between_characters_below_the_quota() {
        let body = "é".repeat(200_000);
        let cut = cut(&body);
        assert!(cut.len() <= LONGEST_BODY && cut.ends_with("too long)\n"));
        assert_eq!(super::cut("short"), "short");
    }

    #[test]
    fn an_owner_is_a_value_that_sns_takes() {
        assert_eq!(attribute("ána b"), "ána b");
        assert_eq!(attribute("a\nb\u{1}c"), "abc");
        assert!(attribute(&"é".repeat(500)).len() <= LONGEST_OWNER);
    }
}
