//! Messages of the queue in front of launch: each on its own, so that one that fails spoils nothing for the others.

use crate::{Deps, LaunchError, handle};
use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent};
use serde_json::Value;

/// What became of a batch.
#[derive(Debug)]
pub struct Worked {
    /// The answer to SQS: messages that come again, and in the end go to the dead letter queue.
    pub response: SqsBatchResponse,
    /// What became of each of the others, in words.
    pub told: Vec<String>,
    /// Why those in the response come again.
    pub failed: Vec<String>,
}

/// A batch that is none.
#[derive(Debug, thiserror::Error)]
#[error("the event is no batch of a queue")]
pub struct NoBatch(#[source] serde_json::Error);

/// A message that could not be worked off.
#[derive(Debug, thiserror::Error)]
enum MessageError {
    #[error("the message is no event")]
    Shape(#[source] serde_json::Error),
    #[error("the run is not launched")]
    Launch(#[from] LaunchError),
}

/// Works off a batch of the queue.
///
/// # Errors
/// When the event is no batch. A message that fails is in the response.
pub async fn work(event: Value, deps: &Deps) -> Result<Worked, NoBatch> {
    let batch: SqsEvent = serde_json::from_value(event).map_err(NoBatch)?;
    let mut worked = Worked { response: SqsBatchResponse::default(), told: Vec::new(), failed: Vec::new() };
    for message in batch.records {
        match one(message.body.as_deref().unwrap_or_default(), deps).await {
            Ok(told) => worked.told.extend(told),
            Err(error) => {
                let id = message.message_id.unwrap_or_default();
                worked.failed.push(format!("message {id}: {}", dropscope_runtime::chain(&error)));
                worked.response.batch_item_failures.push(failure(id));
            }
        }
    }
    Ok(worked)
}

async fn one(body: &str, deps: &Deps) -> Result<Vec<String>, MessageError> {
    let event: Value = serde_json::from_str(body).map_err(MessageError::Shape)?;
    match handle(&event, deps).await {
        Ok(outcomes) => Ok(outcomes.iter().map(ToString::to_string).collect()),
        Err(error) if error.is_harmless() => Ok(vec![format!("refused: {}", dropscope_runtime::chain(&error))]),
        Err(error) => Err(error.into()),
    }
}

fn failure(id: String) -> BatchItemFailure {
    let mut failure = BatchItemFailure::default();
    failure.item_identifier = id;
    failure
}
