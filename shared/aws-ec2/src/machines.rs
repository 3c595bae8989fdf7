//! The switch for emergencies: everything that carries the tag of the stack, and how each of it ends (EC2 user guide: ending
//! instances, stopping them, cancelling spot requests).

use crate::errors::sorted;
use crate::tags;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ec2::types::{Filter, InstanceLifecycleType, InstanceStateName};
use dropscope_ports::{FleetError, Machine, MachineKind};
use std::collections::BTreeMap;

/// Instances told in one answer. A request that does not say may be answered in one, which times out for many.
const PAGE: i32 = 100;
/// States in which an instance costs money, by itself or by its disk.
const COSTLY: [&str; 4] = ["pending", "running", "stopping", "stopped"];

fn filter(name: &str, values: &[&str]) -> Filter {
    Filter::builder().name(name).set_values(Some(values.iter().map(|value| (*value).to_owned()).collect())).build()
}

/// Everything of the stack that costs money, whether its tags name a run or not.
pub(crate) async fn of_stack(client: &Client, stack: &str) -> Result<Vec<Machine>, FleetError> {
    let call = client.describe_instances().max_results(PAGE);
    let call = call.filters(filter(&format!("tag:{}", tags::STACK), &[stack])).filters(filter("instance-state-name", &COSTLY));
    let mut pages = call.into_paginator().send();
    let mut machines = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| sorted("describe_instances", "", error))?;
        for described in page.reservations().iter().flat_map(|reservation| reservation.instances()) {
            let Some(id) = described.instance_id() else { continue };
            let spot = described.instance_lifecycle() == Some(&InstanceLifecycleType::Spot);
            let state = described.state().and_then(|state| state.name());
            let resting = matches!(state, Some(InstanceStateName::Stopping | InstanceStateName::Stopped));
            let kind = if spot { MachineKind::Spot } else { MachineKind::OnDemand };
            machines.push(Machine { id: id.to_owned(), kind, resting });
        }
    }
    if machines.iter().any(|machine| machine.kind == MachineKind::Spot) {
        let requests = persistent(client).await.unwrap_or_else(|error| {
            // Better one that comes back, and is found by the next look, than none that is ended.
            tracing::error!(%error, "persistent spot requests cannot be listed");
            BTreeMap::new()
        });
        for machine in &mut machines {
            if let Some(request) = requests.get(&machine.id) {
                machine.kind = MachineKind::Persistent { request: request.clone() };
            }
        }
    }
    Ok(machines)
}

/// Requests of this account that start another instance when theirs ends, by instance.
async fn persistent(client: &Client) -> Result<BTreeMap<String, String>, FleetError> {
    let call = client.describe_spot_instance_requests().max_results(PAGE);
    let call = call.filters(filter("type", &["persistent"])).filters(filter("state", &["open", "active", "disabled"]));
    let mut pages = call.into_paginator().send();
    let mut requests = BTreeMap::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| sorted("describe_spot_instance_requests", "", error))?;
        let pairs = page.spot_instance_requests().iter().filter_map(|r| Some((r.instance_id()?, r.spot_instance_request_id()?)));
        requests.extend(pairs.map(|(instance, request)| (instance.to_owned(), request.to_owned())));
    }
    Ok(requests)
}

/// Ends a machine, or stops one that is paid on demand when it may `rest`.
pub(crate) async fn halt(client: &Client, machine: &Machine, rest: bool) -> Result<(), FleetError> {
    match &machine.kind {
        MachineKind::OnDemand if rest => {
            let stopped = client.stop_instances().instance_ids(&machine.id).send().await;
            unless_gone("stop_instances", stopped)
        }
        MachineKind::Persistent { request } => {
            // First the request: else it starts another one as soon as this one ends.
            let cancelled = client.cancel_spot_instance_requests().spot_instance_request_ids(request).send().await;
            cancelled.map_err(|error| sorted("cancel_spot_instance_requests", "", error))?;
            terminate(client, &machine.id).await
        }
        MachineKind::Spot | MachineKind::OnDemand => terminate(client, &machine.id).await,
    }
}

/// Ends one instance.
pub(crate) async fn terminate(client: &Client, instance: &str) -> Result<(), FleetError> {
    unless_gone("terminate_instances", client.terminate_instances().instance_ids(instance).send().await)
}

fn unless_gone<T, E>(call: &'static str, answer: Result<T, SdkError<E>>) -> Result<(), FleetError>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match answer {
        Ok(_) => Ok(()),
        Err(error) if error.code().is_some_and(|code| code.starts_with("InvalidInstanceID")) => Ok(()),
        Err(error) => Err(sorted(call, "", error)),
    }
}
