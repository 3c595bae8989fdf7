//! Mail as files: one `.eml` each, which every mail program opens.

use crate::atomic;
use dropscope_pipeline::Mail;
use dropscope_ports::{BoxError, Clock, MailError, Mailer};
use mail_builder::MessageBuilder;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Writes each mail to `<folder>/<id>.eml`. The same mail sent twice is the same file.
pub struct MailDir {
    folder: PathBuf,
    scratch: PathBuf,
    clock: Arc<dyn Clock>,
}

impl MailDir {
    /// Mails of the bucket in `folder`: they go to `folder/mail/`.
    pub fn new(folder: &Path, clock: Arc<dyn Clock>) -> Self {
        Self { folder: folder.join("mail"), scratch: folder.join(".dropscope").join("scratch"), clock }
    }

    fn write(&self, mail: &Mail) -> std::io::Result<()> {
        let to = if mail.owner.is_empty() { "operator".to_owned() } else { address(&mail.owner) };
        let message = MessageBuilder::new()
            .from(("dropscope", "dropscope@localhost"))
            .to(format!("{to}@localhost"))
            .subject(mail.subject.as_str())
            .date(self.clock.now().millis() / 1000)
            .message_id(format!("{}@dropscope.localhost", mail.id))
            .text_body(mail.body.as_str())
            .write_to_vec()?;
        atomic::write(&self.scratch, &self.folder.join(format!("{}.eml", mail.id)), &message)
    }
}

/// An owner is any folder name; a mailbox is not.
fn address(owner: &str) -> String {
    owner.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).take(60).collect()
}

#[async_trait::async_trait]
impl Mailer for MailDir {
    async fn send(&self, mail: &Mail) -> Result<(), MailError> {
        self.write(mail).map_err(|error| MailError::Busy { id: mail.id.clone(), source: BoxError::from(error) })
    }
}
