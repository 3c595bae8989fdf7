//! The topic of mails of a stack on AWS.

use crate::doctor;
use crate::failure::Failure;
use crate::text::shown;
use dropscope_aws::{SnsSubscribers, SubscribersError};
use dropscope_pipeline::subscribers::{Step, Subscriber};

/// The topic.
pub(super) struct Topic(SnsSubscribers);

impl Topic {
    /// That of a deployed stack, which its outputs name.
    pub(super) async fn of_stack(stack: &str) -> Result<Self, Failure> {
        let Some(arn) = doctor::stack_output(stack, "MailTopicArn")?.filter(|arn| arn.starts_with("arn:")) else {
            let remedy = "say `dropscope deploy`, name it with --stack, or another region with AWS_REGION";
            return Err(Failure::input(format!("there is no stack `{}` with a topic of mails", shown(stack)), remedy));
        };
        let sdk = dropscope_aws::sdk().await;
        Ok(Self(SnsSubscribers::new(&sdk, arn)))
    }

    pub(super) async fn list(&self) -> Result<Vec<Subscriber>, Failure> {
        self.0.list().await.map_err(|error| failed(&error))
    }

    pub(super) async fn take(&self, step: &Step, address: &str) -> Result<(), Failure> {
        self.0.take(step, address).await.map_err(|error| failed(&error))
    }
}

fn failed(error: &SubscribersError) -> Failure {
    let remedy = "look whether these are the operator's credentials, and whether the address waits for a click of before";
    Failure::failed(error, remedy)
}
