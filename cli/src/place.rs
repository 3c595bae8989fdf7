//! Where runs are: the folder of the embedded cloud, or the bucket of a stack on AWS.

use crate::args::PlaceArgs;
use crate::cloud::BUCKET;
use crate::failure::Failure;
use crate::text::shown;
use bucket::Bucket;
use dropscope_jobs::JobsError;
use dropscope_local::LocalStore;
use dropscope_pipeline::ObjectKey;
use dropscope_ports::{Objects, ObjectsError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[cfg(feature = "aws")]
mod bucket;
#[cfg(not(feature = "aws"))]
#[path = "place/no_bucket.rs"]
mod bucket;

/// An opened place.
pub(crate) struct Place {
    objects: Arc<dyn Objects>,
    kind: Kind,
}

enum Kind {
    Folder { store: LocalStore, folder: PathBuf },
    Bucket { bucket: Bucket, name: String },
}

impl Place {
    /// Opens what the command line names.
    pub(crate) async fn open(args: &PlaceArgs) -> Result<Self, Failure> {
        match &args.bucket {
            Some(name) => Self::bucket(name).await,
            None => Self::folder(&args.at),
        }
    }

    async fn bucket(name: &str) -> Result<Self, Failure> {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-');
        if !(3..=63).contains(&name.len()) || !name.chars().all(fits) {
            let remedy = "give the name alone, as `dropscope deploy` ends with it: no s3:// and no folder";
            return Err(Failure::input(format!("`{}` is no name of a bucket", shown(name)), remedy));
        }
        let bucket = Bucket::open(name).await?;
        Ok(Self { objects: bucket.objects(), kind: Kind::Bucket { bucket, name: name.to_owned() } })
    }

    /// The bucket in a folder that `watch` or `demo` made; a folder without one is no bucket, and is not made one.
    fn folder(folder: &Path) -> Result<Self, Failure> {
        if !folder.join(".dropscope").is_dir() {
            let cause = format!("{} holds no bucket", folder.display());
            let remedy = "name the folder of `dropscope watch` or `dropscope demo` with --at, or a bucket on AWS with --bucket";
            return Err(Failure::input(cause, remedy));
        }
        let store = LocalStore::open(folder, BUCKET).map_err(|error| crate::commands::unwritable(folder, &error))?;
        Ok(Self { objects: Arc::new(store.clone()), kind: Kind::Folder { store, folder: folder.to_owned() } })
    }

    /// The bucket.
    pub(crate) fn objects(&self) -> &Arc<dyn Objects> {
        &self.objects
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        match &self.kind {
            Kind::Folder { .. } => BUCKET,
            Kind::Bucket { name, .. } => name,
        }
    }

    /// The folder that it is, if it is one.
    pub(crate) fn as_folder(&self) -> Option<&Path> {
        match &self.kind {
            Kind::Folder { folder, .. } => Some(folder),
            Kind::Bucket { .. } => None,
        }
    }

    /// What stands before a key to make it an address.
    pub(crate) fn prefix(&self) -> String {
        match &self.kind {
            Kind::Folder { folder, .. } => format!("{}/", folder.display()),
            Kind::Bucket { name, .. } => format!("s3://{name}/"),
        }
    }

    /// Where a person can look at an object: its file, or a link. None where there is no such object.
    pub(crate) async fn address(&self, key: &ObjectKey) -> Result<Option<String>, Failure> {
        match &self.kind {
            Kind::Folder { store, .. } => Ok(store.path(key).map(|path| crate::text::shown_path(&path))),
            Kind::Bucket { bucket, .. } => match self.objects.head(key, &dropscope_ports::Select::default()).await {
                Ok(_) => bucket.link(key).await.map(Some).map_err(|error| self.unreadable(error.into())),
                Err(ObjectsError::NotFound { .. }) => Ok(None),
                Err(error) => Err(self.unreadable(error.into())),
            },
        }
    }

    /// Why state cannot be read or changed.
    pub(crate) fn unreadable(&self, error: JobsError) -> Failure {
        let remedy = match (&self.kind, &error) {
            (Kind::Folder { .. }, _) => "look at the folder's state/".to_owned(),
            (Kind::Bucket { name, .. }, JobsError::Store(ObjectsError::NotFound { .. })) => {
                format!("is `{name}` the bucket of a stack? `dropscope deploy` ends with its name")
            }
            (Kind::Bucket { .. }, JobsError::Store(ObjectsError::Denied { .. })) => {
                "use the operator's credentials; a member of the lab may upload and fetch their own only".to_owned()
            }
            (Kind::Bucket { .. }, _) => {
                "look at credentials, region and network; `dropscope doctor` says what is found".to_owned()
            }
        };
        Failure::failed(&error, remedy)
    }
}
