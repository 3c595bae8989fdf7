//! What launch does when the fleet, the disk or the cap says no.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use dropscope_launch::{Beside, Deps, Outcome, handle};
use dropscope_local::{LocalStore, MailDir};
use dropscope_pipeline::budget::Allowance;
use dropscope_pipeline::instance::Offer;
use dropscope_pipeline::{Job, Market, ObjectKey, State, Upload, Usd, event};
use dropscope_ports::{Clock, Condition, Fleet, FleetError, Instance, LaunchRequest, Objects};
use dropscope_testkit::clock::StandingClock;
use dropscope_testkit::movie::Scene;
use std::io::Cursor;
use std::sync::Arc;

/// A fleet that always gives the same answer.
struct Fixed(fn(&LaunchRequest) -> FleetError);

#[async_trait::async_trait]
impl Fleet for Fixed {
    async fn offers(&self) -> Result<Vec<Offer>, FleetError> {
        let usd_per_hour = Usd::from_micros(100_000);
        let of = |name: &str, cores| Offer { instance_type: name.into(), cores, memory_mib: 8000, usd_per_hour };
        Ok(vec![of("t", 2), of("u", 8)])
    }
    async fn launch(&self, request: &LaunchRequest) -> Result<Instance, FleetError> {
        Err(self.0(request))
    }
    async fn list(&self) -> Result<Vec<Instance>, FleetError> {
        Ok(Vec::new())
    }
    async fn terminate(&self, _: &str) -> Result<(), FleetError> {
        Ok(())
    }
}

fn refused(_: &LaunchRequest) -> FleetError {
    FleetError::Refused { call: "create_fleet", source: "UnauthorizedOperation".into() }
}

fn spent(request: &LaunchRequest) -> FleetError {
    FleetError::TokenSpent(request.token.clone())
}

fn silent(_: &LaunchRequest) -> FleetError {
    FleetError::Busy { call: "create_fleet", source: "no answer".into() }
}

fn scarce(request: &LaunchRequest) -> FleetError {
    FleetError::NoCapacity(format!("{:?}", request.market))
}

fn small_quota(request: &LaunchRequest) -> FleetError {
    let types: Vec<&str> = request.offers.iter().map(|offer| offer.instance_type.as_str()).collect();
    FleetError::Quota(types.join(" "))
}

struct Bench {
    folder: tempfile::TempDir,
    store: Arc<LocalStore>,
    clock: Arc<dyn Clock>,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(LocalStore::open(folder.path(), "b").unwrap());
        Self { folder, store, clock: Arc::new(StandingClock::new()) }
    }

    /// Has a recording validated and its manifest notified.
    async fn launch(&self, answer: fn(&LaunchRequest) -> FleetError, beside: Beside) -> Result<Outcome, String> {
        let scene = Scene { height: 48, width: 48, frames: 60, cells: 4, groups: 2, ..Scene::default() };
        let mut bytes = Cursor::new(Vec::new());
        scene.generate().unwrap().write_tiff(&mut bytes).unwrap();
        let key = ObjectKey::raw("recordings/ana/x.tif");
        let etag = self.store.put(&key, bytes.into_inner(), &Condition::Always).await.unwrap();
        let upload = Upload { bucket: "b".into(), key, version: None, etag, size: None, sequencer: None };
        let validate = dropscope_validate::Deps {
            bucket: "b".into(),
            objects: self.store.clone(),
            mailer: Arc::new(MailDir::new(self.folder.path(), self.clock.clone())),
            clock: self.clock.clone(),
            place: String::new(),
            mail_lease_seconds: 0,
        };
        let now = self.clock.now();
        dropscope_validate::handle(&event::object_created(&upload, "id", now), &validate).await.unwrap();
        let manifest = Upload { key: self.job().await.results().unwrap().child("manifest.json"), ..upload };
        let deps = Deps {
            bucket: "b".into(),
            objects: self.store.clone(),
            fleet: Arc::new(Fixed(answer)),
            clock: self.clock.clone(),
            allowance: Allowance::default(),
            beside,
        };
        let outcomes = handle(&event::object_created(&manifest, "id", now), &deps).await;
        outcomes.map(|mut outcomes| outcomes.remove(0)).map_err(|error| dropscope_runtime::chain(&error))
    }

    async fn job(&self) -> Job {
        dropscope_jobs::list_jobs(&*self.store).await.unwrap().remove(0)
    }

    async fn held(&self) -> Vec<Usd> {
        let budget = dropscope_jobs::load_budget(&*self.store).await.unwrap();
        budget.reservations.values().map(|reservation| reservation.amount).collect()
    }
}

