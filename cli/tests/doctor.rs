//! `dropscope doctor` on machines and folders with something wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_dropscope");
/// Made up, and never to be seen in a report.
const SECRET: &str = "made-up-value-that-no-report-may-hold";

/// The program on a machine of its own: nothing in PATH but `tools`, a home that is empty but for `home`.
struct Machine {
    dir: tempfile::TempDir,
}

impl Machine {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["tools", "home", "lab"] {
            fs::create_dir(dir.path().join(folder)).unwrap();
        }
        Self { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn lab(&self) -> PathBuf {
        self.path("lab")
    }

    fn tool(&self, name: &str, script: &str) {
        write(&self.path("tools").join(name), &format!("#!/bin/sh\n{script}\n"));
        fs::set_permissions(self.path("tools").join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn command(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).env_clear().env("PATH", self.path("tools")).env("HOME", self.path("home"));
        command.current_dir(self.dir.path());
        command
    }

    /// Examines `folder`.
    fn doctor(&self, folder: &Path) -> Report {
        let out = self.command(Path::new(PROGRAM), &["doctor", "--json", folder.to_str().unwrap()]).output().unwrap();
        Report::of(&out)
    }

    /// The same after `ulimit`.
    fn doctor_within(&self, limits: &str) -> Report {
        let script = format!("{limits}; exec {PROGRAM} doctor --json lab");
        Report::of(&self.command(Path::new("/bin/sh"), &["-c", &script]).output().unwrap())
    }

    fn plain(&self, arguments: &[&str]) -> Output {
        self.command(Path::new(PROGRAM), arguments).output().unwrap()
    }

    /// A bucket as `watch` leaves it.
    fn bucket(&self) -> PathBuf {
        let lab = self.lab();
        for folder in ["recordings/ana", ".dropscope/scratch", "state/jobs"] {
            fs::create_dir_all(lab.join(folder)).unwrap();
        }
        lab
    }
}

/// What the program said in JSON.
struct Report {
    code: Option<i32>,
    checks: Vec<serde_json::Value>,
}

impl Report {
    fn of(out: &Output) -> Self {
        let text = String::from_utf8_lossy(&out.stdout);
        let json: serde_json::Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}{}", said(&out.stderr)));
        let checks = json["checks"].as_array().unwrap().clone();
        let missing = checks.iter().any(|check| check["status"] == "missing");
        assert_eq!(json["ready"], !missing);
        assert_eq!(out.status.code(), Some(i32::from(missing)), "{text}");
        for check in &checks {
            let names: Vec<&str> = check.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(names, ["cause", "found", "name", "remedy", "section", "status"]);
            assert_eq!(check["status"] == "ok", check["cause"].is_null() && check["remedy"].is_null(), "{check}");
        }
        Self { code: out.status.code(), checks }
    }

    /// Status of a check, and everything that is said about it.
    fn check(&self, name: &str) -> (&str, String) {
        let check = self.checks.iter().find(|check| check["name"] == name);
        let check = check.unwrap_or_else(|| panic!("no check {name}: {:#?}", self.checks));
        (check["status"].as_str().unwrap(), format!("{}: {}: {}", check["found"], check["cause"], check["remedy"]))
    }

    fn has(&self, name: &str) -> bool {
        self.checks.iter().any(|check| check["name"] == name)
    }
}

fn said(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Every file and folder with its content and the time of its last change.
fn snapshot(folder: &Path) -> BTreeMap<PathBuf, (Option<Vec<u8>>, u32)> {
    let (mut found, mut folders) = (BTreeMap::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            let meta = path.symlink_metadata().unwrap();
            if meta.is_dir() {
                folders.push(path.clone());
            }
            found.insert(path.clone(), (fs::read(&path).ok(), meta.permissions().mode()));
        }
    }
    found
}

#[test]
fn an_empty_folder_on_a_bare_machine_is_ready() {
    let machine = Machine::new();
    let report = machine.doctor(&machine.lab());
    assert_eq!(report.code, Some(0), "{:#?}", report.checks);
    for name in ["clock", "loopback", "folder", "writable", "renames", "locks", "watch", "settings", "launches", "mails"] {
        assert_eq!(report.check(name).0, "ok", "{}", report.check(name).1);
    }
}

#[test]
fn a_folder_that_is_not_there_is_looked_at_where_it_would_be_and_not_made() {
    let machine = Machine::new();
    let report = machine.doctor(&machine.path("new/one"));
    assert_eq!((report.check("folder").0, report.check("writable").0), ("ok", "ok"));
    let report = machine.doctor(Path::new("relative"));
    assert_eq!(report.check("writable").0, "ok");
    assert!(!machine.path("new").exists() && !machine.path("relative").exists());
}

#[test]
fn looking_changes_nothing() {
    let machine = Machine::new();
    let lab = machine.bucket();
    write(&lab.join("recordings/ana/copied.tif"), "not a recording");
    write(&lab.join("state/budget.json"), "no JSON");
    write(&lab.join(".dropscope/watch.lock"), "");
    let before = snapshot(machine.dir.path());
    machine.doctor(&lab);
    machine.plain(&["doctor"]);
    assert_eq!(snapshot(machine.dir.path()), before);
}

#[test]
fn a_file_is_no_folder_and_a_name_that_is_not_text_is_no_name() {
    use std::os::unix::ffi::OsStrExt;
    let machine = Machine::new();
    write(&machine.path("file"), "");
    for folder in ["file", "file/below"] {
        let report = machine.doctor(&machine.path(folder));
        assert!(report.check("folder").0 == "missing" && !report.has("writable"), "{folder}");
    }
    let mut command = machine.command(Path::new(PROGRAM), &["doctor", "--json", "--at"]);
    let report = Report::of(&command.arg(std::ffi::OsStr::from_bytes(b"\xff")).output().unwrap());
    assert!(report.check("folder").1.contains("UTF-8"));
}

/// Runs as a user whom permissions bind: root may write anywhere.
fn bound_user(machine: &Machine, folder: &Path) -> Report {
    let root = fs::metadata("/proc/self").is_ok_and(|meta| std::os::unix::fs::MetadataExt::uid(&meta) == 0);
    if !root {
        return machine.doctor(folder);
    }
    fs::set_permissions(machine.dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let program = machine.path("program");
    fs::copy(PROGRAM, &program).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = machine.command(&program, &["doctor", "--json", folder.to_str().unwrap()]);
    Report::of(&command.uid(65534).gid(65534).output().unwrap())
}

#[test]
fn a_read_only_folder_fails_with_its_remedy_and_is_still_looked_into() {
    let machine = Machine::new();
    let lab = machine.bucket();
    write(&lab.join("recordings/ana/dropscope.toml"), "fps = 30");
    fs::set_permissions(lab.join(".dropscope"), fs::Permissions::from_mode(0o555)).unwrap();
    fs::set_permissions(&lab, fs::Permissions::from_mode(0o555)).unwrap();
    let report = bound_user(&machine, &lab);
    let (status, said) = report.check("writable");
    assert!(status == "missing" && said.contains("chown"), "{said}");
    assert!(report.has("settings") && !report.has("locks"));
    fs::set_permissions(&lab, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_bucket_that_another_user_made_fails_though_its_folder_can_be_written() {
    let machine = Machine::new();
    let lab = machine.bucket();
    for (folder, mode) in
        [("", 0o777), (".dropscope", 0o777), (".dropscope/scratch", 0o777), ("state", 0o777), ("state/jobs", 0o555)]
    {
        fs::set_permissions(lab.join(folder), fs::Permissions::from_mode(mode)).unwrap();
    }
    let (status, said) = {
        let report = bound_user(&machine, &lab);
        let (status, said) = report.check("writable");
        (status.to_owned(), said)
    };
    assert!(status == "missing" && said.contains("state/jobs"), "{said}");
}

#[test]
fn a_full_disk_has_no_room() {
    let machine = Machine::new();
    let lab = machine.lab();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=32k", "none"]).arg(&lab).stderr(Stdio::null()).status();
    if !mounted.is_ok_and(|status| status.success()) {
        eprintln!("skipped: a small disk to fill needs root to mount it");
        return;
    }
    let report = machine.doctor(&lab);
    assert!(Command::new("umount").arg(&lab).status().unwrap().success());
    assert_eq!((report.check("writable").0, report.check("room").0), ("missing", "missing"));
    assert!(report.check("writable").1.contains("remove what nobody needs"), "{}", report.check("writable").1);
}

#[test]
fn a_limit_of_open_files_that_leaves_none_fails_and_says_how_to_raise_it() {
    let machine = Machine::new();
    let report = machine.doctor_within("ulimit -Sn 16");
    let (status, said) = report.check("open files");
    assert!(status == "missing" && said.contains("ulimit -n 256"), "{said}");
    let report = machine.doctor_within("ulimit -n 20");
    assert!(report.check("open files").1.contains("administrator"));
    assert_eq!(machine.doctor_within("ulimit -n 100").check("open files").0, "warning");
}

#[test]
fn a_settings_file_that_cannot_be_used_is_named_with_its_error() {
    let machine = Machine::new();
    let lab = machine.bucket();
    write(&lab.join("recordings/ana/dropscope.toml"), "tau_s = 0.7");
    write(&lab.join("recordings/bo/day 1/dropscope.toml"), "frame_rate = 30");
    symlink(lab.join("recordings"), lab.join("recordings/loop")).unwrap();
    let report = machine.doctor(&lab);
    let (status, said) = report.check("settings");
    assert_eq!((report.code, status), (Some(1), "missing"));
    assert!(said.contains("recordings/bo/day 1/dropscope.toml") && said.contains("frame_rate"), "{said}");
    assert_eq!(report.checks.iter().filter(|check| check["name"] == "settings").count(), 1);
}

#[test]
fn a_frozen_budget_fails_with_its_reason_until_it_is_thawed() {
    let machine = Machine::new();
    let lab = machine.bucket();
    let budget = serde_json::json!({
        "schema": 1, "cap": null, "frozen": { "why": "the alert of July", "since": "2026-07-17T00:00:00Z" },
        "month": "2026-07", "spent": 0, "reservations": {}
    });
    write(&lab.join("state/budget.json"), &budget.to_string());
    let report = machine.doctor(&lab);
    let (status, said) = report.check("launches");
    assert_eq!((report.code, status), (Some(1), "missing"));
    assert!(said.contains("the alert of July") && said.contains("thaw"), "{said}");
    assert!(machine.plain(&["budget", "--at", "lab", "thaw"]).status.success());
    assert_eq!(machine.doctor(&lab).check("launches").0, "ok");
}

fn all_closed(lab: &Path) -> bool {
    let jobs = fs::read_dir(lab.join("state/jobs")).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap());
    jobs.map(|job| serde_json::from_slice::<serde_json::Value>(&job)).all(|job| job.is_ok_and(|job| job["closed"] == true))
}

#[test]
fn a_folder_at_work_and_one_without_its_watch_are_told_apart() {
    let machine = Machine::new();
    let lab = machine.lab();
    write(&lab.join("recordings/ana/photo.tif"), "this is no recording");
    let mut watch = machine.command(Path::new(PROGRAM), &["watch", "lab", "--listen", "127.0.0.1:0"]);
    let mut watch = watch.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let began = Instant::now();
    let rejected = loop {
        let report = machine.doctor(&lab);
        // A run is closed after its mail: ended in between, it would be left to do.
        if report.has("recordings") && report.check("mails").0 == "ok" && all_closed(&lab) {
            break report;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{:#?}", report.checks);
        std::thread::sleep(Duration::from_millis(100));
    };
    assert_eq!(rejected.code, Some(0), "a rejected recording and a watch at work are no hindrance: {:#?}", rejected.checks);
    assert!(rejected.check("watch").1.contains("at work") && !rejected.has("port"));
    let (status, said) = rejected.check("recordings");
    assert!(status == "warning" && said.contains("recordings/ana/photo.tif"), "{said}");
    // A second one is refused: the finding was right.
    assert!(!machine.plain(&["watch", "lab", "--listen", "127.0.0.1:0"]).status.success());
    watch.kill().unwrap();
    watch.wait().unwrap();
    assert_eq!(machine.doctor(&lab).check("watch").0, "ok");
    fs::remove_file(lab.join("recordings/ana/photo.tif")).unwrap();
    assert!(!machine.doctor(&lab).has("recordings"));
}

#[test]
fn a_run_and_a_mail_that_nobody_looks_after_are_pending() {
    let machine = Machine::new();
    let lab = machine.bucket();
    let run = "7a57020c3ae81ffc";
    let job = serde_json::json!({
        "schema": 1, "run": run, "owner": "ana", "settings": {}, "attempt": 0, "usd_per_hour": 0, "interruptions": 0,
        "upload": { "bucket": "dropscope", "key": "recordings/ana/x.tif", "version": null, "etag": "x", "size": 1, "sequencer": null },
        "state": { "is": "waiting", "why": "1 of 1 workers are at work" }, "manifest": null, "closed": false,
        "received_at": "2026-07-17T00:00:00Z", "since": "2026-07-17T00:00:00Z"
    });
    write(&lab.join(format!("state/jobs/{run}.json")), &job.to_string());
    write(&lab.join("state/jobs/broken.json"), "{");
    for name in ["a.done", "b.done"] {
        write(&lab.join(format!("state/outbox/pending/{name}.json")), "{}");
    }
    write(&lab.join("state/outbox/sent/b.done.json"), "{}");
    let report = machine.doctor(&lab);
    assert!(report.check("waiting").1.contains("1 of 1 workers are at work"), "{:#?}", report.checks);
    assert!(report.check("watch").1.contains("start `dropscope watch`"));
    let (status, said) = report.check("mails");
    assert!(status == "warning" && said.contains("a.done") && !said.contains("b.done"), "{said}");
    let (status, said) = report.check("state");
    assert!(status == "missing" && said.contains("state/jobs/broken.json"), "{said}");
}

#[test]
fn tools_are_asked_for_their_version_and_never_needed() {
    let machine = Machine::new();
    machine.tool("sam", "[ \"$1\" = --version ] && echo 'SAM CLI, version 1.140.0'");
    machine.tool("cargo-lambda", "[ \"$1 $2\" = 'lambda --version' ] && echo 'cargo-lambda 1.8.5'");
    machine.tool("python3", "[ \"$1 $2 $3\" = '-m ziglang version' ] && echo 0.15.1");
    let report = machine.doctor(&machine.lab());
    for (name, version) in [("sam", "1.140.0"), ("cargo-lambda", "1.8.5"), ("zig", "0.15.1")] {
        let (status, said) = report.check(name);
        assert!(status == "ok" && said.contains(version), "{said}");
    }
    fs::remove_dir_all(machine.path("tools")).unwrap();
    let report = machine.doctor(&machine.lab());
    assert_eq!(report.code, Some(0));
    for name in ["sam", "cargo-lambda", "zig", "credentials", "region"] {
        let (status, said) = report.check(name);
        assert_eq!(status, "warning", "{said}");
    }
}

/// Living processes of a group, as proc_pid_stat(5) has them; a dead one may wait for its parent for ever.
fn members(group: &str) -> Vec<String> {
    let stats = fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
    let living = stats.filter(|stat| {
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        fields.get(2) == Some(&group) && !["Z", "X"].contains(&fields[0])
    });
    living.collect()
}

#[test]
fn a_tool_that_hangs_or_fails_holds_nobody_up_and_is_ended() {
    let machine = Machine::new();
    machine.tool("sam", "echo $$ > ../pid; /bin/sleep 60 & /bin/sleep 60");
    machine.tool("cargo-lambda", "while :; do echo flood; done");
    machine.tool("zig", "exit 3");
    let began = Instant::now();
    let mut sam = machine.command(Path::new(PROGRAM), &["doctor", "--json"]);
    let report = Report::of(&sam.current_dir(machine.lab()).output().unwrap());
    assert!(began.elapsed() < Duration::from_secs(9), "{:?}", began.elapsed());
    assert_eq!(report.code, Some(0));
    assert!(report.check("sam").1.contains("does not answer"), "{}", report.check("sam").1);
    assert!(report.check("zig").1.contains("failed"), "{}", report.check("zig").1);
    assert!(report.checks.iter().all(|check| check["found"].as_str().unwrap().len() < 200));
    let group = fs::read_to_string(machine.path("pid")).unwrap();
    assert_eq!(members(group.trim()), Vec::<String>::new(), "a child of the tool lives on");
}

#[test]
fn no_secret_is_told_wherever_it_lies() {
    let machine = Machine::new();
    let keys = format!("[default]\naws_access_key_id = {SECRET}\naws_secret_access_key = {SECRET}\nregion = eu-north-1\n");
    write(&machine.path("home/.aws/credentials"), &keys);
    for arguments in [&["doctor"][..], &["doctor", "--json"]] {
        let out = machine.command(Path::new(PROGRAM), arguments).env("AWS_SESSION_TOKEN", SECRET).output().unwrap();
        let text = said(&out.stdout) + &said(&out.stderr);
        assert!(!text.contains(SECRET) && text.contains("the profile `default`") && text.contains("eu-north-1"), "{text}");
    }
}

#[test]
fn people_get_a_line_for_each_check_and_the_remedy_below() {
    let machine = Machine::new();
    let lab = machine.bucket();
    write(&lab.join("recordings/ana/dropscope.toml"), "tau_s = 99");
    let out = machine.plain(&["doctor", "lab"]);
    assert_eq!(out.status.code(), Some(1));
    let text = said(&out.stdout);
    let lines: Vec<&str> = text.lines().collect();
    let at = lines.iter().position(|line| line.starts_with("  missing  settings")).unwrap_or_else(|| panic!("{text}"));
    assert!(lines[at].ends_with(':') && lines[at].contains("0.05 to 20"), "{text}");
    assert!(lines[at + 1].starts_with("             ") && lines[at + 1].contains("correct or remove"), "{text}");
    for title in ["this machine", "the folder", "tools to deploy"] {
        assert_eq!(lines.iter().filter(|line| **line == title).count(), 1, "{text}");
    }
    assert!(lines.last().unwrap().starts_with("not ready: 1 thing missing"), "{text}");
    assert!(said(&out.stderr).is_empty());
}

#[test]
fn help_has_an_example_and_two_folders_are_too_many() {
    let machine = Machine::new();
    assert!(said(&machine.plain(&["doctor", "--help"]).stdout).contains("dropscope doctor lab"));
    assert_eq!(machine.plain(&["doctor", "lab", "--at", "lab"]).status.code(), Some(2));
}

#[test]
fn ctrl_c_stops_it_at_once_and_leaves_nothing() {
    let machine = Machine::new();
    machine.tool("sam", "/bin/sleep 60");
    let before = snapshot(machine.dir.path());
    let mut child = machine.command(Path::new(PROGRAM), &["doctor", "lab"]);
    let mut child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(500));
    let began = Instant::now();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert_eq!(snapshot(machine.dir.path()), before);
}
