//! Recordings in many files: what lies in a folder, which run began with it, and the marker of one that gathers.

use crate::documents::{Changed, JobsError, create, keys, pause, read, to_bytes, update};
use dropscope_pipeline::folder::{LARGEST_STATEMENT, Statement, Written};
use dropscope_pipeline::key::kind_of_member;
use dropscope_pipeline::{Begun, Frozen, Gathering, Listing, Member, MemberKind, ObjectKey, RunId, Timestamp, state_keys};
use dropscope_ports::retry::patiently;
use dropscope_ports::{Condition, ETag, ObjectMeta, Objects, ObjectsError, Select};

/// How often a beginning is decided on again when somebody else was first, or the folder changed meanwhile.
const ROUNDS: u32 = 12;

/// What lies in a recording's folder now.
///
/// # Errors
/// See [`JobsError`].
pub async fn look_into(objects: &dyn Objects, folder: &ObjectKey) -> Result<Listing, JobsError> {
    let (mut listing, mut after): (Listing, Option<ObjectKey>) = (Listing::default(), None);
    loop {
        let page = patiently(|| objects.list(folder.as_str(), after.as_ref())).await?;
        let Some(last) = page.last() else { return Ok(listing) };
        after = Some(last.key.clone());
        for meta in page {
            take(&mut listing, folder, meta);
        }
    }
}

fn take(listing: &mut Listing, folder: &ObjectKey, meta: ObjectMeta) {
    let name = meta.key.as_str().strip_prefix(folder.as_str()).unwrap_or_default().to_owned();
    match kind_of_member(&name) {
        MemberKind::File => listing.members.push(Member { name, etag: meta.etag, size: meta.size }),
        MemberKind::Statement => listing.statement = Some((Written { etag: meta.etag, at: meta.modified }, meta.size)),
        MemberKind::Aside => return,
    }
    listing.newest = listing.newest.max(meta.modified);
}

