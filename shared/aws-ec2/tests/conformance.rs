//! The fleet on EC2 keeps the laws that every fleet keeps, in front of moto.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use aws_sdk_ec2::config::{Credentials, Region, SharedCredentialsProvider};
use dropscope_aws_ec2::{Architecture, Ec2Fleet, Launching, offers};
use dropscope_ports::{Fleet, FleetError, InstanceState, LaunchRequest, Machine, MachineKind};
use dropscope_testkit::conformance;
use dropscope_testkit::moto::Moto;

async fn fleet(moto: &Moto, stack: &str) -> Ec2Fleet {
    let place = &moto.place;
    let sdk = dropscope_aws::sdk()
        .await
        .into_builder()
        .endpoint_url(&place.endpoint)
        .region(Region::new(place.region.clone()))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("key", "secret", None, None, "test")))
        .build();
    Ec2Fleet::new(&sdk, stack).launching(Launching {
        template: place.template.clone(),
        subnets: place.subnets.clone(),
        program: "0".repeat(64),
    })
}

#[tokio::test]
async fn the_fleet_on_ec2_keeps_the_laws_of_fleets() {
    let moto = Moto::start().unwrap();
    let fleet = fleet(&moto, "lab").await;
    conformance::fleet(&fleet, &"0123456789abcdef".parse().unwrap()).await.unwrap();
}

#[tokio::test]
async fn another_stack_is_never_seen() {
    let moto = Moto::start().unwrap();
    let (ours, theirs) = (fleet(&moto, "ours").await, fleet(&moto, "theirs").await);
    let request = LaunchRequest {
        token: "0123456789abcdef.1".into(),
        run: "0123456789abcdef".parse().unwrap(),
        attempt: 1,
        owner: "$(touch x)'\";& ána".into(),
        market: dropscope_pipeline::Market::Spot,
        offers: offers(Architecture::X86).into_iter().take(3).collect(),
        lifetime_seconds: 90,
    };
    let launched = theirs.launch(&request).await.unwrap();
    assert!(ours.list().await.unwrap().is_empty());
    let seen = theirs.list().await.unwrap();
    assert_eq!((seen.len(), &seen[0].id, seen[0].attempt), (1, &launched.id, 1));
}

#[tokio::test]
async fn an_instance_on_demand_is_no_spot_and_rests_when_somebody_stops_it() {
    let moto = Moto::start().unwrap();
    let fleet = fleet(&moto, "lab").await;
    let request = LaunchRequest {
        token: "0123456789abcdef.1".into(),
        run: "0123456789abcdef".parse().unwrap(),
        attempt: 1,
        owner: "ana".into(),
        market: dropscope_pipeline::Market::OnDemand,
        offers: offers(Architecture::X86).into_iter().take(3).collect(),
        lifetime_seconds: 90,
    };
    let launched = fleet.launch(&request).await.unwrap();
    let machines = fleet.machines().await.unwrap();
    assert_eq!(machines, [Machine { id: launched.id.clone(), kind: MachineKind::OnDemand, resting: false }]);
    fleet.halt(&machines[0], true).await.unwrap();
    let seen = fleet.list().await.unwrap();
    assert_eq!((seen[0].id.as_str(), seen[0].state), (launched.id.as_str(), InstanceState::Resting));
    assert!(matches!(fleet.launch(&request).await, Err(FleetError::TokenSpent(_))), "it works no more");
}

#[tokio::test]
async fn what_vanished_is_halted_already() {
    let moto = Moto::start().unwrap();
    let fleet = fleet(&moto, "lab").await;
    for kind in [MachineKind::Spot, MachineKind::OnDemand] {
        let gone = Machine { id: "i-0123456789abcdef0".into(), kind, resting: false };
        fleet.halt(&gone, true).await.unwrap();
    }
}

#[tokio::test]
async fn a_template_that_is_not_there_is_refused_for_good() {
    let moto = Moto::start().unwrap();
    let fleet = fleet(&moto, "lab").await.launching(Launching {
        template: "lt-00000000000000000".into(),
        subnets: moto.place.subnets.clone(),
        program: "0".repeat(64),
    });
    let request = LaunchRequest {
        token: "t".into(),
        run: "0123456789abcdef".parse().unwrap(),
        attempt: 1,
        owner: String::new(),
        market: dropscope_pipeline::Market::Spot,
        offers: offers(Architecture::X86),
        lifetime_seconds: 90,
    };
    let refused = fleet.launch(&request).await;
    assert!(matches!(refused, Err(FleetError::Refused { .. })), "{refused:?}");
}
