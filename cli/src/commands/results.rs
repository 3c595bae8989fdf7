//! `dropscope open`, `fetch` and `rerun`: what to do with a run.

use crate::args::{Fetch, Open, Rerun};
use crate::failure::Failure;
use crate::folder::{self, Making};
use crate::place::Place;
use crate::text::{self, shown, shown_path};
use dropscope_jobs::JobsError;
use dropscope_local::MailDir;
use dropscope_pipeline::run::NotARun;
use dropscope_pipeline::{Job, Mail, ObjectKey, RunId, State};
use dropscope_ports::clock::SystemClock;
use dropscope_ports::{MailError, Mailer, ObjectsError, Select};
use std::sync::Arc;

/// What a person looks at first; runs of earlier versions have the figure only.
const REPORTS: [&str; 2] = ["report.html", "figure.png"];

pub(super) fn open(args: &Open) -> Result<(), Failure> {
    super::runtime()?.block_on(async {
        let place = Place::open(&args.place).await?;
        let (_, results) = done(&place, &args.run).await?;
        for report in REPORTS {
            if let Some(address) = place.address(&results.child(report)).await? {
                return text::say(&address);
            }
        }
        let remedy = "see its folder under results/, or run it again with `dropscope rerun`";
        Err(Failure::input("the run has no report", remedy))
    })
}

pub(super) fn fetch(args: &Fetch) -> Result<(), Failure> {
    super::runtime()?.block_on(async {
        let place = Place::open(&args.place).await?;
        let (job, results) = done(&place, &args.run).await?;
        let name = job.manifest.as_ref().map_or_else(|| job.run.to_string(), |manifest| safe(&manifest.name));
        let target = args.out.join(name);
        if !Making::is_free(&target) {
            let cause = format!("{} is in the way and holds no results of dropscope", shown_path(&target));
            return Err(Failure::input(cause, "choose another folder with --out"));
        }
        let making = Making::begin(&target).map_err(|error| super::unwritable(&args.out, &error))?;
        copy(&place, &results, &making).await?;
        making.finish().map_err(|error| super::unwritable(&args.out, &error))?;
        text::say(&shown_path(&target))
    })
}

/// A name that is one folder: a recording's may hold anything but a slash.
fn safe(name: &str) -> String {
    match name {
        "." | ".." => "_".to_owned(),
        name => name.chars().map(|c| if c == '/' || c == '\\' || c.is_control() { '_' } else { c }).take(100).collect(),
    }
}

async fn copy(place: &Place, results: &ObjectKey, making: &Making) -> Result<(), Failure> {
    let (store, unreadable) = (place.objects(), |error: ObjectsError| place.unreadable(error.into()));
    let mut after = None;
    loop {
        let page = store.list(results.as_str(), after.as_ref()).await.map_err(unreadable)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.key.clone());
        for meta in &page {
            let object = store.get(&meta.key, &Select::default()).await.map_err(unreadable)?;
            // Names below a run's folder are dropscope's own.
            let name = meta.key.as_str().strip_prefix(results.as_str()).unwrap_or_default();
            folder::write(making.path(), name, &object.bytes).map_err(|error| super::unwritable(making.path(), &error))?;
        }
    }
}

/// Whoever runs a recording again in a bucket is told here what came of it: a mail would say it a second time.
struct ToldHere;

#[async_trait::async_trait]
impl Mailer for ToldHere {
    async fn send(&self, _mail: &Mail) -> Result<(), MailError> {
        Ok(())
    }
}

pub(super) fn rerun(args: &Rerun) -> Result<(), Failure> {
    let settings = crate::settings::from_args(&args.settings)?;
    let run = parse(&args.run)?;
    super::runtime()?.block_on(async {
        let place = Place::open(&args.place).await?;
        let clock = Arc::new(SystemClock);
        let (mailer, who): (Arc<dyn Mailer>, _) = match place.as_folder() {
            Some(folder) => (Arc::new(MailDir::new(folder, clock.clone())), "`dropscope watch` works on it"),
            None => (Arc::new(ToldHere), "the stack works on it"),
        };
        let deps = dropscope_validate::Deps {
            bucket: place.name().to_owned(),
            mailer,
            objects: place.objects().clone(),
            clock,
            place: place.prefix(),
            mail_lease_seconds: 0,
        };
        let job = dropscope_validate::rerun(&run, &settings, &deps).await.map_err(|error| match error {
            dropscope_validate::ValidateError::Jobs(JobsError::Store(ObjectsError::NotFound { .. })) => unknown(&run),
            dropscope_validate::ValidateError::Jobs(error) => place.unreadable(error),
            error => Failure::failed(&error, "look at its state/"),
        })?;
        if let State::Rejected(verdict) = job.state {
            return Err(Failure::input(verdict.cause, verdict.remedy));
        }
        text::say(&format!("{}  {}: {who}", job.run, shown(job.upload.key.as_str())))
    })
}

/// A run that is done, and where its results are.
async fn done(place: &Place, run: &str) -> Result<(Job, ObjectKey), Failure> {
    let run = parse(run)?;
    let found = dropscope_jobs::find_job(&**place.objects(), &run).await;
    let job = found.map_err(|error| place.unreadable(error))?.ok_or_else(|| unknown(&run))?;
    match (&job.state, job.results()) {
        (State::Done(_), Some(results)) => Ok((job, results)),
        _ => Err(Failure::input(
            format!("run `{run}` is {}", job.state.word()),
            "see `dropscope status` for what it waits for or why it ended",
        )),
    }
}

pub(super) fn parse(run: &str) -> Result<RunId, Failure> {
    run.parse().map_err(|error: NotARun| Failure::input(error.to_string(), "see `dropscope status` for the runs"))
}

pub(super) fn unknown(run: &RunId) -> Failure {
    Failure::input(format!("there is no run `{run}`"), "see `dropscope status` for the runs")
}
