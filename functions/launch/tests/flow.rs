//! One recording through the deployed programs: launch under AWS Lambda starts an instance, and the very same program
//! works on it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use aws_config::Region;
use dropscope_aws::{SnsMailer, sdk};
use dropscope_aws_ec2::Ec2Fleet;
use dropscope_pipeline::link::Claim;
use dropscope_pipeline::{ObjectKey, State, Timestamp, Upload, event, state_keys};
use dropscope_ports::clock::SystemClock;
use dropscope_ports::{Clock, Condition, Fleet, Instance, InstanceState, Objects, Select};
use dropscope_testkit::imds;
use dropscope_testkit::lambda::Answer;
use dropscope_testkit::movie::Scene;
use dropscope_testkit::world::{BUCKET, OPEN_URL, World};
use serde_json::{Value, json};
use std::io::Cursor;
use std::process::{Command, Output};
use std::sync::Arc;
use tokio::runtime::Runtime;

const PROGRAM: &str = env!("CARGO_BIN_EXE_dropscope-launch");
/// A name that does what it says when a shell ever reads it.
const KEY: &str = "recordings/ana/$(touch x)'\"; shutdown;&.tif";

/// The world, and hands that do what other functions do.
struct Bench {
    world: World,
    runtime: Runtime,
    _folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let world = World::start(folder.path()).unwrap();
        Self { world, runtime: Runtime::new().unwrap(), _folder: folder }
    }

    fn created(&self, key: &ObjectKey) -> Value {
        let meta = self.runtime.block_on(self.world.store.head(key, &Select::default())).unwrap();
        let (key, size) = (meta.key, Some(meta.size));
        let upload = Upload { bucket: BUCKET.into(), key, version: meta.version, etag: meta.etag, size, sequencer: None };
        event::object_created(&upload, "id", Timestamp::from_millis(0))
    }

    /// Uploads a recording and has it validated; the message about its manifest.
    fn accepted(&self) -> Value {
        let scene = Scene { height: 48, width: 48, frames: 90, cells: 4, groups: 2, ..Scene::default() };
        let mut bytes = Cursor::new(Vec::new());
        scene.generate().unwrap().write_tiff(&mut bytes).unwrap();
        let key = ObjectKey::raw(KEY);
        self.runtime.block_on(self.world.store.put(&key, bytes.into_inner(), &Condition::Always)).unwrap();
        let deps = dropscope_validate::Deps {
            bucket: BUCKET.into(),
            objects: Arc::new(self.world.store.clone()),
            mailer: Arc::new(self.mailer()),
            clock: Arc::new(SystemClock),
            place: String::new(),
            mail_lease_seconds: 0,
        };
        let event = self.created(&key);
        let outcomes = self.runtime.block_on(dropscope_validate::handle(&event, &deps)).unwrap();
        let dropscope_validate::Outcome::Run(job) = &outcomes[0] else { panic!("{outcomes:?}") };
        message("m-1", &self.created(&job.results().unwrap().child("manifest.json")))
    }

    fn sdk(&self) -> dropscope_aws::Sdk {
        let place = &self.world.moto.place;
        let key = aws_credential_types::Credentials::new("key", "secret", None, None, "test");
        let sdk = self.runtime.block_on(sdk()).into_builder().endpoint_url(&place.endpoint);
        let sdk = sdk.credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(key));
        sdk.region(Region::new(place.region.clone())).build()
    }

    fn mailer(&self) -> SnsMailer {
        SnsMailer::new(&self.sdk(), &*self.world.moto.place.topic)
    }

    fn instances(&self) -> Vec<Instance> {
        self.runtime.block_on(Ec2Fleet::new(&self.sdk(), "lab").list()).unwrap()
    }

    fn job(&self) -> dropscope_pipeline::Job {
        let mut jobs = self.runtime.block_on(dropscope_jobs::list_jobs(&self.world.store)).unwrap();
        assert_eq!(jobs.len(), 1);
        jobs.remove(0)
    }

    /// Does what the instance's user data does: starts the program that lies in the bucket under its digest.
    fn work(&self, instance: &Instance) -> Output {
        let programs = self.runtime.block_on(self.world.store.list("programs/", None)).unwrap();
        assert_eq!(programs.len(), 1, "one program");
        let digest = programs[0].key.as_str().split('/').nth(1).unwrap().to_owned();
        assert_eq!(programs[0].key, state_keys::program(&digest));
        let program = self.runtime.block_on(self.world.store.get(&programs[0].key, &Select::default())).unwrap();
        assert!(program.bytes == std::fs::read(PROGRAM).unwrap(), "the very program that launched it");
        let attempt = instance.attempt.to_string();
        let told = [
            ("instance-id", instance.id.as_str()),
            ("tags/instance/dropscope:run", instance.run.as_str()),
            ("tags/instance/dropscope:attempt", attempt.as_str()),
        ];
        let scratch = tempfile::tempdir().unwrap();
        Command::new(PROGRAM)
            .arg("work")
            .env_clear()
            .envs(self.world.environment())
            .env("TMPDIR", scratch.path())
            .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", imds::start(&told).unwrap())
            .output()
            .unwrap()
    }
}

