//! Ports that fail when they are told to: the world between any two writes.

use dropscope_pipeline::instance::Offer;
use dropscope_pipeline::{Mail, ObjectKey};
use dropscope_ports::{
    Condition, ETag, Fleet, FleetError, Instance, LaunchRequest, MailError, Mailer, Object, ObjectMeta, Objects, ObjectsError,
    Part, Select,
};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What happens at the chosen write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The process dies before the write: nothing of it happens.
    Before,
    /// The process dies after the write: it happened, nobody was told.
    After,
    /// The write happened, its answer was lost, and life goes on.
    AnswerLost,
    /// The write did not happen, and life goes on.
    Refused,
}

/// Counts writes across all ports that share it, and strikes at one of them.
pub struct Faults {
    strike_at: usize,
    moment: Moment,
    count: AtomicUsize,
    dead: AtomicBool,
    names: Mutex<Vec<String>>,
    kill: Option<fn()>,
}

/// The process is dead: no call gets through any more.
#[derive(Debug, thiserror::Error)]
#[error("the process died at write `{0}`")]
pub struct Died(usize);

/// The write at which life went on failed this once.
#[derive(Debug, thiserror::Error)]
#[error("no answer to write `{0}`")]
struct NoAnswer(usize);

impl Faults {
    /// Strikes at the write number `strike_at`, counted from 0.
    pub fn at(strike_at: usize, moment: Moment) -> Arc<Self> {
        Arc::new(Self::new(strike_at, moment, None))
    }

    /// Never strikes; counts.
    pub fn never() -> Arc<Self> {
        Self::at(usize::MAX, Moment::Before)
    }

    /// Strikes by calling `kill`, which does not come back: a real process dies a real death.
    pub fn killing(strike_at: usize, moment: Moment, kill: fn()) -> Arc<Self> {
        Arc::new(Self::new(strike_at, moment, Some(kill)))
    }

    fn new(strike_at: usize, moment: Moment, kill: Option<fn()>) -> Self {
        let (count, dead, names) = (AtomicUsize::new(0), AtomicBool::new(false), Mutex::new(Vec::new()));
        Self { strike_at, moment, count, dead, names, kill }
    }

    /// Whether the process has died.
    pub fn dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }

    /// Another process begins where the dead one stood: the strike is behind it.
    pub fn start_again(&self) {
        self.dead.store(false, Ordering::SeqCst);
    }

    /// What was written so far, in order.
    pub fn writes(&self) -> Vec<String> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn alive(&self) -> Result<(), Died> {
        if self.dead() { Err(Died(self.strike_at)) } else { Ok(()) }
    }

    fn die(&self) -> Died {
        self.dead.store(true, Ordering::SeqCst);
        if let Some(kill) = self.kill {
            kill();
        }
        Died(self.strike_at)
    }

    /// Runs a write, unless this is the one to strike at. `failed` makes the port's error of a cause.
    async fn write<T, E>(
        &self,
        name: String,
        call: impl Future<Output = Result<T, E>> + Send,
        failed: impl Fn(dropscope_ports::BoxError) -> E + Send,
    ) -> Result<T, E> {
        self.alive().map_err(|died| failed(died.into()))?;
        let number = self.count.fetch_add(1, Ordering::SeqCst);
        self.names.lock().unwrap_or_else(PoisonError::into_inner).push(name);
        if number != self.strike_at {
            return call.await;
        }
        match self.moment {
            Moment::Before => Err(failed(self.die().into())),
            Moment::Refused => Err(failed(NoAnswer(number).into())),
            Moment::After => {
                call.await?;
                Err(failed(self.die().into()))
            }
            Moment::AnswerLost => {
                call.await?;
                Err(failed(NoAnswer(number).into()))
            }
        }
    }
}

/// A port behind [`Faults`].
pub struct Failing<P: ?Sized> {
    faults: Arc<Faults>,
    port: Arc<P>,
}

impl<P: ?Sized> Failing<P> {
    /// Puts a port behind faults.
    pub fn new(port: Arc<P>, faults: Arc<Faults>) -> Self {
        Self { faults, port }
    }
}

