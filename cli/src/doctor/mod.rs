//! `dropscope doctor`: what is missing on this machine, each with its remedy. Looks only, and leaves nothing behind.

mod account;
mod bucket;
mod file_system;
mod machine;
mod pending;
mod program;
mod report;
mod settings_files;
mod stack;
mod state;
mod tools;

use crate::args::Doctor;
use crate::failure::Failure;
use crate::text;
#[cfg(feature = "aws")]
pub(crate) use stack::output as stack_output;

use report::{Check, Finding, Section};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// A network drive that is gone never answers; one that is slow does in this time, which covers both walks below it.
const FOLDER_ANSWERS: Duration = Duration::from_secs(20);
/// Four questions to AWS one after the other, each with its own limit.
const STACK_ANSWERS: Duration = Duration::from_secs(100);
/// Pause between two looks at whether somebody wants to stop.
const BLINK: Duration = Duration::from_millis(20);
/// What a probe needs at most to clear itself away.
const FAREWELL: Duration = Duration::from_secs(1);

/// Looks, reports, and fails when something needed is missing.
///
/// # Errors
/// When something needed is missing (all of it is told then), or nobody reads the report.
pub(crate) fn doctor(args: &Doctor) -> Result<(), Failure> {
    let stop = crate::progress::stop_by_keys().map_err(|error| Failure::failed(&error, "try again"))?;
    let tools = in_background(Section::Tools, stop.clone(), tools::all);
    let stack = args.stack.clone().map(|name| in_background(Section::Stack, stop.clone(), move |stop| stack::all(&name, stop)));
    let folder = args.folder.as_ref().or(args.at.as_ref());
    let (mut checks, mut watched) = (Vec::new(), false);
    if let Some(folder) = folder {
        (checks, watched) = look_into(folder, &stop)?;
    }
    let mut all = machine::all(folder.is_none(), !watched);
    all.append(&mut checks);
    // Each tool has its own limit, and all are asked at once.
    all.extend(wait(&tools, Instant::now() + 2 * program::LONGEST, &stop)?.unwrap_or_default());
    if let Some(stack) = stack {
        let silent =
            || vec![Finding::missing("no answer", "AWS does not answer", "look at the network").named(Section::Stack, "account")];
        all.extend(wait(&stack, Instant::now() + STACK_ANSWERS, &stop)?.unwrap_or_else(silent));
    }
    tell(&all, args.json)
}

/// Whether this machine has these tools, credentials and a region.
///
/// # Errors
/// When one is missing; all of them are told then.
pub(crate) fn ready_to_deploy(needed: &[&str]) -> Result<(), Failure> {
    let found = tools::all(&AtomicBool::new(false)).into_iter();
    let found = found.filter(|(name, _)| needed.contains(&name.as_str()) || ["credentials", "region"].contains(&name.as_str()));
    let lacking: Vec<String> =
        found.filter_map(|(_, finding)| Some(format!("{}: {}", finding.cause?, finding.remedy?))).collect();
    if lacking.is_empty() {
        return Ok(());
    }
    Err(Failure::Failed { cause: format!("not ready to deploy; {}", lacking.join("; ")), remedy: "then give it again".into() })
}

/// The checks of a folder, and whether a `watch` is at work on it.
fn look_into(folder: &Path, stop: &Arc<AtomicBool>) -> Result<(Vec<Check>, bool), Failure> {
    let of: PathBuf = folder.to_owned();
    let looked = in_background(Section::Folder, stop.clone(), move |stop| bucket::all(&of, stop));
    let checks = wait(&looked, Instant::now() + FOLDER_ANSWERS, stop)?;
    let checks = checks.unwrap_or_else(|| {
        let cause = format!("{} does not answer within {} s", text::shown_path(folder), FOLDER_ANSWERS.as_secs());
        let finding =
            Finding::missing("no answer", cause, "check the network drive or disk that it is on, or choose another folder");
        vec![finding.named(Section::Folder, "folder")]
    });
    let watched = checks.iter().any(|check| check.name == bucket::WATCH && check.found == bucket::AT_WORK);
    Ok((checks, watched))
}

/// Starts checks that may wait for something outside.
fn in_background(
    section: Section,
    stop: Arc<AtomicBool>,
    look: impl FnOnce(&AtomicBool) -> Vec<(String, Finding)> + Send + 'static,
) -> Receiver<Vec<Check>> {
    let (tell, told) = channel();
    std::thread::spawn(move || {
        let found = look(&stop);
        // Nobody waits any more: the program ends.
        let _ = tell.send(found.into_iter().map(|(name, finding)| finding.named(section, name)).collect());
    });
    told
}

/// Waits for such checks; none when they are not done in time. Stopped, it lets them clear away what they made.
fn wait(checks: &Receiver<Vec<Check>>, until: Instant, stop: &AtomicBool) -> Result<Option<Vec<Check>>, Failure> {
    loop {
        match checks.recv_timeout(BLINK) {
            Ok(checks) if !stop.load(Ordering::Relaxed) => return Ok(Some(checks)),
            Err(RecvTimeoutError::Timeout) if !stop.load(Ordering::Relaxed) && Instant::now() < until => {}
            _ if stop.load(Ordering::Relaxed) => {
                // Done before or now, or hung: it has had its time.
                let _ = checks.recv_timeout(FAREWELL);
                return Err(Failure::Failed { cause: "stopped".into(), remedy: "run it again for the whole report".into() });
            }
            _ => return Ok(None),
        }
    }
}

fn tell(checks: &[Check], json: bool) -> Result<(), Failure> {
    let missing = report::missing(checks);
    if json {
        text::say(&report::json(checks).to_string())?;
    } else {
        report::lines(checks).iter().try_for_each(|line| text::say(line))?;
    }
    if missing == 0 { Ok(()) } else { Err(Failure::Told { code: 1 }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_answers_is_waited_for_in_bounded_time() {
        let (_held, told) = channel();
        let (began, stop) = (Instant::now(), AtomicBool::new(false));
        let waited = wait(&told, began + Duration::from_millis(100), &stop);
        assert!(matches!(waited, Ok(None)) && began.elapsed() < Duration::from_secs(5));
        stop.store(true, Ordering::Relaxed);
        assert!(wait(&told, Instant::now() + Duration::from_secs(600), &stop).is_err());
        assert!(began.elapsed() < Duration::from_secs(10));
    }
}
