//! One spot instance for one attempt: `CreateFleet` of type `instant` (EC2 user guide, instant-fleet).

use crate::errors::{pools, sorted};
use crate::machines;
use crate::prices::{self, Architecture};
use crate::tags;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{
    DefaultTargetCapacityType, Filter, FleetLaunchTemplateConfigRequest, FleetLaunchTemplateOverridesRequest,
    FleetLaunchTemplateSpecificationRequest, FleetOnDemandAllocationStrategy, FleetType, InstanceType, OnDemandOptionsRequest,
    SpotAllocationStrategy, SpotInstanceInterruptionBehavior, SpotOptionsRequest, TargetCapacitySpecificationRequest,
};
use dropscope_pipeline::Market;
use dropscope_pipeline::instance::Offer;
use dropscope_ports::clock::SystemClock;
use dropscope_ports::{Clock, Fleet, FleetError, Instance, InstanceState, LaunchRequest, Machine};

/// The instances of one stack.
#[derive(Debug, Clone)]
pub struct Ec2Fleet {
    client: Client,
    stack: String,
    launching: Option<Launching>,
}

/// What a launch needs besides the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launching {
    /// Id of the launch template, whose newest version holds.
    pub template: String,
    /// Subnets, one a zone.
    pub subnets: Vec<String>,
    /// Digest of the program that the instance runs.
    pub program: String,
}

impl Ec2Fleet {
    /// The instances that carry the tag of `stack`; they can be listed and ended.
    pub fn new(sdk: &aws_config::SdkConfig, stack: impl Into<String>) -> Self {
        Self { client: Client::new(sdk), stack: stack.into(), launching: None }
    }

    /// The same, able to launch.
    #[must_use]
    pub fn launching(self, launching: Launching) -> Self {
        Self { launching: Some(launching), ..self }
    }

    /// Instances of this stack that match further tags.
    async fn tagged(&self, further: &[(&str, String)]) -> Result<Vec<Instance>, FleetError> {
        let filter = |name: &str, value: &str| Filter::builder().name(format!("tag:{name}")).values(value).build();
        let call = self.client.describe_instances().filters(filter(tags::STACK, &self.stack));
        let call = further.iter().fold(call, |call, (name, value)| call.filters(filter(name, value)));
        let mut pages = call.into_paginator().send();
        let mut instances = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| sorted("describe_instances", "", error))?;
            let described = page.reservations().iter().flat_map(|reservation| reservation.instances());
            for described in described {
                match tags::instance(described) {
                    Some(instance) => instances.push(instance),
                    // Started by hand from the stack's template: it costs money, and nobody here knows what for.
                    None => tracing::warn!(id = described.instance_id(), "an instance of this stack names no run"),
                }
            }
        }
        Ok(instances)
    }

    async fn create(&self, launching: &Launching, request: &LaunchRequest) -> Result<Instance, FleetError> {
        let template =
            FleetLaunchTemplateSpecificationRequest::builder().launch_template_id(&launching.template).version("$Latest").build();
        let config = FleetLaunchTemplateConfigRequest::builder()
            .launch_template_specification(template)
            .set_overrides(Some(overrides(launching, request)))
            .build();
        let capacity = TargetCapacitySpecificationRequest::builder().total_target_capacity(1);
        let spot = SpotOptionsRequest::builder()
            .allocation_strategy(SpotAllocationStrategy::PriceCapacityOptimized)
            .instance_interruption_behavior(SpotInstanceInterruptionBehavior::Terminate)
            .build();
        let call = self
            .client
            .create_fleet()
            .r#type(FleetType::Instant)
            .client_token(&request.token)
            .launch_template_configs(config)
            .set_tag_specifications(Some(tags::specifications(&self.stack, &launching.program, request).into()));
        let call = match request.market {
            Market::Spot => call
                .target_capacity_specification(capacity.default_target_capacity_type(DefaultTargetCapacityType::Spot).build())
                .spot_options(spot),
            Market::OnDemand => call
                .target_capacity_specification(capacity.default_target_capacity_type(DefaultTargetCapacityType::OnDemand).build())
                .on_demand_options(cheapest()),
        };
        let created = call.send().await.map_err(|error| sorted("create_fleet", &request.token, error))?;
        let started = created.instances().iter().find_map(|instance| Some((instance.instance_ids().first()?, instance)));
        let Some((id, instance)) = started else { return Err(pools("create_fleet", &request.token, created.errors())) };
        Ok(Instance {
            id: id.clone(),
            run: request.run.clone(),
            attempt: request.attempt,
            instance_type: instance.instance_type().map(|kind| kind.as_str().to_owned()).unwrap_or_default(),
            state: InstanceState::Alive,
            launched_at: SystemClock.now(),
        })
    }
}