/// Marks a folder as one that gathers; one that is marked already stays so, and costs one look.
///
/// # Errors
/// See [`JobsError`].
pub async fn gather(objects: &dyn Objects, folder: &ObjectKey, now: Timestamp) -> Result<(), JobsError> {
    let key = state_keys::folder(&state_keys::folder_id(folder));
    match patiently(|| objects.head(&key, &EVERYTHING)).await {
        Ok(_) => Ok(()),
        Err(ObjectsError::NotFound { .. }) => {
            create(objects, &key, &to_bytes(&key, &Gathering::new(folder.clone(), now))?).await?;
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

const EVERYTHING: Select = Select { version: None, if_match: None, range: None };

/// The names of all folders that gather.
///
/// # Errors
/// See [`JobsError`].
pub async fn list_gathering(objects: &dyn Objects) -> Result<Vec<String>, JobsError> {
    let name = |key: ObjectKey| Some(key.as_str().strip_prefix(state_keys::FOLDERS)?.strip_suffix(".json")?.to_owned());
    Ok(keys(objects, state_keys::FOLDERS).await?.into_iter().filter_map(name).collect())
}

/// The marker of a folder, if it gathers.
///
/// # Errors
/// See [`JobsError`].
pub async fn load_gathering(objects: &dyn Objects, id: &str) -> Result<Option<Gathering>, JobsError> {
    Ok(read(objects, &state_keys::folder(id)).await?.map(|(gathering, _)| gathering))
}

/// Keeps what a look at a folder found; one that no longer gathers stays so.
///
/// # Errors
/// See [`JobsError`].
pub async fn keep_gathering(objects: &dyn Objects, next: &Gathering) -> Result<(), JobsError> {
    let key = state_keys::folder(&state_keys::folder_id(&next.folder));
    let decide = |_: &Gathering| Ok::<_, std::convert::Infallible>(next.clone());
    match update(objects, &key, None, decide).await {
        Ok(Changed::Now(_)) | Err(JobsError::Store(ObjectsError::NotFound { .. })) => Ok(()),
        Ok(Changed::Refused(_, never)) => match never {},
        Err(error) => Err(error),
    }
}

/// Takes the marker of a folder away, of which everything in `handled` is worked off. What came meanwhile finds the
/// marker standing and relies on it, so the folder is looked at once more, and marked again if it has changed.
///
/// # Errors
/// See [`JobsError`].
pub async fn settle_folder(
    objects: &dyn Objects,
    folder: &ObjectKey,
    handled: &Listing,
    now: Timestamp,
) -> Result<(), JobsError> {
    let key = state_keys::folder(&state_keys::folder_id(folder));
    patiently(|| objects.delete(&key)).await?;
    if look_into(objects, folder).await?.digest() != handled.digest() {
        gather(objects, folder, now).await?;
    }
    Ok(())
}

/// What has begun of a folder.
///
/// # Errors
/// See [`JobsError`].
pub async fn load_begun(objects: &dyn Objects, folder: &ObjectKey) -> Result<Option<Begun>, JobsError> {
    Ok(read(objects, &begun_key(folder)).await?.map(|(begun, _)| begun))
}

fn begun_key(folder: &ObjectKey) -> ObjectKey {
    state_keys::begun(&state_keys::folder_id(folder))
}

/// The files of a run of a folder.
///
/// # Errors
/// See [`JobsError`].
pub async fn load_frozen(objects: &dyn Objects, run: &RunId) -> Result<Frozen, JobsError> {
    let key = state_keys::members(run);
    match read(objects, &key).await? {
        Some((frozen, _)) => Ok(frozen),
        None => Err(ObjectsError::NotFound { key }.into()),
    }
}

/// The files of a folder's run, and what lies there now. A run begins where none has, or where another `recording.toml`
/// was written since; of several who begin at once, one does, and all get its files.
///
/// # Errors
/// See [`JobsError`].
pub async fn begin(objects: &dyn Objects, bucket: &str, folder: &ObjectKey) -> Result<(Frozen, Listing), JobsError> {
    let key = begun_key(folder);
    for round in 0..ROUNDS {
        let known = read::<Begun>(objects, &key).await?;
        let listing = look_into(objects, folder).await?;
        if let Some((begun, _)) = known.as_ref().filter(|(begun, _)| begun.holds(&listing)) {
            return Ok((load_frozen(objects, &begun.run).await?, listing));
        }
        let Some(statement) = statement(objects, folder, &listing).await? else { continue };
        let frozen = Frozen::new(bucket, folder, &listing, statement);
        if written(objects, &key, known.map(|(_, etag)| etag), &frozen, &listing).await? {
            return Ok((frozen, listing));
        }
        pause(round / 3).await;
    }
    Err(JobsError::Contended { key })
}

/// Freezes the files, then says that their run has begun; false when somebody else was first or nobody knows.
async fn written(
    objects: &dyn Objects,
    key: &ObjectKey,
    before: Option<ETag>,
    frozen: &Frozen,
    listing: &Listing,
) -> Result<bool, JobsError> {
    let list = state_keys::members(&frozen.run);
    let text = serde_json::to_vec(frozen).map_err(|source| JobsError::Broken { key: list.clone(), source })?;
    create(objects, &list, &text).await?;
    let begun = Begun {
        schema: 1,
        folder: frozen.folder.clone(),
        run: frozen.run.clone(),
        digest: frozen.digest.clone(),
        statement: listing.written().cloned(),
    };
    let condition = before.map_or(Condition::Absent, Condition::Matches);
    match objects.put(key, to_bytes(key, &begun)?, &condition).await {
        Ok(_) => Ok(true),
        Err(ObjectsError::Precondition { .. }) => Ok(false),
        Err(error) if error.is_transient() => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The `recording.toml` of a listing, as far as there is one; none when it is another by now.
async fn statement(objects: &dyn Objects, folder: &ObjectKey, listing: &Listing) -> Result<Option<Option<Statement>>, JobsError> {
    let Some((written, size)) = &listing.statement else { return Ok(Some(None)) };
    // An empty object has no first byte to read.
    if *size == 0 {
        return Ok(Some(Some(Statement::Text(String::new()))));
    }
    let key = folder.child(dropscope_pipeline::folder::STATEMENT);
    let select = Select { version: None, if_match: Some(written.etag.clone()), range: Some(0..LARGEST_STATEMENT + 1) };
    match patiently(|| objects.get(&key, &select)).await {
        Ok(object) => Ok(Some(Some(Statement::of_bytes(object.bytes)))),
        Err(ObjectsError::NotFound { .. } | ObjectsError::Precondition { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
