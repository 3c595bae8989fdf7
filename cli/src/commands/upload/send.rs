//! Sending: files beside one another, large ones in parts beside one another.

use super::content::{etag, part_bytes};
use super::plan::{Item, Recording};
use super::resume::{Memory, Record};
use crate::failure::Failure;
use crate::place::Place;
use crate::text::{shown, shown_path};
use dropscope_ports::retry::patiently;
use dropscope_ports::{Condition, Objects, ObjectsError, Part, Select};
use indicatif::ProgressBar;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::{JoinError, JoinSet};

/// Calls under way at a time: a connection of S3 carries some 90 MB/s (S3 user guide, optimizing-performance-guidelines),
/// and each holds a part in memory.
const LANES: usize = 8;
/// Files that are looked at beside one another.
const FILES: usize = 32;

/// What was sent of a recording.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sent {
    /// Bytes; none when everything was there already.
    pub(super) bytes: u64,
}

/// Sends recordings to one place.
#[derive(Clone)]
pub(super) struct Sender {
    place: Arc<Place>,
    lanes: Arc<Semaphore>,
    files: Arc<Semaphore>,
    bar: ProgressBar,
}

impl Sender {
    pub(super) fn new(place: Arc<Place>, bar: ProgressBar) -> Self {
        Self { place, lanes: Arc::new(Semaphore::new(LANES)), files: Arc::new(Semaphore::new(FILES)), bar }
    }

    /// Sends a recording; of a folder's files the last only when all others are there.
    pub(super) async fn recording(&self, recording: &Recording) -> Result<Sent, Failure> {
        let Some((last, others)) = recording.files.split_last() else { return Ok(Sent::default()) };
        let mut tasks = JoinSet::new();
        for item in others {
            let (sender, item) = (self.clone(), item.clone());
            tasks.spawn(async move {
                let _turn = sender.files.acquire().await;
                sender.file(&item).await
            });
        }
        let mut sent = Sent::default();
        while let Some(ended) = tasks.join_next().await {
            sent.bytes += ended.map_err(|error| cut(&error))??;
        }
        sent.bytes += self.file(last).await?;
        Ok(sent)
    }

    /// Sends a file that is not there yet; the bytes that it took.
    async fn file(&self, item: &Item) -> Result<u64, Failure> {
        let Some(path) = &item.path else {
            self.put(item, Vec::new()).await?;
            return Ok(0);
        };
        if self.is_there(item, path).await? {
            self.bar.inc(item.size);
            return Ok(0);
        }
        if item.size <= part_bytes(item.size) {
            let read = path.clone();
            let bytes = blocking(move || std::fs::read(read)).await?.map_err(|error| unreadable(path, &error))?;
            self.put(item, bytes).await?;
            self.bar.inc(item.size);
        } else {
            self.in_parts(item, path).await?;
        }
        Ok(item.size)
    }

    /// Whether the very same bytes are there. Who may not look uploads.
    async fn is_there(&self, item: &Item, path: &Path) -> Result<bool, Failure> {
        let newest = Select::default();
        match patiently(|| self.objects().head(&item.key, &newest)).await {
            Ok(meta) if meta.size == item.size => {
                let (of, size) = (path.to_owned(), item.size);
                let own = blocking(move || etag(&of, size)).await?.map_err(|error| unreadable(path, &error))?;
                Ok(own == meta.etag)
            }
            Ok(_) | Err(ObjectsError::NotFound { .. } | ObjectsError::Denied { .. }) => Ok(false),
            Err(error) => Err(self.failed(error)),
        }
    }

    async fn put(&self, item: &Item, bytes: Vec<u8>) -> Result<(), Failure> {
        let _lane = self.lanes.acquire().await;
        let put = patiently(|| self.objects().put(&item.key, bytes.clone(), &Condition::Always)).await;
        put.map(|_| ()).map_err(|error| self.failed(error))
    }

