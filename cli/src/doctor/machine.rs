//! This machine: what any command needs of it.

use super::report::{Check, Finding, Section};
use crate::args::LISTEN;
use dropscope_pipeline::{Needs, Timestamp};
use dropscope_ports::Clock;
use dropscope_ports::clock::SystemClock;
use dropscope_recording::{Info, SampleType};
use rustix::process::{Resource, getrlimit};
use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

/// What a lab records every day, and the least that is worth a try: side of a frame in pixels, frames.
const USUAL: (usize, usize) = (512, 10_000);
const SMALL: (usize, usize) = (128, 1000);
/// More frames than this nobody has recorded.
const MOST_FRAMES: usize = 100_000_000;
/// `demo` comes through with 16 open files, `watch` at rest holds 13, and a client's upload takes two for each connection.
const FEWEST_FILES: u64 = 32;
const ENOUGH_FILES: u64 = 256;
/// The least inodes that a few runs need, and those that a lab's year does.
const FEWEST_INODES: u64 = 1000;
const ENOUGH_INODES: u64 = 100_000;
/// The start of 2026 and of 2100: dropscope was not there before, and nobody will use this version after.
const CLOCK: (i64, i64) = (1_767_225_600_000, 4_102_444_800_000);
/// A connection on one machine takes microseconds.
const CONNECTS: Duration = Duration::from_secs(2);
const GIB: f64 = 1024.0 * 1024.0 * 1024.0;

/// Every check of this machine; the room on the disk of the current folder if nobody named one, the endpoint's port if
/// nobody listens there by right.
pub(super) fn all(room_here: bool, port_free: bool) -> Vec<Check> {
    let files = getrlimit(Resource::Nofile);
    let mut found = vec![
        ("cores", cores(std::thread::available_parallelism().map_or(1, usize::from))),
        ("memory", memory(free_memory())),
        ("open files", open_files(files.current, files.maximum)),
        ("clock", clock(SystemClock.now())),
        ("loopback", loopback(connect())),
    ];
    if room_here {
        found.insert(2, ("room", room(Path::new("."))));
    }
    if port_free {
        found.push(("port", port(TcpListener::bind(LISTEN).map(drop))));
    }
    found.into_iter().map(|(name, finding)| finding.named(Section::Machine, name)).collect()
}

fn cores(cores: usize) -> Finding {
    match cores {
        0 | 1 => Finding::warning(
            "1",
            "there is one core, and runs are planned for two",
            "expect twice the time, or give this machine another",
        ),
        n => Finding::fine(n.to_string()),
    }
}

/// What a recording of so many square frames needs, by the same model that picks an instance.
fn needs((side, frames): (usize, usize)) -> Needs {
    Needs::of(&Info {
        frames,
        planes: 1,
        channels: 1,
        height: side,
        width: side,
        dtype: SampleType::U16,
        pages: frames,
        files: 1,
        frame_rate_hz: None,
        pixel_size_um: None,
        compression: "none".into(),
        sources: BTreeMap::new(),
        notes: Vec::new(),
    })
}

/// The most frames of the usual size whose needs are met; none when not even one frame's are.
fn longest(met: impl Fn(&Needs) -> bool) -> usize {
    let (mut fits, mut too_many) = (0, MOST_FRAMES + 1);
    while fits + 1 < too_many {
        let middle = fits + (too_many - fits) / 2;
        if met(&needs((USUAL.0, middle))) { fits = middle } else { too_many = middle }
    }
    fits
}

/// Whether `free` serves every day, only small recordings, or none.
fn sized(free: String, of: &str, met: impl Fn(&Needs) -> bool, remedy: &str) -> Finding {
    let (side, frames) = USUAL;
    if !met(&needs(SMALL)) {
        let cause = format!("{free} {of} is less than a recording of {0} x {0} pixels and {1} frames needs", SMALL.0, SMALL.1);
        return Finding::missing(free, cause, remedy);
    }
    let most = longest(&met);
    if met(&needs(USUAL)) {
        return Finding::fine(format!("{free} {of}: enough for {most} frames of {side} x {side} pixels"));
    }
    let cause = format!("{free} {of} is enough for {most} frames of {side} x {side} pixels, less than the usual {frames}");
    Finding::warning(free, cause, remedy)
}

fn memory(free: Option<u64>) -> Finding {
    let Some(bytes) = free else {
        return Finding::warning(
            "unknown",
            "this system does not say how much memory is free",
            "compare `needs` of `dropscope validate` with what you know of it",
        );
    };
    let met = |needs: &Needs| needs.memory_mib.saturating_mul(1 << 20) <= bytes;
    sized(
        format!("{:.1} GiB", bytes as f64 / GIB),
        "of free memory",
        met,
        "end other programs, or use a machine with more memory",
    )
}

