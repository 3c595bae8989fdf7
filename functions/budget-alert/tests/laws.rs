//! What follows from each text of AWS Budgets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use dropscope_budget_alert::{AlertError, Deps, Outcome, handle};
use dropscope_local::{LocalStore, MailDir};
use dropscope_pipeline::Usd;
use dropscope_pipeline::instance::Offer;
use dropscope_ports::{Clock, Fleet, FleetError, Instance, InstanceState, LaunchRequest, Machine, MachineKind, Objects};
use dropscope_testkit::clock::StandingClock;
use std::path::Path;
use std::sync::{Arc, Mutex};

/// Three instances, one of which cannot be ended, and one that ended before.
struct Three(Mutex<Vec<Instance>>);

impl Three {
    fn new() -> Self {
        let instance = |n: u32, state| Instance {
            id: format!("i-{n}"),
            run: "0123456789abcdef".parse().unwrap(),
            attempt: n,
            instance_type: "t".into(),
            state,
            launched_at: dropscope_pipeline::Timestamp::from_millis(0),
        };
        use InstanceState::{Alive, Ended};
        Self(Mutex::new(vec![instance(1, Alive), instance(2, Alive), instance(3, Alive), instance(4, Ended)]))
    }

    fn alive(&self) -> Vec<String> {
        self.0.lock().unwrap().iter().filter(|i| i.state == InstanceState::Alive).map(|i| i.id.clone()).collect()
    }
}

#[async_trait::async_trait]
impl Fleet for Three {
    async fn offers(&self) -> Result<Vec<Offer>, FleetError> {
        Ok(vec![Offer { instance_type: "t".into(), cores: 1, memory_mib: 1, usd_per_hour: Usd::ZERO }])
    }
    async fn launch(&self, request: &LaunchRequest) -> Result<Instance, FleetError> {
        Err(FleetError::NoCapacity(request.token.clone()))
    }
    async fn list(&self) -> Result<Vec<Instance>, FleetError> {
        Ok(self.0.lock().unwrap().clone())
    }
    async fn terminate(&self, id: &str) -> Result<(), FleetError> {
        if id == "i-2" {
            return Err(FleetError::Refused { call: "terminate", source: "termination protection".into() });
        }
        self.0.lock().unwrap().iter_mut().filter(|i| i.id == id).for_each(|i| i.state = InstanceState::Ended);
        Ok(())
    }
}

struct Bench {
    folder: tempfile::TempDir,
    fleet: Arc<Three>,
    deps: Deps,
}

fn bench() -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(StandingClock::new());
    let fleet = Arc::new(Three::new());
    let objects: Arc<dyn Objects> = Arc::new(LocalStore::open(folder.path(), "b").unwrap());
    let deps = Deps {
        objects,
        fleet: fleet.clone(),
        mailer: Arc::new(MailDir::new(folder.path(), clock.clone())),
        clock,
        topic: "arn:aws:sns:eu-central-1:111122223333:calcium-budget-alerts".into(),
        account: "111122223333".into(),
        mail_lease_seconds: 0,
        rest: true,
        pause: std::time::Duration::ZERO,
    };
    Bench { folder, fleet, deps }
}

impl Bench {
    async fn frozen(&self) -> Option<String> {
        dropscope_jobs::load_budget(&*self.deps.objects).await.unwrap().frozen.map(|frozen| frozen.why)
    }

    fn mails(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.folder.path().join("mail"));
        files.map(|files| files.map(|f| std::fs::read_to_string(f.unwrap().path()).unwrap()).collect()).unwrap_or_default()
    }
}

fn event(name: &str) -> serde_json::Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[tokio::test]
async fn a_reached_limit_freezes_ends_what_can_be_ended_and_tells() {
    for name in ["sns-budget-actual.json", "sns-budget-subject-null.json"] {
        let bench = bench();
        let outcome = handle(&event(name), &bench.deps).await.unwrap().remove(0);
        let Outcome::Frozen { ended, unended, .. } = outcome else { panic!("{name}: {outcome:?}") };
        assert_eq!((ended, bench.fleet.alive()), (vec!["i-1".to_owned(), "i-3".to_owned()], vec!["i-2".to_owned()]), "{name}");
        assert!(unended[0].starts_with("i-2"), "{name}");
        assert!(bench.frozen().await.unwrap().contains("$52.31 spent of $50.00"), "{name}");
        let mails = bench.mails();
        assert!(mails.len() == 1 && mails[0].contains("i-2") && mails[0].contains("thaw"), "{name}: {mails:?}");
    }
}

/// Two machines that go while they are looked at, one that starts meanwhile, and one that takes its time to end.
#[derive(Default)]
struct Moving {
    /// Where launches are let go again after the first look, as a person may.
    thawed: Option<Arc<dyn Objects>>,
    looks: Mutex<usize>,
    halted: Mutex<Vec<String>>,
}

