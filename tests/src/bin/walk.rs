//! The embedded cloud as real processes that can be made to die, by SIGKILL, at a chosen write.
//!
//! `walk FOLDER` turns the functions until every run is closed; its workers are `walk worker FOLDER …`. The variables
//! `STRIKE_FUNCTIONS` and `STRIKE_WORKER` (of the first attempt) hold a number and `before` or `after`.

use dropscope_cli::cloud::{BUCKET, Cloud, World};
use dropscope_local::{LocalFleet, LocalStore, MailDir, Worker};
use dropscope_ports::clock::SystemClock;
use dropscope_ports::{Clock, Fleet, Mailer, Objects};
use dropscope_segment::{Assignment, RunProgress};
use dropscope_segmentation::Stage;
use dropscope_testkit::faults::{Failing, Faults, Moment};
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

type Outcome = Result<(), Box<dyn Error>>;

struct Nobody;
impl RunProgress for Nobody {
    fn step(&self, _: usize, _: usize, _: Stage, _: usize, _: usize) {}
}

#[tokio::main]
async fn main() -> Outcome {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.first().map(String::as_str) {
        Some("worker") => work(&args).await,
        Some(folder) => walk(Path::new(folder)).await,
        None => Err("name a folder".into()),
    }
}

fn strike(variable: &str) -> Arc<Faults> {
    let asked = std::env::var(variable).ok();
    let Some((number, moment)) = asked.as_deref().and_then(|text| text.split_once(' ')) else { return Faults::never() };
    let moment = if moment == "before" { Moment::Before } else { Moment::After };
    Faults::killing(number.parse().unwrap_or(usize::MAX), moment, || {
        // The process is gone before this returns.
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    })
}

fn world(folder: &Path, store: LocalStore, faults: &Arc<Faults>) -> Result<World, Box<dyn Error>> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let arguments = vec!["worker".into(), folder.to_string_lossy().into_owned()];
    let worker = Worker { program: std::env::current_exe()?, arguments, shares_terminal: true };
    let objects: Arc<dyn Objects> = Arc::new(store);
    let fleet: Arc<dyn Fleet> = Arc::new(LocalFleet::open(folder, worker, 1, clock.clone())?);
    let mailer: Arc<dyn Mailer> = Arc::new(MailDir::new(folder, clock.clone()));
    Ok(World {
        objects: Arc::new(Failing::new(objects, faults.clone())),
        fleet: Arc::new(Failing::new(fleet, faults.clone())),
        mailer: Arc::new(Failing::new(mailer, faults.clone())),
        clock,
        place: format!("{}/", folder.display()),
    })
}

async fn walk(folder: &Path) -> Outcome {
    let (announce, announced) = tokio::sync::mpsc::unbounded_channel();
    let store = LocalStore::announcing(folder, BUCKET, announce)?;
    let faults = strike("STRIKE_FUNCTIONS");
    let mut cloud = Cloud::new(&world(folder, store.clone(), &faults)?, announced);
    cloud.recover(&store).await?;
    loop {
        let summary = cloud.turn().await?;
        if summary.open == 0 {
            println!("{}", faults.writes().len());
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

async fn work(args: &[String]) -> Outcome {
    let value = |name: &str| args.iter().skip_while(|arg| *arg != name).nth(1).ok_or("an argument is missing");
    let folder = Path::new(args.get(1).ok_or("name a folder")?);
    let assignment = Assignment {
        run: value("--run")?.parse()?,
        attempt: value("--attempt")?.parse()?,
        instance: value("--instance")?.clone(),
    };
    let faults = if assignment.attempt == 1 { strike("STRIKE_WORKER") } else { Faults::never() };
    let world = world(folder, LocalStore::open(folder, BUCKET)?, &faults)?;
    let deps = dropscope_segment::Deps {
        objects: world.objects,
        mailer: world.mailer,
        clock: world.clock,
        place: world.place,
        door: None,
        mail_lease_seconds: 0,
        scratch: folder.join(".dropscope").join("work"),
        threads: 1,
        keeping: dropscope_segment::Keeping::default(),
    };
    dropscope_segment::handle(&assignment, &deps, Arc::new(Nobody)).await?;
    Ok(())
}
