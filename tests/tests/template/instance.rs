//! Laws of the instances: shut to the world, gone when they are done, deaf to names that users chose.

use crate::boot::{Boot, Booted, RUN, user_data};
use crate::stack::{STACK, Stack, unresolved};
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[test]
fn nothing_comes_in_and_nothing_costs_by_the_hour() {
    let stack = Stack::usual();
    let group = stack.properties("NoInbound");
    assert!(group.get("SecurityGroupIngress").is_none());
    let out = &group["SecurityGroupEgress"];
    assert_eq!((out.as_array().unwrap().len(), &out[0]["FromPort"], &out[0]["ToPort"]), (1, &json!(443), &json!(443)));
    assert_eq!(stack.of_type("AWS::EC2::NatGateway").count(), 0);
    assert!(stack.of_type("AWS::EC2::VPCEndpoint").all(|(_, endpoint)| endpoint["VpcEndpointType"] == "Gateway"));
}

#[test]
fn launch_may_use_a_subnet_in_each_zone() {
    for (zones, count) in [("3", 3), ("2", 2)] {
        let stack = Stack::with(&[("Zones", zones)]);
        let places: BTreeSet<&str> =
            stack.of_type("AWS::EC2::Subnet").map(|(_, subnet)| subnet["AvailabilityZone"].as_str().unwrap()).collect();
        let subnets: Vec<&str> = stack.of_type("AWS::EC2::Subnet").map(|(id, _)| id).collect();
        let told = &stack.properties("LaunchFunction")["Environment"]["Variables"]["DROPSCOPE_SUBNETS"];
        assert_eq!((places.len(), told), (count, &json!(subnets.join(","))));
        let routed = stack.of_type("AWS::EC2::SubnetRouteTableAssociation").map(|(_, route)| route["SubnetId"].as_str().unwrap());
        assert_eq!(routed.collect::<Vec<_>>(), subnets);
    }
}

#[test]
fn an_instance_is_encrypted_tagged_and_ends_for_good() {
    let stack = Stack::usual();
    let data = &stack.properties("LaunchTemplate")["LaunchTemplateData"];
    assert_eq!(data["InstanceInitiatedShutdownBehavior"], "terminate");
    assert_eq!(
        (&data["MetadataOptions"]["HttpTokens"], &data["MetadataOptions"]["InstanceMetadataTags"]),
        (&json!("required"), &json!("enabled"))
    );
    let disk = &data["BlockDeviceMappings"][0]["Ebs"];
    assert_eq!(
        (&disk["Encrypted"], &disk["DeleteOnTermination"], &disk["VolumeType"]),
        (&json!(true), &json!(true), &json!("gp3"))
    );
    let tagged = data["TagSpecifications"].as_array().unwrap();
    let ours = json!({"Key": "dropscope:stack", "Value": STACK});
    assert!(tagged.iter().all(|spec| spec["Tags"].as_array().unwrap().contains(&ours)));
    let kinds: Vec<&Value> = tagged.iter().map(|spec| &spec["ResourceType"]).collect();
    assert_eq!(kinds, ["instance", "volume"]);
    assert!(data.get("InstanceMarketOptions").is_none(), "a fleet takes no template that asks for spot itself");
}

#[test]
fn user_data_fits_into_16_kib_and_begins_with_the_watchdog() {
    let text = user_data(&Stack::usual());
    assert!(text.len() < 16 * 1024, "{} bytes", text.len());
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("#!/bin/bash"));
    assert_eq!(lines.next(), Some("shutdown -h +20"));
}

/// Every name that a value refers to.
fn references(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            let names = text.split("${").skip(1).filter_map(|rest| rest.split_once('}'));
            into.extend(names.map(|(name, _)| name.to_owned()).filter(|name| name.starts_with("AWS::") || !name.contains(':')));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, into)),
        Value::Object(fields) => {
            into.extend(fields.get("Ref").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|field| references(field, into));
        }
        _ => {}
    }
}

#[test]
fn user_data_is_the_same_for_every_run() {
    let user_data = &unresolved("LaunchTemplate")["Properties"]["LaunchTemplateData"]["UserData"];
    let lines = user_data["Fn::Base64"]["Fn::Join"][1].as_array().unwrap();
    // The script itself is a text that CloudFormation does not look into; what it fills in stands in the lines before.
    let mut names = BTreeSet::new();
    lines.iter().filter(|line| line.is_object()).for_each(|line| references(line, &mut names));
    let known = ["AWS::Region", "Bucket", "Door", "ExistingBucket", "LinkDays", "MailTopic", "Name"];
    assert_eq!(names.iter().map(String::as_str).collect::<Vec<_>>(), known);
}

pub(crate) fn ends_switched_off(booted: &Booted, case: &str) {
    assert_eq!(booted.calls.first().map(String::as_str), Some("shutdown -h +20"), "{case}: {:?}", booted.calls);
    assert_eq!(booted.calls.last().map(String::as_str), Some("shutdown -h now"), "{case}: {:?}", booted.calls);
    assert!(!booted.injected, "{case}");
}