    /// Goes on where an earlier upload of this file broke off, as far as the store still knows of it.
    async fn in_parts(&self, item: &Item, path: &Path) -> Result<(), Failure> {
        let memory = Memory::of(self.place.name(), item, path).map_err(|error| unreadable(path, &error))?;
        if let Some(record) = memory.recall() {
            match self.finish(item, path, &memory, record).await {
                // The store has cleared it away: from the beginning.
                Err(Broken::Store(ObjectsError::NotFound { .. } | ObjectsError::Invalid { .. })) => memory.forget(),
                other => return other.map_err(|broken| self.told(broken, path)),
            }
        }
        let upload = patiently(|| self.objects().start_multipart(&item.key)).await.map_err(|error| self.failed(error))?;
        let record = Record { upload, ..Record::default() };
        self.finish(item, path, &memory, record).await.map_err(|broken| self.told(broken, path))
    }

    /// Sends the parts that are missing, and makes all of them one object.
    async fn finish(&self, item: &Item, path: &Path, memory: &Memory, mut record: Record) -> Result<(), Broken> {
        let file = Arc::new(File::open(path)?);
        let (part, mut tasks) = (part_bytes(item.size), JoinSet::new());
        let done = self.bar.position();
        for number in (1u32..).take_while(|n| u64::from(n - 1) * part < item.size) {
            let start = u64::from(number - 1) * part;
            let length = part.min(item.size - start);
            if record.parts.contains_key(&number) {
                self.bar.inc(length);
                continue;
            }
            let (sender, file, item, upload) = (self.clone(), file.clone(), item.clone(), record.upload.clone());
            tasks.spawn(async move { sender.part(&item, &file, &upload, number, start..start + length).await });
        }
        while let Some(ended) = tasks.join_next().await {
            let sent = ended.map_err(Broken::Cut).and_then(|sent| sent).inspect_err(|_| self.bar.set_position(done))?;
            record.parts.insert(sent.number, sent.etag);
            memory.keep(&record)?;
        }
        let parts = record.parts();
        let whole = patiently(|| self.objects().complete_multipart(&item.key, &record.upload, &parts, &Condition::Always)).await;
        match whole {
            Ok(_) => {}
            // The answer to an earlier try may have been lost: then the upload is gone because it is the object.
            Err(error @ ObjectsError::NotFound { .. }) => match self.objects().head(&item.key, &Select::default()).await {
                Ok(meta) if meta.size == item.size && meta.etag == etag(path, item.size)? => {}
                _ => return Err(error.into()),
            },
            Err(error) => return Err(error.into()),
        }
        memory.forget();
        Ok(())
    }

    async fn part(
        &self,
        item: &Item,
        file: &Arc<File>,
        upload: &str,
        number: u32,
        range: std::ops::Range<u64>,
    ) -> Result<Part, Broken> {
        let _lane = self.lanes.acquire().await;
        let file = file.clone();
        let length = range.end - range.start;
        let read = move || -> io::Result<Vec<u8>> {
            let mut bytes = vec![0; length as usize];
            file.read_exact_at(&mut bytes, range.start)?;
            Ok(bytes)
        };
        let bytes = tokio::task::spawn_blocking(read).await.map_err(Broken::Cut)??;
        let part = patiently(|| self.objects().put_part(&item.key, upload, number, bytes.clone())).await?;
        self.bar.inc(length);
        Ok(part)
    }

    fn objects(&self) -> &dyn Objects {
        &**self.place.objects()
    }

    fn told(&self, broken: Broken, path: &Path) -> Failure {
        match broken {
            Broken::Store(error) => self.failed(error),
            Broken::File(error) => unreadable(path, &error),
            Broken::Cut(error) => cut(&error),
        }
    }

    fn failed(&self, error: ObjectsError) -> Failure {
        match error {
            ObjectsError::Denied { ref key, .. } => Failure::failed(
                &error,
                format!("`{}` is not yours to write with these credentials: is --owner right?", shown(key.as_str())),
            ),
            ObjectsError::Busy { .. } => Failure::failed(&error, "give the same command again: it goes on where it was"),
            error => self.place.unreadable(error.into()),
        }
    }
}

/// Why an upload in parts did not end.
enum Broken {
    Store(ObjectsError),
    File(io::Error),
    Cut(JoinError),
}

impl From<ObjectsError> for Broken {
    fn from(error: ObjectsError) -> Self {
        Self::Store(error)
    }
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::File(error)
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.map_err(|error| cut(&error))
}

fn cut(error: &JoinError) -> Failure {
    Failure::failed(error, "give the same command again: it goes on where it was")
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::input(format!("{} cannot be read, {error}", shown_path(path)), "look at its disk, and give the same command again")
}
