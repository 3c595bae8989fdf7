//! `dropscope watch`: the embedded cloud, until somebody ends it.

mod arrivals;
mod news;

use crate::args::Watch;
use crate::cloud::Embedded;
use crate::failure::Failure;
use crate::text;
use arrivals::Arrivals;
use dropscope_jobs::JobsError;
use dropscope_local::{Worker, s3};
use dropscope_pipeline::Job;
use dropscope_ports::Clock;
use dropscope_ports::clock::SystemClock;
use news::News;
use std::fs::{File, TryLockError};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// Pause between two looks at the runs while some are open.
const BUSY: Duration = Duration::from_millis(250);
/// The same while none is.
const QUIET: Duration = Duration::from_secs(1);
/// A bucket with so many runs that a look takes long is looked at for a quarter of the time at most.
const SHARE: u32 = 3;
/// What is still being done when the program ends gets so long; what it leaves, the next start goes on with.
const FAREWELL: Duration = Duration::from_secs(1);

pub(super) fn watch(args: &Watch) -> Result<(), Failure> {
    let folder = make(&args.folder)?;
    let _lock = lock(&folder)?;
    let runtime = super::runtime()?;
    let ended = runtime.block_on(serve(args, &folder));
    runtime.shutdown_timeout(FAREWELL);
    ended
}

fn make(folder: &Path) -> Result<PathBuf, Failure> {
    let made = ["recordings", ".dropscope"].iter().try_for_each(|name| std::fs::create_dir_all(folder.join(name)));
    made.and_then(|()| folder.canonicalize()).map_err(|error| unusable(folder, &error))
}

fn unusable(folder: &Path, error: &std::io::Error) -> Failure {
    let cause = format!("{} cannot be used, {error}", text::shown_path(folder));
    Failure::Failed { cause, remedy: "choose another folder, or make room".into() }
}

/// One `watch` for each folder; the system takes the lock back from whoever dies.
fn lock(folder: &Path) -> Result<File, Failure> {
    let path = folder.join(".dropscope").join("watch.lock");
    let lock = File::options().create(true).write(true).truncate(false).open(path).map_err(|error| unusable(folder, &error))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(Failure::Failed {
            cause: format!("{} is watched already", text::shown_path(folder)),
            remedy: "end the other `dropscope watch` first, or choose another folder".into(),
        }),
        Err(TryLockError::Error(error)) => Err(unusable(folder, &error)),
    }
}

async fn serve(args: &Watch, folder: &Path) -> Result<(), Failure> {
    let listener = listen(&args.listen).await?;
    let mut stops = Stops::new()?;
    let mut embedded = Embedded::open(folder, worker(folder)?, args.workers.into()).map_err(|error| unusable(folder, &error))?;
    if let Some(seconds) = args.quiet {
        embedded.cloud.wait_for_files(seconds);
    }
    embedded.store.sweep().await.map_err(|error| Failure::failed(&error, "look at the folder's .dropscope/"))?;
    embedded.cloud.look_beside().await.map_err(|error| Failure::failed(&error, "look at the folder's state/"))?;
    let mut news = News::new(args.json, SystemClock.now());
    let address = listener.local_addr().map_err(|error| Failure::failed(&error, "try again"))?;
    news.begins(folder, address);
    let (stop, stopped) = watch::channel(());
    let endpoint = tokio::spawn(s3::serve(listener, embedded.store.clone(), credentials(), until_dropped(stopped.clone())));
    let arrivals = Arrivals::new(embedded.store.clone(), embedded.announce.clone());
    tokio::spawn(async move {
        tokio::select! {
            () = until_dropped(stopped) => {}
            () = arrivals.follow() => {}
        }
    });
    tokio::select! {
        () = stops.next() => {}
        () = turn(embedded, &mut news) => {}
    }
    drop(stop);
    // A second Ctrl-C waits for nobody.
    tokio::select! {
        _ = endpoint => {}
        () = stops.next() => {}
    }
    news.ends();
    Ok(())
}

/// The address to listen on: whoever can reach it needs but one key to write, so it stays on this machine.
async fn listen(asked: &str) -> Result<TcpListener, Failure> {
    let found: Vec<SocketAddr> = match tokio::net::lookup_host(asked).await {
        Ok(found) => found.collect(),
        Err(error) => return Err(Failure::input(format!("`{asked}` is no address, {error}"), "say one as 127.0.0.1:9000")),
    };
    if !found.iter().all(|address| address.ip().is_loopback()) {
        let remedy = "listen on 127.0.0.1:PORT; other machines come through `ssh -L`";
        return Err(Failure::input(format!("`{asked}` can be reached from other machines"), remedy));
    }
    TcpListener::bind(&found[..]).await.map_err(|error| Failure::Failed {
        cause: format!("cannot listen on `{asked}`, {error}"),
        remedy: "choose another port with --listen, or end what listens there".into(),
    })
}

fn credentials() -> s3::Credentials {
    let or_default =
        |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty()).unwrap_or_else(|| "dropscope".into());
    let (access_key, secret_key) = (or_default("DROPSCOPE_ACCESS_KEY"), or_default("DROPSCOPE_SECRET_KEY"));
    s3::Credentials { access_key, secret_key, rights: s3::Rights::Uploader }
}

fn worker(folder: &Path) -> Result<Worker, Failure> {
    let program = std::env::current_exe().map_err(|error| Failure::failed(&error, "start the program by its full path"))?;
    let Some(bucket) = folder.to_str() else {
        let cause = format!("{} is not UTF-8", text::shown_path(folder));
        return Err(Failure::input(cause, "choose a folder with another name"));
    };
    let arguments = vec!["segment".into(), "--bucket-folder".into(), bucket.to_owned()];
    Ok(Worker { program, arguments, shares_terminal: false })
}

async fn until_dropped(mut stopped: watch::Receiver<()>) {
    // The only change there is: its sender is gone.
    let _ = stopped.changed().await;
}

/// The runs that may have something to tell: those at hand, and those that were open before and are closed now.
async fn at_hand(embedded: &Embedded, news: &News) -> Result<Vec<Job>, JobsError> {
    let mut jobs = embedded.cloud.at_hand().await?;
    for run in news.open() {
        if jobs.iter().all(|job| job.run != run) {
            jobs.extend(dropscope_jobs::find_job(&*embedded.world.objects, &run).await?);
        }
    }
    Ok(jobs)
}

/// Turns the functions for ever. A turn that is broken off is like one that a power cut breaks off.
async fn turn(mut embedded: Embedded, news: &mut News) {
    loop {
        let began = Instant::now();
        let busy = match embedded.cloud.turn().await {
            Ok(summary) => summary.open > 0,
            Err(error) => {
                tracing::warn!(error = dropscope_runtime::chain(&error), "a turn of the functions did not get through");
                false
            }
        };
        match at_hand(&embedded, news).await {
            Ok(jobs) => news.tell(&jobs),
            Err(error) => tracing::warn!(error = dropscope_runtime::chain(&error), "the runs cannot be read"),
        }
        if !embedded.cloud.is_behind() {
            let pause = if busy { BUSY } else { QUIET };
            embedded.cloud.idle(pause.max(began.elapsed() * SHARE)).await;
        }
    }
}

/// The signals that end the program: Ctrl-C, and what a system sends.
struct Stops {
    interrupt: Signal,
    terminate: Signal,
}

impl Stops {
    fn new() -> Result<Self, Failure> {
        let listen = |kind| signal(kind).map_err(|error| Failure::failed(&error, "try again"));
        Ok(Self { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