#[async_trait::async_trait]
impl Fleet for Moving {
    async fn offers(&self) -> Result<Vec<Offer>, FleetError> {
        Ok(Vec::new())
    }
    async fn launch(&self, request: &LaunchRequest) -> Result<Instance, FleetError> {
        Err(FleetError::NoCapacity(request.token.clone()))
    }
    async fn list(&self) -> Result<Vec<Instance>, FleetError> {
        Ok(Vec::new())
    }
    async fn terminate(&self, id: &str) -> Result<(), FleetError> {
        self.halted.lock().unwrap().push(id.to_owned());
        // The first call of all is not answered.
        if self.halted.lock().unwrap().len() == 1 {
            return Err(FleetError::Busy { call: "terminate", source: "throttled".into() });
        }
        Ok(())
    }
    async fn machines(&self) -> Result<Vec<Machine>, FleetError> {
        if let Some(objects) = &self.thawed {
            dropscope_jobs::thaw(&**objects, StandingClock::new().now()).await.unwrap();
        }
        let mut looks = self.looks.lock().unwrap();
        *looks += 1;
        let ids: &[&str] = match *looks {
            1 => &["i-busy", "i-slow", "i-vanishes", "i-vanishes-too"],
            2 => &["i-busy", "i-slow", "i-late"],
            3 => &["i-slow"],
            _ => &[],
        };
        Ok(ids.iter().map(|id| Machine { id: (*id).into(), kind: MachineKind::Spot, resting: false }).collect())
    }
}

#[tokio::test]
async fn what_vanishes_starts_late_or_does_not_answer_at_once_is_ended_all_the_same() {
    let mut bench = bench();
    let fleet = Arc::new(Moving::default());
    bench.deps.fleet = fleet.clone();
    let outcome = handle(&event("sns-budget-actual.json"), &bench.deps).await.unwrap().remove(0);
    let Outcome::Frozen { ended, unended, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(ended, ["i-busy", "i-late", "i-slow", "i-vanishes", "i-vanishes-too"]);
    assert!(unended.is_empty(), "{unended:?}");
    let halted = fleet.halted.lock().unwrap().clone();
    assert_eq!(halted, ["i-busy", "i-slow", "i-vanishes", "i-vanishes-too", "i-busy", "i-late"], "nothing is ended twice");
}

#[tokio::test]
async fn what_starts_after_a_thaw_is_left_alone() {
    let mut bench = bench();
    let fleet = Arc::new(Moving { thawed: Some(bench.deps.objects.clone()), ..Moving::default() });
    bench.deps.fleet = fleet.clone();
    handle(&event("sns-budget-actual.json"), &bench.deps).await.unwrap();
    assert!(!fleet.halted.lock().unwrap().iter().any(|id| id == "i-late"));
}

#[tokio::test]
async fn a_threshold_or_a_forecast_freezes_and_lets_what_runs_finish() {
    for name in [
        "sns-budget-actual-80pct.json",
        "sns-budget-forecasted.json",
        "sns-budget-daily-old-link.json",
        "sns-budget-thousands-separator.json",
        "sns-budget-name-with-spaces.json",
    ] {
        let bench = bench();
        let mut event = event(name);
        event["Records"][0]["Sns"]["TopicArn"] = bench.deps.topic.clone().into();
        handle(&event, &bench.deps).await.unwrap();
        assert!(bench.frozen().await.is_some(), "{name}");
        assert_eq!(bench.fleet.alive().len(), 3, "{name}");
        assert_eq!(bench.mails().len(), 1, "{name}");
    }
}

#[tokio::test]
async fn what_cannot_be_read_or_believed_freezes_and_destroys_nothing() {
    for name in ["sns-budget-unparseable.json", "sns-budget-implausible-amount.json", "sns-cost-anomaly.json"] {
        let bench = bench();
        let mut event = event(name);
        event["Records"][0]["Sns"]["TopicArn"] = bench.deps.topic.clone().into();
        handle(&event, &bench.deps).await.unwrap();
        assert!(bench.frozen().await.is_some(), "{name}");
        assert_eq!(bench.fleet.alive().len(), 3, "{name}");
        assert!(bench.mails()[0].contains("in doubt"), "{name}");
    }
}

#[tokio::test]
async fn another_topic_or_account_does_nothing() {
    let mut bench = bench();
    bench.deps.topic = "arn:aws:sns:eu-central-1:111122223333:another".into();
    let outcome = handle(&event("sns-budget-actual.json"), &bench.deps).await.unwrap().remove(0);
    assert!(matches!(outcome, Outcome::Foreign(_)));
    bench.deps.topic = "arn:aws:sns:eu-central-1:111122223333:calcium-budget-alerts".into();
    bench.deps.account = "999999999999".into();
    let outcome = handle(&event("sns-budget-actual.json"), &bench.deps).await.unwrap().remove(0);
    assert!(matches!(outcome, Outcome::Foreign(_)));
    assert_eq!((bench.frozen().await, bench.fleet.alive().len(), bench.mails().len()), (None, 3, 0));
}

#[tokio::test]
async fn the_same_alert_twice_is_one_mail_and_thawing_lifts_it() {
    let bench = bench();
    for _ in 0..2 {
        handle(&event("sns-budget-actual.json"), &bench.deps).await.unwrap();
    }
    assert_eq!(bench.mails().len(), 1);
    dropscope_jobs::thaw(&*bench.deps.objects, bench.deps.clock.now()).await.unwrap();
    assert_eq!(bench.frozen().await, None);
}

#[tokio::test]
async fn what_is_no_message_of_sns_is_refused_by_name() {
    let bench = bench();
    let refused = handle(&event("s3-object-created-unicode-key.json"), &bench.deps).await;
    assert!(matches!(refused, Err(AlertError::Shape(_))), "{refused:?}");
}