/// Bytes that programs may still take: what the system has, or what this process's group is left with, if that is less.
fn free_memory() -> Option<u64> {
    let system = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| available(&text));
    let number = |name: &str| std::fs::read_to_string(name).ok()?.trim().parse::<u64>().ok();
    let limit = number("/sys/fs/cgroup/memory.max");
    let group = limit.map(|limit| limit.saturating_sub(number("/sys/fs/cgroup/memory.current").unwrap_or(0)));
    system.into_iter().chain(group).min()
}

/// `MemAvailable` of `/proc/meminfo` (proc(5)), bytes.
fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// The room left on the disk of `folder`.
pub(super) fn room(folder: &Path) -> Finding {
    match rustix::fs::statvfs(folder) {
        // Some file systems make inodes as they need them, and say that there are none.
        Ok(disk) => room_of(disk.f_bavail.saturating_mul(disk.f_frsize), (disk.f_files > 0).then_some(disk.f_favail)),
        Err(error) => {
            let cause = format!("the disk does not say what room it has, {}", io::Error::from(error));
            Finding::warning("unknown", cause, "see that there is as much as `dropscope validate` says under `needs`")
        }
    }
}

fn room_of(bytes: u64, inodes: Option<u64>) -> Finding {
    const REMEDY: &str = "remove what nobody needs, or choose a folder on a larger disk";
    let free = format!("{:.1} GiB", bytes as f64 / GIB);
    if let Some(few) = inodes.filter(|left| *left < ENOUGH_INODES) {
        let cause = format!("the disk has room for {few} more files only");
        return if few < FEWEST_INODES { Finding::missing(free, cause, REMEDY) } else { Finding::warning(free, cause, REMEDY) };
    }
    sized(free, "on disk", |needs| needs.scratch_gib.saturating_mul(1 << 30) <= bytes, REMEDY)
}

fn open_files(limit: Option<u64>, most: Option<u64>) -> Finding {
    let Some(limit) = limit.filter(|limit| *limit < ENOUGH_FILES) else {
        return Finding::fine(limit.map_or_else(|| "no limit".to_owned(), |limit| limit.to_string()));
    };
    let remedy = if most.is_none_or(|most| most >= ENOUGH_FILES) {
        format!("say `ulimit -n {ENOUGH_FILES}` in this shell first")
    } else {
        format!("let the administrator raise `nofile` to {ENOUGH_FILES} or more, in limits.conf or the service's LimitNOFILE")
    };
    if limit < FEWEST_FILES {
        Finding::missing(
            limit.to_string(),
            format!("a program may have only {limit} files open, and {FEWEST_FILES} are needed"),
            remedy,
        )
    } else {
        let cause = format!("a program may have only {limit} files open, so `watch` serves few uploads at a time");
        Finding::warning(limit.to_string(), cause, remedy)
    }
}

fn clock(now: Timestamp) -> Finding {
    if (CLOCK.0..CLOCK.1).contains(&now.millis()) {
        return Finding::fine(now.to_string());
    }
    let remedy = "set the clock, for example with `timedatectl set-ntp true`";
    Finding::missing(now.to_string(), format!("the clock says {now}"), remedy)
}

/// Connects this machine with itself, and carries a byte.
fn connect() -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let mut client = TcpStream::connect_timeout(&listener.local_addr()?, CONNECTS)?;
    let (mut server, _) = listener.accept()?;
    server.set_read_timeout(Some(CONNECTS))?;
    client.write_all(b"x")?;
    server.read_exact(&mut [0])
}

fn loopback(connected: io::Result<()>) -> Finding {
    match connected {
        Ok(()) => Finding::fine("127.0.0.1 answers"),
        Err(error) => {
            let cause = format!("a connection to 127.0.0.1 does not come about, {error}");
            Finding::missing("no answer", cause, "bring the interface up (`ip link set lo up`), and let the firewall pass it")
        }
    }
}

fn port(bound: io::Result<()>) -> Finding {
    match bound {
        Ok(()) => Finding::fine(format!("{LISTEN} is free for `watch`")),
        Err(error) => {
            let cause = format!("`watch` cannot listen on {LISTEN}, {error}");
            Finding::warning("taken", cause, "start it with another port, as --listen 127.0.0.1:9001, or end what listens there")
        }
    }
}

#[cfg(test)]
#[path = "machine_tests.rs"]
mod tests;
