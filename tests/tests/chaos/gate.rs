//! A gate before every call of a port: its actor stops there until the adversary says what becomes of the call.

use crate::cloud::Instances;
use crate::weather::Reads;
use dropscope_pipeline::instance::Offer;
use dropscope_pipeline::{Mail, ObjectKey};
use dropscope_ports::{
    BoxError, Condition, ETag, Fleet, FleetError, Instance, LaunchRequest, MailError, Mailer, Object, ObjectMeta, Objects,
    ObjectsError, Part, Select,
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It goes through.
    Through,
    /// It is refused for now, and nothing happens (503, a reset, a timeout).
    Refused,
    /// It happens, and its answer is lost.
    Lost,
    /// A write of another got in between (409), or there is no capacity.
    Crowded,
    /// It happens, and then the actor is never heard of again.
    Last,
}

/// Where an actor stands.
#[derive(Default)]
struct Standing {
    call: Option<String>,
    fate: Option<Fate>,
}

/// One actor's gate.
#[derive(Default)]
pub(crate) struct Gate {
    standing: Mutex<Standing>,
    arrived: Notify,
    opened: Notify,
}

/// What a caller hears of a call that was refused, or whose answer was lost.
pub(crate) const NO_ANSWER: &str = "no answer";

impl Gate {
    /// Waits until the actor stands before a call, and says which.
    pub(crate) async fn arrival(&self) -> String {
        loop {
            if let Some(call) = self.standing().call.clone() {
                return call;
            }
            self.arrived.notified().await;
        }
    }

    /// Decides over the call that the actor stands before.
    pub(crate) fn open(&self, fate: Fate) {
        let mut standing = self.standing();
        standing.call = None;
        standing.fate = Some(fate);
        self.opened.notify_one();
    }

    /// Stands before a call until its fate is known.
    async fn pass(&self, call: String) -> Fate {
        self.standing().call = Some(call);
        self.arrived.notify_one();
        loop {
            if let Some(fate) = self.standing().fate.take() {
                return fate;
            }
            self.opened.notified().await;
        }
    }

    /// Makes a call, with the fate that the adversary gives it; `failed` is the error of the port.
    async fn call<T, E>(
        &self,
        name: String,
        call: impl Future<Output = Result<T, E>> + Send,
        failed: impl Fn(BoxError) -> E + Send,
    ) -> Result<T, E> {
        self.meet(self.pass(name).await, call, failed).await
    }