/// On demand the cheapest type is tried first; there is no interruption to choose.
fn cheapest() -> OnDemandOptionsRequest {
    OnDemandOptionsRequest::builder().allocation_strategy(FleetOnDemandAllocationStrategy::LowestPrice).build()
}

/// Every type in every subnet; on spot each at its ceiling, which is the price on demand.
fn overrides(launching: &Launching, request: &LaunchRequest) -> Vec<FleetLaunchTemplateOverridesRequest> {
    let ceiling = |offer: &Offer| (request.market == Market::Spot).then(|| prices::ceiling(offer.usd_per_hour));
    let of = |offer: &Offer, subnet: &String| {
        FleetLaunchTemplateOverridesRequest::builder()
            .instance_type(InstanceType::from(offer.instance_type.as_str()))
            .subnet_id(subnet)
            .set_max_price(ceiling(offer))
            .build()
    };
    request.offers.iter().flat_map(|offer| launching.subnets.iter().map(move |subnet| of(offer, subnet))).collect()
}

#[async_trait::async_trait]
impl Fleet for Ec2Fleet {
    async fn offers(&self) -> Result<Vec<Offer>, FleetError> {
        Ok(prices::offers(Architecture::OWN))
    }

    async fn launch(&self, request: &LaunchRequest) -> Result<Instance, FleetError> {
        let refused = |why: &'static str| FleetError::Refused { call: "create_fleet", source: why.into() };
        let launching = self.launching.as_ref().ok_or_else(|| refused("this function may not launch"))?;
        // The token makes a repeat harmless only while EC2 remembers it; the tags stay as long as the instance is seen.
        let attempt = [(tags::RUN, request.run.to_string()), (tags::ATTEMPT, request.attempt.to_string())];
        if let Some(earlier) = self.tagged(&attempt).await?.into_iter().max_by_key(|i| i.state == InstanceState::Alive) {
            return alive(earlier, request);
        }
        let created = self.create(launching, request).await?;
        // A repeated token gives the instance that it gave before, which may have ended; a new one is not seen at once.
        let again = self.tagged(&attempt).await?.into_iter().find(|instance| instance.id == created.id);
        alive(again.unwrap_or(created), request)
    }

    async fn list(&self) -> Result<Vec<Instance>, FleetError> {
        self.tagged(&[]).await
    }

    async fn terminate(&self, instance: &str) -> Result<(), FleetError> {
        machines::terminate(&self.client, instance).await
    }

    async fn machines(&self) -> Result<Vec<Machine>, FleetError> {
        machines::of_stack(&self.client, &self.stack).await
    }

    async fn halt(&self, machine: &Machine, rest: bool) -> Result<(), FleetError> {
        machines::halt(&self.client, machine, rest).await
    }
}

fn alive(instance: Instance, request: &LaunchRequest) -> Result<Instance, FleetError> {
    match instance.state {
        InstanceState::Alive => Ok(instance),
        InstanceState::Resting | InstanceState::Ended => Err(FleetError::TokenSpent(request.token.clone())),
    }
}
