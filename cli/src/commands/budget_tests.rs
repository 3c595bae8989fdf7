//! What a principal investigator reads.

use super::*;
use dropscope_pipeline::budget::Allowance;
use dropscope_pipeline::{ObjectKey, Settings, Timestamp, Upload};

fn cents(n: u64) -> Usd {
    Usd::from_micros(n * 10_000)
}

fn entry(run: u64, attempt: u32, owner: &str, key: &str, cost: u64) -> LedgerEntry {
    LedgerEntry {
        schema: 1,
        attempt: format!("{run:016x}.{attempt}"),
        owner: owner.into(),
        key: format!("recordings/{owner}/{key}"),
        reserved: cents(100),
        cost: cents(cost),
        settled_at: Timestamp::from_millis(1_790_000_000_000),
        reservation: run,
    }
}

/// Two owners, one run at work, one that waits.
fn money() -> (Money, Vec<Job>, Vec<LedgerEntry>) {
    let now = Timestamp::from_millis(1_790_000_000_000);
    let settled =
        vec![entry(1, 1, "ana", "day 1/x.tif", 80), entry(1, 2, "ana", "day 1/x.tif", 25), entry(2, 1, "bo", "y.tif", 7)];
    let mut money = Money { spent: cents(112), month: now.month(), ..Money::default() };
    money.set_cap(Some("bo"), Some(cents(50)));
    let allowance = Allowance::of_stack(cents(500), cents(300), 4);
    money.reserve_within(&allowance, "0000000000000003.1", cents(40), "ana", now).unwrap();
    let key = ObjectKey::raw("recordings/bo/z.tif");
    let upload = Upload { bucket: "b".into(), key, version: None, etag: "e".into(), size: Some(1), sequencer: None };
    let claim = Job::claim("0000000000000004".parse().unwrap(), upload, "bo".into(), Settings::default(), now);
    let why = "the cap of $0.50 a month for bo leaves $0.43, and this run may cost $0.60".to_owned();
    (money, vec![Job { state: State::Waiting { why }, ..claim }], settled)
}

#[test]
fn one_screen_says_who_spent_what_on_which_recording_and_what_waits() {
    let (money, jobs, settled) = money();
    let view = View { money: &money, jobs: &jobs, settled: &settled };
    assert_eq!(
        view.screen(),
        "month      2026-09
spent      $1.12
reserved   $0.40, the most that 1 run may still cost
cap        $5.00, which leaves $3.48
besides    about $0.01, estimated and under no cap: functions, requests, a month of storage, one download
frozen     no

owner                         spent   reserved        cap  waiting
ana                           $1.05      $0.40      $3.00        0
bo                            $0.07      $0.00      $0.50        1

      cost  recording, this month
     $1.05  recordings/ana/day 1/x.tif  (2 attempts)
     $0.07  recordings/bo/y.tif

waiting    recordings/bo/z.tif
           the cap of $0.50 a month for bo leaves $0.43, and this run may cost $0.60"
    );
    let json = view.json();
    assert_eq!((&json["owners"]["ana"]["spent"], &json["waiting"][0]["run"]), (&1_050_000.into(), &"0000000000000004".into()));
}

#[test]
fn a_freeze_says_why_and_how_to_go_on_and_a_name_forges_no_line() {
    let (mut money, mut jobs, mut settled) = money();
    money.freeze("the alert\nspent      $0.00", Timestamp::from_millis(1_790_000_000_000));
    settled.push(entry(9, 1, "eve\nfrozen     no", "e\u{202e}.tif", 1));
    jobs[0].owner = "mal\u{1b}[2J".into();
    let screen = View { money: &money, jobs: &jobs, settled: &settled }.screen();
    assert!(screen.contains("frozen     since 2026-09-21T") && screen.contains("to go on: dropscope budget thaw"), "{screen}");
    assert!(!screen.lines().any(|line| line == "frozen     no" || line == "spent      $0.00"), "{screen}");
    assert!(!screen.contains(['\u{1b}', '\u{202e}']), "{screen}");
}

#[test]
fn a_thousand_recordings_are_a_screen_and_the_rest_is_summed() {
    let settled: Vec<LedgerEntry> = (0..1000).map(|n| entry(n, 1, "ana", &format!("{n:04}.tif"), 2)).collect();
    let screen = View { money: &Money::default(), jobs: &[], settled: &settled }.screen();
    assert!(screen.lines().count() < 25 && screen.contains("$19.76  for 988 more"), "{screen}");
}

#[test]
fn an_amount_is_dollars_or_none() {
    assert_eq!(cap("none").ok(), Some(None));
    assert_eq!(cap("12.5").ok(), Some(Some(cents(1250))));
    for slip in ["", "much", "-1", "1e9", "1000000001", "5$"] {
        assert!(cap(slip).is_err(), "{slip}");
    }
}
