//! Many launches at one time, and one cap.

use crate::actors::{BUCKET, World, allowance};
use crate::laws;
use crate::weather::Weather;
use dropscope_pipeline::budget::Allowance;
use dropscope_pipeline::{ObjectKey, State, Upload, event};
use dropscope_ports::{Clock, Condition, Objects};
use dropscope_segment::Keeping;
use dropscope_tests::recordings;
use std::sync::Arc;

/// Recordings that land at one time; the cap lets eight of them go.
const UPLOADS: usize = 200;
/// Deliveries of a message before the test gives up.
const DELIVERIES: usize = 50;

/// Every recording, up to its manifest.
async fn validated(world: &World) -> Vec<Upload> {
    let deps = dropscope_validate::Deps {
        bucket: BUCKET.into(),
        objects: world.store.clone(),
        mailer: world.post.clone(),
        clock: world.clock.clone(),
        place: "/bucket/".into(),
        mail_lease_seconds: 60,
    };
    let bytes = recordings::small(1).unwrap();
    for n in 0..UPLOADS {
        let key = ObjectKey::raw(format!("recordings/owner {}/{n}.tif", n % 5));
        world.store.put(&key, bytes.clone(), &Condition::Always).await.unwrap();
    }
    for upload in world.store.created() {
        dropscope_validate::handle(&event::object_created(&upload, "one cap", world.clock.now()), &deps).await.unwrap();
    }
    let created = world.store.created().into_iter();
    created.filter(|upload| upload.key.as_str().ends_with("/manifest.json")).collect()
}

/// Delivers a manifest to launch until it is worked off, as its queue does; says how often the law was looked at.
async fn launched(upload: Upload, world: Arc<World>) -> usize {
    let deps = dropscope_launch::Deps {
        bucket: BUCKET.into(),
        objects: world.store.clone(),
        fleet: world.fleet.clone(),
        clock: world.clock.clone(),
        allowance: Allowance { most_instances: None, ..allowance() },
        beside: dropscope_launch::Beside::default(),
    };
    for delivery in 1..=DELIVERIES {
        let event = event::object_created(&upload, "one cap", world.clock.now());
        let end = dropscope_launch::handle(&event, &deps).await;
        laws::under_the_cap(&world).unwrap();
        if end.is_ok() {
            return delivery;
        }
    }
    panic!("{} is not worked off after {DELIVERIES} deliveries", upload.key);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_launches_at_one_time_stay_under_one_cap() {
    let world = Arc::new(World::new(Keeping::default(), Weather::default()));
    let manifests = validated(&world).await;
    assert_eq!(manifests.len(), UPLOADS);
    let launches: Vec<_> = manifests.into_iter().map(|upload| tokio::spawn(launched(upload, world.clone()))).collect();
    for launch in launches {
        launch.await.unwrap();
    }
    let jobs = dropscope_jobs::list_jobs(&*world.store).await.unwrap();
    let of = |word: &str| jobs.iter().filter(|job| job.state.word() == word).count();
    assert_eq!((of("launching"), of("waiting"), world.fleet.alive().len()), (8, UPLOADS - 8, 8));
    let told = |job: &&dropscope_pipeline::Job| matches!(&job.state, State::Waiting { why } if why.contains("cap"));
    assert_eq!(jobs.iter().filter(told).count(), UPLOADS - 8, "each of the others says why it waits");
}
