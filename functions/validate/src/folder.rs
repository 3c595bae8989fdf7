//! A recording in many files: from the first file that is heard of to a run, and to the mail about those that come later.

use crate::handler::{Deps, Outcome, ValidateError, proceed};
use dropscope_pipeline::job::Verdict;
use dropscope_pipeline::key::LONGEST_RECORDING_KEY;
use dropscope_pipeline::{
    Frozen, Job, KeyError, Listing, MemberKey, MemberKind, ObjectKey, RecordingKey, Settings, State, Upload, mail, state_keys,
};

/// An object of the folder was created. Only `recording.toml` begins a run at once; all others wait until nothing more comes,
/// and none is written down by itself.
async fn landed(member: &MemberKey, upload: &Upload, deps: &Deps) -> Result<Outcome, ValidateError> {
    let kind = member.kind();
    if kind == MemberKind::Aside {
        return Ok(Outcome::Ignored(KeyError::NotARecording(upload.key.to_string())));
    }
    // The marker comes first: whatever breaks off from here on, reconcile goes on with.
    dropscope_jobs::gather(&*deps.objects, &member.folder, deps.clock.now()).await?;
    let stated = kind == MemberKind::Statement;
    if stated && !dropscope_jobs::look_into(&*deps.objects, &member.folder).await?.members.is_empty() {
        return begin(&member.folder, deps).await;
    }
    Ok(Outcome::Gathering(member.folder.clone()))
}

/// A folder was quiet for long enough. One that gathers no more is worked off.
async fn ripened(id: &str, key: &ObjectKey, deps: &Deps) -> Result<Outcome, ValidateError> {
    match dropscope_jobs::load_gathering(&*deps.objects, id).await? {
        Some(gathering) if dropscope_jobs::look_into(&*deps.objects, &gathering.folder).await?.is_empty() => {
            Ok(Outcome::Gathering(gathering.folder))
        }
        Some(gathering) => begin(&gathering.folder, deps).await,
        None => Ok(Outcome::Ignored(KeyError::NotARecording(key.to_string()))),
    }
}

/// The folder's run: begun, or gone on with; then everybody is told what came too late for it.
async fn begin(folder: &ObjectKey, deps: &Deps) -> Result<Outcome, ValidateError> {
    let key = match RecordingKey::parse(folder) {
        Ok(key) => key,
        Err(why) => return Ok(Outcome::Ignored(why)),
    };
    let (frozen, listing) = dropscope_jobs::begin(&*deps.objects, &deps.bucket, folder).await?;
    let job = match dropscope_jobs::find_job(&*deps.objects, &frozen.run).await? {
        Some(job) => {
            if !job.closed {
                dropscope_jobs::mark_open(&*deps.objects, &job.run, job.received_at).await?;
            }
            job
        }
        None => claim(&frozen, &key, deps).await?,
    };
    let job = proceed(job, &key, deps).await?;
    tell_late(&job, &frozen, &listing, deps).await?;
    dropscope_jobs::settle_folder(&*deps.objects, folder, &listing, deps.clock.now()).await?;
    Ok(Outcome::Run(Box::new(job)))
}

/// The claim freezes the settings found now: those of `recording.toml`, then of the nearest `dropscope.toml`.
async fn claim(frozen: &Frozen, key: &RecordingKey, deps: &Deps) -> Result<Job, ValidateError> {
    let upload = Upload {
        bucket: deps.bucket.clone(),
        key: frozen.folder.clone(),
        version: None,
        etag: frozen.digest.clone(),
        size: Some(frozen.bytes()),
        sequencer: None,
    };
    let fresh = |settings| Job::claim(frozen.run.clone(), upload, key.owner.clone(), settings, deps.clock.now());
    let job = match settings(frozen, deps).await? {
        Ok(settings) => fresh(settings),
        Err(verdict) => Job { state: State::Rejected(verdict), ..fresh(Settings::default()) },
    };
    Ok(dropscope_jobs::create_job(&*deps.objects, job).await?)
}

async fn settings(frozen: &Frozen, deps: &Deps) -> Result<Result<Settings, Verdict>, ValidateError> {
    let bytes = frozen.folder.as_str().len();
    if bytes > LONGEST_RECORDING_KEY {
        return Ok(Err(crate::too_long(bytes)));
    }
    let said = match frozen.said() {
        Ok(said) => said.settings,
        Err(error) => {
            let cause = format!("{}recording.toml cannot be used: {error}", frozen.folder);
            return Ok(Err(Verdict { cause, remedy: "correct it and upload it again: that begins a new run".into() }));
        }
    };
    Ok(crate::settings::nearest(&*deps.objects, &frozen.folder).await?.map(|below| said.over(&below)))
}

/// One mail a run, however many files come after it has begun.
async fn tell_late(job: &Job, frozen: &Frozen, listing: &Listing, deps: &Deps) -> Result<(), ValidateError> {
    let late = frozen.late(listing);
    if !late.is_empty() {
        let (mail, now) = (mail::late(job, &late), deps.clock.now());
        dropscope_jobs::deliver(&*deps.objects, &*deps.mailer, &mail, deps.mail_lease_seconds, now).await?;
    }
    Ok(())
}

/// What the object is to a recording in many files; none when it is nothing to one.
pub(crate) async fn work(upload: &Upload, deps: &Deps) -> Result<Option<Outcome>, ValidateError> {
    if let Some(id) = state_keys::ripened(&upload.key) {
        return ripened(id, &upload.key, deps).await.map(Some);
    }
    match MemberKey::parse(&upload.key) {
        Some(member) => landed(&member, upload, deps).await.map(Some),
        None => Ok(None),
    }
}