fn message(id: &str, event: &Value) -> Value {
    let record = json!({
        "messageId": id, "receiptHandle": "r", "body": event.to_string(), "attributes": {}, "messageAttributes": {},
        "md5OfBody": "", "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-central-1:111122223333:launch",
        "awsRegion": "eu-central-1",
    });
    json!({ "Records": [record] })
}

#[test]
fn a_recording_gets_one_instance_that_works_it_off() {
    let bench = Bench::new();
    // As reconcile has done in the first minute of a stack.
    bench.runtime.block_on(dropscope_jobs::make_links(&bench.world.store, SystemClock.now())).unwrap();
    let message = bench.accepted();
    let launch = bench.world.function(PROGRAM).unwrap();
    for _ in 0..3 {
        let answer = launch.invoke(&message).unwrap();
        assert_eq!(answer, Answer::Response(json!({ "batchItemFailures": [] })), "{}", launch.log());
    }
    let instances = bench.instances();
    assert_eq!(instances.len(), 1, "{instances:?}");
    let worked = bench.work(&instances[0]);
    let log = String::from_utf8_lossy(&worked.stderr);
    assert!(worked.status.success(), "{log}");
    assert!(matches!(bench.job().state, State::Done(_)), "{:?}\n{log}", bench.job().state);
    let results = bench.job().results().unwrap();
    for name in ["suite2p/plane0/F.npy", "figure.png", "report.html", "provenance.json", "log.txt"] {
        let there = bench.runtime.block_on(bench.world.store.head(&results.child(name), &Select::default()));
        assert!(there.is_ok(), "{name}");
    }
    let mails = bench.world.moto.published();
    assert_eq!(mails.len(), 1, "{mails:?}");
    assert_eq!((mails[0].attributes["owner"].as_str(), mails[0].attributes["kind"].as_str()), ("ana", "done"));
    assert!(mails[0].message.contains("s3://"), "{}", mails[0].message);
    let link = mails[0].message.lines().find_map(|line| line.strip_prefix("Open        ")).unwrap();
    let claim = Claim::read(link.strip_prefix(OPEN_URL).unwrap(), SystemClock.now()).unwrap();
    let links = bench.runtime.block_on(dropscope_jobs::find_links(&bench.world.store)).unwrap().unwrap();
    assert_eq!(links.opens(&claim), Ok(&bench.job().run));
}

#[test]
fn an_instance_whose_run_went_on_without_it_changes_nothing() {
    let bench = Bench::new();
    let message = bench.accepted();
    bench.world.function(PROGRAM).unwrap().invoke(&message).unwrap();
    let instance = bench.instances().remove(0);
    let late = Instance { attempt: 7, ..instance };
    assert!(bench.work(&late).status.success());
    assert_eq!(bench.job().state, State::Launching);
    assert!(bench.world.moto.published().is_empty());
    assert_eq!(bench.instances().iter().filter(|i| i.state == InstanceState::Alive).count(), 1);
}

#[test]
fn a_worker_without_tags_says_what_to_do() {
    let bench = Bench::new();
    let told = [("instance-id", "i-1")];
    let worker = Command::new(PROGRAM)
        .arg("work")
        .env_clear()
        .envs(bench.world.environment())
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", imds::start(&told).unwrap())
        .output()
        .unwrap();
    let log = String::from_utf8_lossy(&worker.stderr);
    assert_eq!(worker.status.code(), Some(1), "{log}");
    assert!(log.contains("tags/instance/dropscope:run") && log.contains("allow tags in instance metadata"), "{log}");
}
