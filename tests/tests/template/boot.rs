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
const PLAYED: [&str; 11] =
    ["aws", "chown", "curl", "lsblk", "mkfs.xfs", "mount", "runuser", "shutdown", "sleep", "timeout", "useradd"];

/// What the played programs do. One fails that has a file of its name in `fail/`. Files on the stage change the play:
/// `late/TAG` seconds until the metadata know a tag, `port` of metadata that a real curl asks, `hurry` in which every
/// timeout is two seconds, `slow` the first upload of the log, `hung` and deaf every one, `busy` seconds to add a user.
const PLAYER: &str = r#"#!/bin/bash
# Whether this call of curl goes on asking for so many seconds, whatever the answer.
patient() {
  local all='' times=0 delay=0
  while [ $# -gt 0 ]; do
    case $1 in --retry-all-errors) all=1 ;; --retry) times=$2 ;; --retry-delay) delay=$2 ;; esac
    shift
  done
  [ -n "$all" ] && [ $((times * delay)) -ge "$late" ]
}
name=${0##*/}
[ "$name" = sleep ] || printf '%s\n' "$name $*" >> "$STAGE/calls"
[ -e "$STAGE/fail/$name" ] && exit 7
last=${!#}
case $name in
  curl) [ ! -e "$STAGE/port" ] || exec /usr/bin/curl --connect-to "::127.0.0.1:$(cat "$STAGE/port")" "$@" --retry-delay 1
  case $last in
    */latest/api/token) printf token ;;
    */meta-data/tags/instance/dropscope:*)
      late=$(cat "$STAGE/late/${last##*:}" 2>/dev/null || echo 0)
      patient "$@" || exit 22
      cat "$STAGE/tags/${last##*:}" || exit 22 ;;
    *) exit 22 ;;
  esac ;;
  aws) case $4 in
    s3://*) cp "$STAGE/program" "$5" ;;
    *)
      [ ! -e "$STAGE/hung" ] || { trap '' TERM; exec /bin/sleep 60; }
      text=$(cat "$4")
      if rm "$STAGE/slow" 2>/dev/null; then
        trap '/bin/sleep 0.3; echo "an upload is ended" >> "$STAGE/calls"; exit 143' TERM
        echo "an upload begins" >> "$STAGE/calls"
        /bin/sleep 9 & wait
      fi
      printf '%s\n' "$text" > "$STAGE/log" ;;
  esac ;;
  lsblk) cat "$STAGE/disks" ;;
  runuser) shift 3; exec "$@" ;;
  sleep) exec /bin/sleep 0.05 ;;
  timeout)
    [ ! -e "$STAGE/hurry" ] || case $1 in
      --kill-after=*) set -- --kill-after=1 2 "${@:3}" ;;
      *) set -- 2 "${@:2}" ;;
    esac
    exec /usr/bin/timeout "$@" ;;
  useradd) [ ! -e "$STAGE/busy" ] || /bin/sleep "$(cat "$STAGE/busy")" ;;
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
        for folder in ["bin", "fail", "late", "tags", "tmp"] {
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
        self.with(&format!("tags/{name}"), value)
    }

    /// The same with a program that fails.
    pub(crate) fn failing(self, program: &str) -> Self {
        self.with(&format!("fail/{program}"), "")
    }

    /// The same with another file on the stage.
    pub(crate) fn with(self, file: &str, text: &str) -> Self {
        fs::write(self.path(file), text).unwrap();
        self
    }

    /// Boots, and waits until the user data is done.
    pub(crate) fn run(self) -> Booted {
        let mut bash = self.start();
        let code = bash.wait().unwrap().code();
        self.seen(code)
    }

    /// Boots, and is told to stop as soon as the worker wrote `ready` among the calls.
    pub(crate) fn run_until_told_to_stop(self) -> Booted {
        let mut bash = self.start();
        while !self.calls().iter().any(|call| call == "ready") {
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
