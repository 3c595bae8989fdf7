//! How soon each function polls for its first event, and how large it is, beside a Python that imports what it would need.
//!
//! `cargo build --release -p dropscope-{validate,gif,summary,launch,reconcile,budget-alert,open}`, then
//! `cargo run --release -p dropscope-tests --bin lambda_start -- target/release`.

use dropscope_testkit::lambda::Function;
use dropscope_testkit::python_with;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const FUNCTIONS: [&str; 7] = ["validate", "gif", "summary", "launch", "reconcile", "budget-alert", "open"];
const ROUNDS: usize = 21;
const ENVIRONMENT: [(&str, &str); 15] = [
    ("DROPSCOPE_BUCKET", "b"),
    ("DROPSCOPE_TOPIC_ARN", "arn:aws:sns:eu-central-1:111122223333:mail"),
    ("DROPSCOPE_ALERT_TOPIC_ARN", "arn:aws:sns:eu-central-1:111122223333:alert"),
    ("DROPSCOPE_ACCOUNT", "111122223333"),
    ("DROPSCOPE_STACK", "lab"),
    ("DROPSCOPE_LAUNCH_TEMPLATE", "lt-1"),
    ("DROPSCOPE_SUBNETS", "subnet-1"),
    ("DROPSCOPE_MONTHLY_CAP_USD", "20"),
    ("DROPSCOPE_OWNER_CAP_USD", "0"),
    ("DROPSCOPE_ON_DEMAND", "stop"),
    ("DROPSCOPE_MAX_INSTANCES", "4"),
    ("DROPSCOPE_DISK_GIB", "100"),
    ("DROPSCOPE_ON_DEMAND_FALLBACK", "no"),
    ("DROPSCOPE_OPEN_URL", "none"),
    ("DROPSCOPE_LINK_DAYS", "0"),
];

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("name the folder of the built functions")?;
    let programs: Vec<PathBuf> = FUNCTIONS.iter().map(|name| Path::new(&folder).join(format!("dropscope-{name}"))).collect();
    let python = python_with(&["imageio==2.*"])?;
    let mut starts = vec![Vec::new(); programs.len()];
    let (mut peaks, mut imports) = (vec![0; programs.len()], Vec::new());
    // Side by side, round by round: whatever else the machine does meets all of them alike.
    for _ in 0..ROUNDS {
        for (n, program) in programs.iter().enumerate() {
            let function = Function::start(program, &ENVIRONMENT)?;
            starts[n].push(function.first_poll()?);
            peaks[n] = peaks[n].max(function.peak_memory()?);
        }
        let began = Instant::now();
        Command::new(&python).args(["-c", "import numpy, tifffile, imageio"]).status()?;
        imports.push(began.elapsed());
    }
    let import = median(&mut imports);
    println!("{:<14} {:>18} {:>8} {:>9} {:>9} {:>7}", "function", "first poll, ms", "median", "size, MB", "peak, MB", "ratio");
    for (n, name) in FUNCTIONS.iter().enumerate() {
        let size = std::fs::metadata(&programs[n])?.len();
        let middle = median(&mut starts[n]);
        let (least, most) = (starts[n][0], starts[n][ROUNDS - 1]);
        let range = format!("{:.1} to {:.1}", ms(least), ms(most));
        let (size, peak) = (size as f64 / 1e6, peaks[n] as f64 / 1e6);
        let ratio = ms(import) / ms(middle);
        println!("{name:<14} {range:>18} {:>8.1} {size:>9.1} {peak:>9.1} {ratio:>6.1}x", ms(middle));
    }
    println!("{:<14} {:>18} {:>8.1}", "python", format!("{:.1} to {:.1}", ms(imports[0]), ms(imports[ROUNDS - 1])), ms(import));
    Ok(())
}

/// The middle one; leaves them in order.
fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
