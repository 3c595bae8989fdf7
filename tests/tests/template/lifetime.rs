//! Laws of an instance's time: it waits for its tags, ends its work before it ends itself, and its last log is the last.

use crate::boot::{Boot, Booted, user_data};
use crate::instance::ends_switched_off;
use crate::stack::Stack;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

/// Seconds that the program of an instance was given.
fn given(booted: &Booted) -> u64 {
    let call = booted.calls.iter().find(|call| call.starts_with("timeout ") && call.ends_with("/dropscope-worker work"));
    let words: Vec<&str> = call.unwrap_or_else(|| panic!("{:?}", booted.calls)).split(' ').collect();
    assert_eq!(words[1], "--kill-after=20");
    words[2].parse().unwrap()
}

#[test]
fn tags_that_come_within_a_minute_are_waited_for() {
    for tag in ["lifetime", "run", "attempt", "program"] {
        let booted = Boot::of("exit 0").with(&format!("late/{tag}"), "60").run();
        assert_eq!(booted.code, Some(0), "{tag}: {:?}", booted.calls);
        let never = Boot::of("exit 0").with(&format!("late/{tag}"), "999").run();
        ends_switched_off(&never, tag);
        assert!(!never.called("worker"), "{tag}: {:?}", never.calls);
    }
}

/// Metadata over HTTP whose every path is unknown the first time.
fn late_metadata() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut known = std::collections::BTreeSet::new();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            let path = request(&stream);
            let body = match path.rsplit('/').next().unwrap() {
                "token" => "secret",
                "dropscope:lifetime" => "37",
                _ => "$(touch injected)",
            };
            let (status, body) = if known.insert(path) { ("404 Not Found", "<html>no</html>") } else { ("200 OK", body) };
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            (&stream).write_all(format!("{head}{body}").as_bytes()).unwrap();
        }
    });
    port
}

/// The path that is asked for, once everything was said.
fn request(stream: &TcpStream) -> String {
    let lines = BufReader::new(stream).lines().map(Result::unwrap).take_while(|line| !line.is_empty());
    let head: Vec<String> = lines.collect();
    head[0].split(' ').nth(1).unwrap().to_owned()
}

#[test]
fn a_real_curl_asks_again_after_a_404_and_believes_only_the_answer() {
    if !Path::new("/usr/bin/curl").exists() {
        eprintln!("skipped: this machine has no curl");
        return;
    }
    let booted = Boot::of("exit 0").with("port", &late_metadata().to_string()).run();
    ends_switched_off(&booted, "late");
    assert!(booted.called("shutdown -h +37"), "{:?}", booted.calls);
    let asked = |what: &str| booted.calls.iter().filter(|call| call.starts_with("curl") && call.ends_with(what)).count();
    assert_eq!((asked("dropscope:lifetime"), asked("dropscope:run")), (1, 1), "{:?}", booted.calls);
}

#[test]
fn the_work_is_ended_two_minutes_before_the_machine_whatever_came_before_it() {
    let at_once = given(&Boot::of("exit 0").run());
    assert!((2085..=37 * 60 - 120).contains(&at_once), "{at_once} s");
    let busy = given(&Boot::of("exit 0").with("busy", "2.1").run());
    assert!(busy <= 37 * 60 - 122, "{busy} s");
}

#[test]
fn the_first_watchdog_is_what_launch_reserves_beside_the_lifetime() {
    let minutes = dropscope_launch::Beside::on_ec2(100).boot_seconds / 60;
    assert_eq!(user_data(&Stack::usual()).lines().nth(1), Some(format!("shutdown -h +{minutes}").as_str()));
}

#[test]
fn work_that_has_no_time_left_is_not_begun() {
    for lifetime in ["1", "2"] {
        let booted = Boot::of("exit 0").tag("lifetime", lifetime).run();
        ends_switched_off(&booted, lifetime);
        assert!(!booted.called("runuser") && booted.log.contains("no time is left"), "{:?}", booted.calls);
    }
}

#[test]
fn what_the_work_says_when_its_time_is_over_reaches_the_bucket() {
    let booted = Boot::of("trap 'echo last words; exit 1' TERM; /bin/sleep 30 & wait").with("hurry", "").run();
    ends_switched_off(&booted, "out of time");
    assert_eq!(booted.code, Some(124), "{}", booted.log);
    for line in ["last words", "the time of this attempt is over", "ended with code 124"] {
        assert!(booted.log.contains(line), "{line}: {}", booted.log);
    }
}

#[test]
fn work_that_is_deaf_is_killed() {
    let booted = Boot::of("trap '' TERM; echo deaf; while :; do /bin/sleep 0.1; done").with("hurry", "").run();
    ends_switched_off(&booted, "deaf");
    assert_eq!(booted.code, Some(137), "{}", booted.log);
    assert!(booted.log.contains("deaf") && booted.log.contains("ended with code 137"), "{}", booted.log);
}

#[test]
fn an_upload_on_its_way_is_ended_before_the_last_one_begins() {
    let work = "until grep -q 'an upload begins' \"$STAGE/calls\"; do /bin/sleep 0.05; done; echo all is done";
    let booted = Boot::of(work).with("slow", "").run();
    ends_switched_off(&booted, "slow");
    let last = booted.calls.iter().rposition(|call| call.starts_with("aws") && call.contains("/state/logs/"));
    let ended = booted.at("an upload is ended").unwrap_or_else(|| panic!("{:?}", booted.calls));
    assert!(ended < last.unwrap(), "{:?}", booted.calls);
    assert!(booted.log.contains("all is done") && booted.log.contains("ended with code 0"), "{}", booted.log);
}

#[test]
fn a_last_upload_that_hangs_keeps_no_machine_alive() {
    let began = Instant::now();
    let booted = Boot::of("exit 0").with("hung", "").with("hurry", "").run();
    ends_switched_off(&booted, "hung");
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}
