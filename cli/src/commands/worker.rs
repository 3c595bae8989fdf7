//! `dropscope segment` as an instance of the embedded cloud.

use crate::args::Segment;
use crate::cloud::BUCKET;
use crate::failure::Failure;
use crate::progress::Shown;
use dropscope_local::{LocalStore, MailDir};
use dropscope_ports::Clock;
use dropscope_ports::clock::SystemClock;
use dropscope_segment::{Assignment, Deps, Ending, Keeping};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub(super) fn work(bucket: &Path, args: &Segment) -> Result<(), Failure> {
    let assignment = assignment(args)?;
    watchdog(args.worker.lifetime.unwrap_or(3600));
    let deps = deps(bucket, args.threads).map_err(|error| super::run::unwritable(bucket, &error))?;
    let progress = Arc::new(Shown::new());
    let ending = super::runtime()?.block_on(dropscope_segment::handle(&assignment, &deps, progress.clone()));
    progress.finish();
    match ending {
        Ok(Ending::Done) => Ok(()),
        Ok(Ending::Failed(verdict)) => Err(Failure::input(verdict.cause, verdict.remedy)),
        Ok(Ending::Superseded(why)) => {
            tracing::warn!(run = %assignment.run, %why, "this attempt is over");
            Ok(())
        }
        Err(error) => Err(Failure::failed(&error, "the run is started again")),
    }
}

fn assignment(args: &Segment) -> Result<Assignment, Failure> {
    let worker = &args.worker;
    let (Some(run), Some(attempt), Some(instance)) = (&worker.run, worker.attempt, &worker.instance) else {
        return Err(Failure::input("a worker needs a run, an attempt and an instance", "see `dropscope segment --help`"));
    };
    let run = run.parse().map_err(|error: dropscope_pipeline::run::NotARun| Failure::input(error.to_string(), "name a run"))?;
    Ok(Assignment { run, attempt, instance: instance.clone() })
}

fn deps(bucket: &Path, threads: usize) -> std::io::Result<Deps> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = LocalStore::open(bucket, BUCKET)?;
    let folder = bucket.canonicalize()?;
    Ok(Deps {
        objects: Arc::new(store),
        mailer: Arc::new(MailDir::new(&folder, clock.clone())),
        clock,
        place: format!("{}/", folder.display()),
        door: None,
        mail_lease_seconds: 0,
        scratch: folder.join(".dropscope").join("work"),
        threads,
        keeping: Keeping::default(),
    })
}

/// Whatever happens, this process ends when its time is over: what an instance's own shutdown timer does.
fn watchdog(lifetime_seconds: u64) {
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_secs(lifetime_seconds));
        eprintln!("the time of this worker is over: it ends, and the run is started again");
        std::process::exit(1);
    });
}