    async fn meet<T, E>(
        &self,
        fate: Fate,
        call: impl Future<Output = Result<T, E>> + Send,
        failed: impl Fn(BoxError) -> E + Send,
    ) -> Result<T, E> {
        match fate {
            Fate::Through => call.await,
            Fate::Refused | Fate::Crowded => Err(failed(NO_ANSWER.into())),
            Fate::Lost => {
                call.await?;
                Err(failed(NO_ANSWER.into()))
            }
            Fate::Last => {
                // Whatever it answers, nobody hears it.
                let _ = call.await;
                self.standing().call = Some("the end".into());
                self.arrived.notify_one();
                std::future::pending().await
            }
        }
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A port behind a gate.
pub(crate) struct Gated<P: ?Sized> {
    pub(crate) gate: Arc<Gate>,
    pub(crate) port: Arc<P>,
}

/// The bucket, behind a gate and under a sky.
pub(crate) struct Bucket {
    pub(crate) gate: Arc<Gate>,
    pub(crate) port: Arc<dyn Objects>,
    pub(crate) reads: Reads,
}

impl Bucket {
    async fn at<T>(
        &self,
        what: &str,
        key: &ObjectKey,
        call: impl Future<Output = Result<T, ObjectsError>> + Send,
    ) -> Result<T, ObjectsError> {
        match self.gate.pass(format!("{what} {key}")).await {
            Fate::Crowded => Err(ObjectsError::Conflict { key: key.clone() }),
            fate => self.gate.meet(fate, call, |source| ObjectsError::Busy { key: key.clone(), source }).await,
        }
    }
}

/// Recordings, and what lies beside results, are read by threads of their own: no gate can hold those.
fn is_read_beside(key: &ObjectKey) -> bool {
    ["recordings/", "results/"].iter().any(|prefix| key.as_str().starts_with(prefix))
}

#[async_trait::async_trait]
impl Objects for Bucket {
    async fn head(&self, key: &ObjectKey, select: &Select) -> Result<ObjectMeta, ObjectsError> {
        if key.as_str().starts_with("recordings/") {
            self.reads.pass(key, select)?;
            return self.port.head(key, select).await;
        }
        self.at("head", key, self.port.head(key, select)).await
    }

    async fn get(&self, key: &ObjectKey, select: &Select) -> Result<Object, ObjectsError> {
        if is_read_beside(key) {
            self.reads.pass(key, select)?;
            return self.port.get(key, select).await;
        }
        self.at("get", key, self.port.get(key, select)).await
    }

    async fn list(&self, prefix: &str, after: Option<&ObjectKey>) -> Result<Vec<ObjectMeta>, ObjectsError> {
        self.at("list", &ObjectKey::raw(prefix), self.port.list(prefix, after)).await
    }

    async fn put(&self, key: &ObjectKey, bytes: Vec<u8>, condition: &Condition) -> Result<ETag, ObjectsError> {
        self.at("put", key, self.port.put(key, bytes, condition)).await
    }

    async fn delete(&self, key: &ObjectKey) -> Result<(), ObjectsError> {
        self.at("delete", key, self.port.delete(key)).await
    }

    async fn start_multipart(&self, key: &ObjectKey) -> Result<String, ObjectsError> {
        self.at("put start of", key, self.port.start_multipart(key)).await
    }

    async fn put_part(&self, key: &ObjectKey, upload: &str, number: u32, bytes: Vec<u8>) -> Result<Part, ObjectsError> {
        self.at("put part of", key, self.port.put_part(key, upload, number, bytes)).await
    }

    async fn complete_multipart(
        &self,
        key: &ObjectKey,
        upload: &str,
        parts: &[Part],
        condition: &Condition,
    ) -> Result<ETag, ObjectsError> {
        self.at("put end of", key, self.port.complete_multipart(key, upload, parts, condition)).await
    }

    async fn abort_multipart(&self, key: &ObjectKey, upload: &str) -> Result<(), ObjectsError> {
        self.at("delete parts of", key, self.port.abort_multipart(key, upload)).await
    }
}

#[async_trait::async_trait]
impl Fleet for Gated<Instances> {
    async fn offers(&self) -> Result<Vec<Offer>, FleetError> {
        self.port.offers().await
    }

    async fn launch(&self, request: &LaunchRequest) -> Result<Instance, FleetError> {
        match self.gate.pass(format!("launch {}", request.token)).await {
            Fate::Crowded => self.port.without_capacity(request),
            fate => self.gate.meet(fate, self.port.launch(request), busy("launch")).await,
        }
    }

    async fn list(&self) -> Result<Vec<Instance>, FleetError> {
        self.gate.call("instances".into(), self.port.list(), busy("list")).await
    }

    async fn terminate(&self, instance: &str) -> Result<(), FleetError> {
        self.gate.call(format!("terminate {instance}"), self.port.terminate(instance), busy("terminate")).await
    }
}

fn busy(call: &'static str) -> impl Fn(BoxError) -> FleetError {
    move |source| FleetError::Busy { call, source }
}

#[async_trait::async_trait]
impl Mailer for Gated<dyn Mailer> {
    async fn send(&self, mail: &Mail) -> Result<(), MailError> {
        let busy = |source| MailError::Busy { id: mail.id.clone(), source };
        self.gate.call(format!("mail {}", mail.id), self.port.send(mail), busy).await
    }
}
