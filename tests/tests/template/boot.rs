//! An instance's first boot, played: the user data under bash, every program that touches the machine replaced by
//! one that writes down how it was called.

use crate::stack::Stack;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

pub(crate) const RUN: &str = "0123456789abcdef-2";
/// Every program of the user data that must not touch the machine of the test.
const PLAYED: [&str; 10] = ["aws", "chown", "curl", "lsblk", "mkfs.xfs", "mount", "runuser", "shutdown", "sleep", "useradd"];

/// What the played programs do: `$1` failing is asked for by a file of its name in `fail/`.
const PLAYER: &str = r#"#!/bin/bash
name=${0##*/}
[ "$name" = sleep ] || printf '%s\n' "$name $*" >> "$STAGE/calls"
[ -e "$STAGE/fail/$name" ] && exit 7
last=${!#}
case $name in
  curl) case $last in
    */latest/api/token) printf token ;;
    */meta-data/tags/instance/dropscope:*) cat "$STAGE/tags/${last##*:}" || exit 22 ;;
    *) exit 22 ;;
  esac ;;
  aws) case $4 in
    s3://*) cp "$STAGE/program" "$5" ;;
    *) cp "$4" "$STAGE/log" ;;
  esac ;;
  lsblk) cat "$STAGE/disks" ;;
  runuser) shift 3; exec "$@" ;;
  sleep) exec /bin/sleep 0.05 ;;
esac
"#;

/// One boot to be.
pub(crate) struct Boot {
    stage: TempDir,
}

/// What is known after the machine was switched off.
pub(crate) struct Booted {
    /// Programs called, in their order, each with its arguments.
    pub(crate) calls: Vec<String>,
    /// What the bucket holds of the log.
    pub(crate) log: String,
    /// Whether anything that a tag or a program smuggled in was run.
    pub(crate) injected: bool,
    pub(crate) code: Option<i32>,
}

/// The user data of the stack.
pub(crate) fn user_data(stack: &Stack) -> String {
    stack.properties("LaunchTemplate")["LaunchTemplateData"]["UserData"].as_str().unwrap().to_owned()
}

impl Boot {
    /// An instance whose program does `work`, a line of bash.
    pub(crate) fn of(work: &str) -> Self {
        let stage = tempfile::tempdir().unwrap();
        let boot = Self { stage };
        for folder in ["bin", "fail", "tags", "tmp"] {
            fs::create_dir(boot.path(folder)).unwrap();
        }
        boot.executable("bin/player", PLAYER);
        for name in PLAYED {
            std::os::unix::fs::symlink("player", boot.path("bin").join(name)).unwrap();
        }
        let program = format!("#!/bin/bash\nprintf 'worker %s\\n' \"$*\" >> \"$STAGE/calls\"\n{work}\n");
        boot.executable("program", &program);
        fs::write(boot.path("disks"), "/dev/nvme0n1 Amazon Elastic Block Store\n").unwrap();
        fs::write(boot.path("user-data"), user_data(&Stack::usual())).unwrap();
        boot.tag("run", RUN).tag("attempt", "3").tag("lifetime", "37").tag("program", &sha256(program.as_bytes()))
    }

    /// The same with another tag.
    pub(crate) fn tag(self, name: &str, value: &str) -> Self {
        fs::write(self.path("tags").join(name), value).unwrap();
        self
    }

    /// The same with a program that fails.
    pub(crate) fn failing(self, program: &str) -> Self {
        fs::write(self.path("fail").join(program), "").unwrap();
        self
    }

    /// The same with the disks that lsblk tells of.
    pub(crate) fn disks(self, listed: &str) -> Self {
        fs::write(self.path("disks"), listed).unwrap();
        self
    }

    /// Boots, and waits until the user data is done.
    pub(crate) fn run(self) -> Booted {
        let mut bash = self.start();
        let code = bash.wait().unwrap().code();
        self.seen(code)
    }

    /// Boots, and is told to stop as soon as the worker runs.
    pub(crate) fn run_until_told_to_stop(self) -> Booted {
        let mut bash = self.start();
        while !self.calls().iter().any(|call| call.starts_with("worker")) {
            std::thread::sleep(std::time::Duration::from_millis(10));
            assert!(bash.try_wait().unwrap().is_none(), "the boot ended before its worker began");
        }
        let pid = rustix::process::Pid::from_child(&bash);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let code = bash.wait().unwrap().code();
        self.seen(code)
    }

    fn start(&self) -> Child {
        let path = format!("{}:/usr/bin:/bin", self.path("bin").display());
        let mut bash = Command::new("bash");
        bash.arg(self.path("user-data")).current_dir(self.stage.path()).env_clear();
        bash.env("PATH", path).env("STAGE", self.stage.path()).env("TMPDIR", self.path("tmp"));
        bash.stdout(Stdio::null()).spawn().unwrap()
    }

    fn seen(&self, code: Option<i32>) -> Booted {
        let log = fs::read_to_string(self.path("log")).unwrap_or_default();
        Booted { calls: self.calls(), log, injected: any_file_named("injected", self.stage.path()), code }
    }

    fn calls(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path("calls")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.stage.path().join(name)
    }

    fn executable(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
}

impl Booted {
    /// Whether a program was called.
    pub(crate) fn called(&self, program: &str) -> bool {
        self.at(program).is_some()
    }

    /// The place of a program's first call whose line starts so.
    pub(crate) fn at(&self, start: &str) -> Option<usize> {
        self.calls.iter().position(|call| call.starts_with(start))
    }
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest;
    hex::encode(sha2::Sha256::digest(bytes))
}

fn any_file_named(name: &str, folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().map(Result::unwrap).any(|entry| {
        let path = entry.path();
        entry.file_name() == name || path.is_dir() && any_file_named(name, &path)
    })
}
