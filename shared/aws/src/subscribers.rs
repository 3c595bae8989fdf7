//! Who is subscribed to the topic of mails.

use aws_sdk_sns::Client;
use aws_sdk_sns::types::Subscription;
use dropscope_pipeline::subscribers::{Mails, Step, Subscriber};
use dropscope_ports::BoxError;

/// How SNS names a filter policy.
const POLICY: &str = "FilterPolicy";
/// How SNS names mail in plain text.
const EMAIL: &str = "email";

/// The topic did not do it.
#[derive(Debug, thiserror::Error)]
#[error("sns does not {what}")]
pub struct SubscribersError {
    what: &'static str,
    #[source]
    source: BoxError,
}

/// Wraps what the client said.
fn not<E: Into<BoxError>>(what: &'static str) -> impl FnOnce(E) -> SubscribersError {
    move |error| SubscribersError { what, source: error.into() }
}

/// Subscriptions by mail of one topic.
#[derive(Debug, Clone)]
pub struct SnsSubscribers {
    client: Client,
    topic: String,
}

impl SnsSubscribers {
    /// Those of the topic of this ARN.
    pub fn new(sdk: &crate::Sdk, topic: impl Into<String>) -> Self {
        Self { client: Client::new(sdk), topic: topic.into() }
    }

    /// All of them; one that is not confirmed without what it filters, which SNS does not tell.
    ///
    /// # Errors
    /// See [`SubscribersError`].
    pub async fn list(&self) -> Result<Vec<Subscriber>, SubscribersError> {
        let (mut found, mut next) = (Vec::new(), None);
        loop {
            let call = self.client.list_subscriptions_by_topic().topic_arn(&self.topic).set_next_token(next);
            let page = call.send().await.map_err(not("list subscriptions"))?;
            for one in page.subscriptions().iter().filter(|one| one.protocol() == Some(EMAIL)) {
                found.push(self.subscriber(one).await?);
            }
            next = page.next_token;
            if next.is_none() {
                return Ok(found);
            }
        }
    }

    async fn subscriber(&self, one: &Subscription) -> Result<Subscriber, SubscribersError> {
        let address = one.endpoint().unwrap_or_default().to_owned();
        // Before it is confirmed, words stand in place of the name.
        let Some(arn) = one.subscription_arn().filter(|arn| arn.starts_with("arn:")) else {
            return Ok(Subscriber { address, mails: None, arn: None });
        };
        let call = self.client.get_subscription_attributes().subscription_arn(arn);
        let told = call.send().await.map_err(not("tell of a subscription"))?;
        let attribute = |name: &str| told.attributes().and_then(|all| all.get(name)).map(String::as_str);
        if attribute("PendingConfirmation") == Some("true") {
            return Ok(Subscriber { address, mails: None, arn: None });
        }
        Ok(Subscriber { address, mails: Some(Mails::by_policy(attribute(POLICY))), arn: Some(arn.to_owned()) })
    }

    /// Does what was decided for an address.
    ///
    /// # Errors
    /// See [`SubscribersError`].
    pub async fn take(&self, step: &Step, address: &str) -> Result<(), SubscribersError> {
        match step {
            Step::Subscribe(policy) => {
                let call = self.client.subscribe().topic_arn(&self.topic).protocol(EMAIL).endpoint(address);
                call.attributes(POLICY, policy).send().await.map(drop).map_err(not("subscribe the address"))
            }
            Step::Refilter(arn, policy) => {
                let call = self.client.set_subscription_attributes().subscription_arn(arn);
                let call = call.attribute_name(POLICY).attribute_value(policy);
                call.send().await.map(drop).map_err(not("change the subscription"))
            }
            Step::End(arn) => {
                self.client.unsubscribe().subscription_arn(arn).send().await.map(drop).map_err(not("end the subscription"))
            }
            Step::Nothing => Ok(()),
        }
    }
}