#[test]
fn a_run_is_worked_off_by_its_own_user_under_its_own_watchdog() {
    let booted = Boot::of("echo at work; test -w \"$TMPDIR\" && test \"$HOME\" = \"$TMPDIR\"").run();
    ends_switched_off(&booted, "well");
    assert_eq!(booted.code, Some(0), "{}", booted.log);
    assert!(booted.called("worker work") && booted.called("runuser -u dropscope -- "), "{:?}", booted.calls);
    assert!(booted.at("shutdown -h +37").unwrap() < booted.at("aws").unwrap(), "{:?}", booted.calls);
    for line in [format!("run {RUN}, attempt 3, at most 37 minutes"), "at work".into(), "ended with code 0".into()] {
        assert!(booted.log.contains(&line), "{line}: {}", booted.log);
    }
}

#[test]
fn the_worker_is_told_where_and_nothing_else_of_the_run() {
    let script = user_data(&Stack::usual());
    for (name, value) in
        [("DROPSCOPE_BUCKET", crate::stack::BUCKET), ("DROPSCOPE_TOPIC_ARN", "MailTopic"), ("AWS_REGION", "eu-central-1")]
    {
        assert!(script.contains(&format!("export {name}='{value}'")), "{name}");
    }
    let work = "[ -n \"$DROPSCOPE_BUCKET$DROPSCOPE_TOPIC_ARN$AWS_REGION\" ] && [ -z \"${run:-}${attempt:-}${token:-}\" ]";
    assert_eq!(Boot::of(work).run().code, Some(0));
}

#[test]
fn the_log_is_uploaded_while_the_work_goes_on() {
    let booted = Boot::of("for i in 1 2 3 4 5 6 7 8; do echo step $i; /bin/sleep 0.1; done").run();
    let uploads =
        booted.calls.iter().filter(|call| call.starts_with("aws") && call.contains(&format!("/state/logs/{RUN}.3.txt"))).count();
    assert!(uploads > 2 && booted.log.contains("step 8"), "{uploads} uploads: {}", booted.log);
}

#[test]
fn whatever_fails_the_machine_is_switched_off() {
    for program in ["curl", "useradd", "chown", "aws", "runuser", "timeout", "lsblk"] {
        let booted = Boot::of("exit 0").failing(program).run();
        ends_switched_off(&booted, program);
        assert!(program == "lsblk" || !booted.called("worker"), "{program}: {:?}", booted.calls);
    }
    let booted = Boot::of("echo broken >&2; exit 3").run();
    ends_switched_off(&booted, "worker");
    assert_eq!(booted.code, Some(3));
    assert!(booted.log.contains("broken") && booted.log.contains("ended with code 3"), "{}", booted.log);
}

#[test]
fn a_machine_that_is_told_to_stop_saves_its_log_first() {
    let work = "trap '/bin/sleep 0.5; echo last words; exit 1' TERM; echo ready >> \"$STAGE/calls\"; /bin/sleep 30 & wait";
    let booted = Boot::of(work).run_until_told_to_stop();
    ends_switched_off(&booted, "told to stop");
    assert!(booted.log.contains("last words") && booted.log.contains("ended with code 143"), "{}", booted.log);
}

#[test]
fn a_program_with_another_digest_is_never_run() {
    let booted = Boot::of("exit 0").tag("program", &"0".repeat(64)).run();
    ends_switched_off(&booted, "digest");
    assert!(booted.called("aws s3 cp") && !booted.called("runuser"), "{:?}", booted.calls);
    assert!(booted.log.contains("this is not program 000"), "{}", booted.log);
}

#[test]
fn a_tag_that_could_mean_something_to_a_shell_ends_the_machine() {
    for name in ["run", "attempt", "lifetime", "program"] {
        for value in [
            "",
            "$(touch injected)",
            "`touch injected`",
            "';touch injected;'",
            "37 | touch injected",
            "37\ntouch injected",
            "a[$(touch injected)]",
            "../../recordings/x",
            "0123456789ABCDEF",
            "-h now",
            "*",
            "１２",
        ] {
            let booted = Boot::of("exit 0").tag(name, value).run();
            ends_switched_off(&booted, &format!("{name}: {value}"));
            assert!(
                !booted.called("runuser") && !booted.called("aws s3 cp --only-show-errors s3://"),
                "{name}: {:?}",
                booted.calls
            );
        }
    }
}

#[test]
fn an_instance_store_becomes_scratch_and_one_that_does_not_work_is_left_alone() {
    let listed = "/dev/nvme0n1 Amazon Elastic Block Store\n/dev/nvme1n1 Amazon EC2 NVMe Instance Storage\n";
    let booted = Boot::of("exit 0").with("disks", listed).run();
    assert!(booted.called("mkfs.xfs -q -f /dev/nvme1n1") && booted.called("mount -o noatime,nodev,nosuid /dev/nvme1n1"));
    assert!(booted.at("mount").unwrap() < booted.at("chown").unwrap(), "the new root folder needs its owner");
    let broken = Boot::of("exit 0").with("disks", listed).failing("mkfs.xfs").run();
    assert!(broken.code == Some(0) && !broken.called("mount"), "{:?}", broken.calls);
    assert!(!Boot::of("exit 0").run().called("mkfs.xfs"), "a disk of the network is not scratch");
}
