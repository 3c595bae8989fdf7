//! What deploying the stack takes; a laptop needs none of it.

use super::account::{Account, credentials, region};
use super::program::{ask, find};
use super::report::Finding;
use std::ffi::{OsStr, OsString};
use std::sync::atomic::AtomicBool;

/// A program, and how to get it.
struct Tool {
    /// Name in the report.
    name: &'static str,
    /// Ways to ask for its version, the first that is there: a program and its arguments.
    ways: &'static [(&'static str, &'static [&'static str])],
    remedy: &'static str,
}

const TOOLS: [Tool; 3] = [
    Tool { name: "sam", ways: &[("sam", &["--version"])], remedy: "install it, as `pip install aws-sam-cli` does" },
    Tool {
        name: "cargo-lambda",
        // The first argument is what cargo gives to its subcommands.
        ways: &[("cargo-lambda", &["lambda", "--version"])],
        remedy: "install it, as `pip install cargo-lambda` does",
    },
    Tool {
        name: "zig",
        // cargo-lambda takes either.
        ways: &[("zig", &["version"]), ("python3", &["-m", "ziglang", "version"])],
        remedy: "install it, as `pip install ziglang` does",
    },
];

/// Every check of the tools, which are asked at once, and of the account as this machine knows it.
pub(super) fn all(stop: &AtomicBool) -> Vec<(String, Finding)> {
    let path = std::env::var_os("PATH");
    let mut found: Vec<(String, Finding)> = std::thread::scope(|scope| {
        let asked: Vec<_> = TOOLS.iter().map(|tool| (tool, scope.spawn(|| version(tool, path.as_deref(), stop)))).collect();
        let told = asked.into_iter().map(|(tool, finding)| (tool, finding.join().unwrap_or_else(|_| absent(tool))));
        told.map(|(tool, finding)| (tool.name.to_owned(), finding)).collect()
    });
    let account = Account::of_this_machine();
    found.push(("credentials".into(), credentials(&account)));
    found.push(("region".into(), region(&account)));
    found
}

/// The version of a tool; the answer of its last way tells when none does.
fn version(tool: &Tool, path: Option<&OsStr>, stop: &AtomicBool) -> Finding {
    let mut finding = absent(tool);
    for (program, arguments) in tool.ways {
        let Some(file) = find(program, path) else { continue };
        match ask(&file, arguments, stop) {
            Ok(version) => return Finding::fine(version),
            // A Python without the package is no zig that is out of order.
            Err(_) if *program != tool.name => {}
            Err(error) => {
                let said: Vec<OsString> = [program].into_iter().chain(*arguments).map(OsString::from).collect();
                let cause = format!("`{}` tells nothing: {error}", said.join(OsStr::new(" ")).to_string_lossy());
                finding = Finding::warning("out of order", cause, tool.remedy.replace("install it", "install it again"));
            }
        }
    }
    finding
}

fn absent(tool: &Tool) -> Finding {
    Finding::warning("nothing", format!("there is no `{}` in the folders of PATH", tool.name), tool.remedy)
}
