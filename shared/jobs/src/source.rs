//! The bytes of a run's recording: one object, or the files of a folder, always exactly those that the run began with.

use crate::documents::JobsError;
use crate::folders::load_frozen;
use dropscope_pipeline::{Frozen, Manifest, RunId, Upload};
use dropscope_ports::retry::patiently;
use dropscope_ports::{Depth, ObjectMeta, ObjectReader, Objects, ObjectsError, Select};
use dropscope_recording::{Limits, Members, Overrides, ReadAt, Recording, RecordingError};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;

/// A recording before it is looked into.
pub enum Input {
    /// One file.
    One(Box<dyn ReadAt>),
    /// Many.
    Many(Box<dyn Members>),
}

impl Input {
    /// Opens the recording.
    ///
    /// # Errors
    /// Why it cannot be read, see [`dropscope_recording::open`].
    pub fn open(self, limits: &Limits, overrides: &Overrides) -> Result<Recording, RecordingError> {
        match self {
            Self::One(reader) => dropscope_recording::open(reader, limits, overrides),
            Self::Many(members) => dropscope_recording::open_set(members, limits, overrides),
        }
    }
}

/// Where the recording of a run lies.
pub struct Source {
    objects: Arc<dyn Objects>,
    place: Place,
}

enum Place {
    Object(ObjectMeta),
    Folder(Frozen),
}

impl Source {
    /// The recording of an upload whose size need not be known; none when it is not there any more.
    ///
    /// # Errors
    /// See [`JobsError`].
    pub async fn of_upload(objects: &Arc<dyn Objects>, run: &RunId, upload: &Upload) -> Result<Option<Self>, JobsError> {
        let place = if upload.key.as_str().ends_with('/') {
            Place::Folder(load_frozen(&**objects, run).await?)
        } else {
            let select = Select { version: upload.version.clone(), if_match: Some(upload.etag.clone()), range: None };
            match patiently(|| objects.head(&upload.key, &select)).await {
                Ok(meta) => Place::Object(meta),
                Err(ObjectsError::NotFound { .. } | ObjectsError::Precondition { .. }) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        };
        Ok(Some(Self { objects: objects.clone(), place }))
    }

    /// The recording of an accepted run.
    ///
    /// # Errors
    /// See [`JobsError`].
    pub async fn of_manifest(objects: &Arc<dyn Objects>, manifest: &Manifest) -> Result<Self, JobsError> {
        let place = if manifest.key.as_str().ends_with('/') {
            Place::Folder(load_frozen(&**objects, &manifest.run).await?)
        } else {
            Place::Object(ObjectMeta {
                key: manifest.key.clone(),
                size: manifest.size,
                etag: manifest.etag.clone(),
                version: manifest.version.clone(),
                modified: None,
            })
        };
        Ok(Self { objects: objects.clone(), place })
    }

    /// All its bytes.
    pub fn size(&self) -> u64 {
        match &self.place {
            Place::Object(meta) => meta.size,
            Place::Folder(frozen) => frozen.bytes(),
        }
    }

    /// What its owner should know of the choice of files, one sentence each.
    pub fn notes(&self) -> Vec<String> {
        match &self.place {
            Place::Object(_) => Vec::new(),
            Place::Folder(frozen) => choose(frozen).map(|(_, _, notes)| notes).unwrap_or_default(),
        }
    }

    /// The bytes. To be used off the asynchronous threads only.
    ///
    /// # Errors
    /// Names files that `recording.toml` asks for and that are not there.
    pub fn input(&self, runtime: &Handle) -> Result<Input, RecordingError> {
        let (objects, runtime) = (self.objects.clone(), runtime.clone());
        match &self.place {
            Place::Object(meta) => Ok(Input::One(Box::new(ObjectReader::new(objects, runtime, meta.clone(), Depth::default())))),
            Place::Folder(frozen) => {
                let (metas, is_list, _) = choose(frozen)?;
                let names = metas.iter().map(|meta| name(frozen, meta)).collect();
                Ok(Input::Many(Box::new(Files { objects, runtime, metas, names, is_list })))
            }
        }
    }
}

fn name(frozen: &Frozen, meta: &ObjectMeta) -> String {
    meta.key.as_str().strip_prefix(frozen.folder.as_str()).unwrap_or_default().to_owned()
}

/// The files that the recording consists of, whether each was named, and notes.
fn choose(frozen: &Frozen) -> Result<(Vec<ObjectMeta>, bool, Vec<String>), RecordingError> {
    let said = frozen.said().map_err(|error| RecordingError::Settings {
        cause: format!("recording.toml cannot be used: {error}"),
        remedy: "correct it and upload it again".into(),
    })?;
    let names: Vec<String> = frozen.members.iter().map(|member| member.name.clone()).collect();
    let chosen = said.choose(&names)?;
    let members = chosen.places.into_iter().map(|place| &frozen.members[place]);
    let meta = |member: &dropscope_pipeline::Member| ObjectMeta {
        key: frozen.folder.child(&member.name),
        size: member.size,
        etag: member.etag.clone(),
        version: None,
        modified: None,
    };
    Ok((members.map(meta).collect(), chosen.is_list, chosen.notes))
}

/// Files of a folder are small and many, and neighbours in time are open at the same time: each gets little.
const OF_MANY: Depth =
    Depth { memory: 8 << 20, request: 2 << 20, smallest: 64 << 10, parallel: 4, patience: Duration::from_secs(10) };

/// Files of a folder in the bucket.
struct Files {
    objects: Arc<dyn Objects>,
    runtime: Handle,
    metas: Vec<ObjectMeta>,
    names: Vec<String>,
    is_list: bool,
}

impl Members for Files {
    fn names(&self) -> &[String] {
        &self.names
    }

    fn open(&self, member: usize) -> io::Result<Box<dyn ReadAt>> {
        let meta = self.metas.get(member).ok_or(io::ErrorKind::NotFound)?.clone();
        Ok(Box::new(ObjectReader::new(self.objects.clone(), self.runtime.clone(), meta, OF_MANY)))
    }

    fn is_list(&self) -> bool {
        self.is_list
    }
}