/// A dead process gets no answer that is worth a retry; a lost answer is.
fn objects_error(key: &ObjectKey, source: dropscope_ports::BoxError) -> ObjectsError {
    if source.is::<Died>() {
        ObjectsError::Denied { key: key.clone(), source }
    } else {
        ObjectsError::Busy { key: key.clone(), source }
    }
}

#[async_trait::async_trait]
impl Objects for Failing<dyn Objects> {
    async fn head(&self, key: &ObjectKey, select: &Select) -> Result<ObjectMeta, ObjectsError> {
        self.faults.alive().map_err(|died| objects_error(key, died.into()))?;
        self.port.head(key, select).await
    }

    async fn get(&self, key: &ObjectKey, select: &Select) -> Result<Object, ObjectsError> {
        self.faults.alive().map_err(|died| objects_error(key, died.into()))?;
        self.port.get(key, select).await
    }

    async fn list(&self, prefix: &str, after: Option<&ObjectKey>) -> Result<Vec<ObjectMeta>, ObjectsError> {
        self.faults.alive().map_err(|died| objects_error(&ObjectKey::raw(prefix), died.into()))?;
        self.port.list(prefix, after).await
    }

    async fn put(&self, key: &ObjectKey, bytes: Vec<u8>, condition: &Condition) -> Result<ETag, ObjectsError> {
        self.faults.write(format!("put {key}"), self.port.put(key, bytes, condition), |e| objects_error(key, e)).await
    }

    async fn delete(&self, key: &ObjectKey) -> Result<(), ObjectsError> {
        self.faults.write(format!("delete {key}"), self.port.delete(key), |e| objects_error(key, e)).await
    }

    async fn start_multipart(&self, key: &ObjectKey) -> Result<String, ObjectsError> {
        self.faults.write(format!("start {key}"), self.port.start_multipart(key), |e| objects_error(key, e)).await
    }

    async fn put_part(&self, key: &ObjectKey, upload: &str, number: u32, bytes: Vec<u8>) -> Result<Part, ObjectsError> {
        let call = self.port.put_part(key, upload, number, bytes);
        self.faults.write(format!("part {number} of {key}"), call, |e| objects_error(key, e)).await
    }

    async fn complete_multipart(
        &self,
        key: &ObjectKey,
        upload: &str,
        parts: &[Part],
        condition: &Condition,
    ) -> Result<ETag, ObjectsError> {
        let call = self.port.complete_multipart(key, upload, parts, condition);
        self.faults.write(format!("complete {key}"), call, |e| objects_error(key, e)).await
    }

    async fn abort_multipart(&self, key: &ObjectKey, upload: &str) -> Result<(), ObjectsError> {
        self.faults.write(format!("abort {key}"), self.port.abort_multipart(key, upload), |e| objects_error(key, e)).await
    }
}

fn fleet_error(call: &'static str, source: dropscope_ports::BoxError) -> FleetError {
    if source.is::<Died>() { FleetError::Refused { call, source } } else { FleetError::Busy { call, source } }
}

#[async_trait::async_trait]
impl Fleet for Failing<dyn Fleet> {
    async fn offers(&self) -> Result<Vec<Offer>, FleetError> {
        self.faults.alive().map_err(|died| fleet_error("offers", died.into()))?;
        self.port.offers().await
    }

    async fn launch(&self, request: &LaunchRequest) -> Result<Instance, FleetError> {
        self.faults.write(format!("launch {}", request.token), self.port.launch(request), |e| fleet_error("launch", e)).await
    }

    async fn list(&self) -> Result<Vec<Instance>, FleetError> {
        self.faults.alive().map_err(|died| fleet_error("list", died.into()))?;
        self.port.list().await
    }

    async fn terminate(&self, instance: &str) -> Result<(), FleetError> {
        self.faults.write(format!("terminate {instance}"), self.port.terminate(instance), |e| fleet_error("terminate", e)).await
    }
}

#[async_trait::async_trait]
impl Mailer for Failing<dyn Mailer> {
    async fn send(&self, mail: &Mail) -> Result<(), MailError> {
        let failed = |source: dropscope_ports::BoxError| {
            let id = mail.id.clone();
            if source.is::<Died>() { MailError::Refused { id, source } } else { MailError::Busy { id, source } }
        };
        self.faults.write(format!("mail {}", mail.id), self.port.send(mail), failed).await
    }
}
