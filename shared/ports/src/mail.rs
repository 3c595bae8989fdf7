//! Sending mail.

use crate::BoxError;
use dropscope_pipeline::Mail;

/// Sends plain-text mails. At least once: a caller that does not know whether a mail went out sends it again.
#[async_trait::async_trait]
pub trait Mailer: Send + Sync {
    /// Sends one mail; when this returns, somebody else answers for it.
    ///
    /// # Errors
    /// See [`MailError`].
    async fn send(&self, mail: &Mail) -> Result<(), MailError>;
}

/// A mail that was perhaps not sent.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// Throttled, unreachable, disk full: send it again later.
    #[error("the mail `{id}` could not be sent now")]
    Busy {
        /// Which mail.
        id: String,
        /// The cause.
        #[source]
        source: BoxError,
    },
    /// Not allowed or not a mail: sending it again does not help.
    #[error("the mail `{id}` is refused")]
    Refused {
        /// Which mail.
        id: String,
        /// The cause.
        #[source]
        source: BoxError,
    },
}