#[tokio::test]
async fn a_launch_that_is_refused_waits_with_the_reason_and_holds_no_money() {
    let bench = Bench::new();
    let outcome = bench.launch(refused, Beside::default()).await.unwrap();
    assert!(matches!(&outcome, Outcome::Waiting { why, .. } if why.contains("UnauthorizedOperation")), "{outcome}");
    let job = bench.job().await;
    assert!(matches!(&job.state, State::Waiting { why } if why.contains("UnauthorizedOperation")), "{:?}", job.state);
    assert!(bench.held().await.is_empty());
}

#[tokio::test]
async fn a_spent_token_interrupts_the_attempt_so_that_the_next_one_has_another() {
    let bench = Bench::new();
    bench.launch(spent, Beside::default()).await.unwrap();
    let job = bench.job().await;
    assert!(matches!(job.state, State::Interrupted { .. }), "{:?}", job.state);
    assert_eq!((job.attempt, job.interruptions), (1, 1));
}

#[tokio::test]
async fn what_is_reserved_covers_disk_address_and_boot() {
    let bench = Bench::new();
    bench.launch(silent, Beside::on_ec2(100)).await.unwrap_err();
    let lifetime = bench.job().await.manifest.unwrap().needs.lifetime_seconds();
    let hour = Usd::from_micros(100_000 + 100 * 220 + 5_000);
    assert_eq!(bench.held().await, [hour.per_hour_for(lifetime + 1200)]);
}

#[tokio::test]
async fn a_recording_that_no_disk_holds_fails_at_once_with_the_remedy() {
    let bench = Bench::new();
    let beside = Beside { disk_gib: Some(0), ..Beside::default() };
    let outcome = bench.launch(silent, beside).await.unwrap();
    assert!(matches!(outcome, Outcome::Impossible { .. }), "{outcome}");
    let job = bench.job().await;
    assert!(matches!(&job.state, State::Failed(verdict) if verdict.remedy.contains("WorkerDiskGiB")), "{:?}", job.state);
    assert!(bench.held().await.is_empty());
}

#[tokio::test]
async fn after_three_refusals_of_spot_a_run_asks_on_demand_where_that_is_allowed_and_nowhere_else() {
    for (allowed, fourth) in [(true, "no capacity: OnDemand"), (false, "no capacity: Spot")] {
        let (bench, mut asked) = (Bench::new(), Vec::new());
        for _ in 0..4 {
            let outcome = bench.launch(scarce, Beside::default().or_on_demand(allowed)).await.unwrap();
            let Outcome::Waiting { why, .. } = outcome else { panic!("{outcome}") };
            asked.push(why);
        }
        assert!(asked[..3].iter().all(|why| why == "no capacity: Spot"), "{asked:?}");
        assert_eq!(asked[3], fourth);
    }
}

#[tokio::test]
async fn what_is_reserved_on_demand_covers_the_dearest_region_and_a_repeated_call_asks_for_the_same() {
    let (bench, beside) = (Bench::new(), Beside::default().or_on_demand(true));
    for _ in 0..3 {
        bench.launch(scarce, beside.clone()).await.unwrap();
    }
    bench.launch(silent, beside.clone()).await.unwrap_err();
    let job = bench.job().await;
    let hour = Usd::from_micros(200_000);
    assert_eq!((job.attempt, job.market, job.usd_per_hour), (4, Market::OnDemand, hour));
    assert_eq!(bench.held().await, [hour.per_hour_for(job.manifest.unwrap().needs.lifetime_seconds())]);
    // Forbidden meanwhile or not: the token of this attempt stands for what was asked for first.
    let outcome = bench.launch(scarce, Beside::default()).await.unwrap();
    assert!(matches!(&outcome, Outcome::Waiting { why, .. } if why.contains("OnDemand")), "{outcome}");
}

#[tokio::test]
async fn after_a_quota_only_the_smallest_machines_are_asked_for() {
    let bench = Bench::new();
    let mut asked = Vec::new();
    for _ in 0..2 {
        let outcome = bench.launch(small_quota, Beside::default()).await.unwrap();
        let Outcome::Waiting { why, .. } = outcome else { panic!("{outcome}") };
        asked.push(why);
    }
    assert_eq!(asked, ["quota reached: t u", "quota reached: t"]);
}
