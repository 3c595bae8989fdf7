"""EC2 on loopback by moto, whose instances really boot: see instance.py.

Usage: ec2.py PORT WORKER STACK AWS FOLDER
WORKER is HOST:PORT of the services as an instance may reach them, STACK that of the events, AWS the program `aws`, FOLDER
where `fleet.json` asks for faults (`{"no_capacity": 2}`: so many launches of the run that asks next find none) and
`ended.jsonl` tells of every end.
"""

import base64
import json
import os
import subprocess
import sys
import threading
import time
import uuid
from datetime import UTC, datetime

import boto3

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../shared/testkit/python"))

from instance import Instance  # noqa: E402
from moto.core.responses import ActionResult  # noqa: E402
from moto.ec2.models.instances import InstanceBackend  # noqa: E402
from moto.ec2.responses.fleets import Fleets  # noqa: E402
from moto.server import ThreadedMotoServer  # noqa: E402
from moto_server import Refused, remember_tokens  # noqa: E402

REGION, ACCOUNT = "eu-central-1", "111122223333"
# Seconds between the answer to a launch and the boot.
TO_BOOT = 0.5

port, worker, stack, aws, folder = sys.argv[1:]
running: dict[str, Instance] = {}


def text_of(user_data) -> bytes:
    """User data as the instance gets it: they come encoded once."""
    return base64.b64decode(str(user_data or ""))


def lost(backend: InstanceBackend, described) -> callable:
    def lasts(instance: Instance) -> None:
        if described._state.name != "terminated":
            described.terminate()
        record = {"id": described.id, "network": instance.name, "why": instance.why, "console": instance.console()}
        with open(os.path.join(folder, "ended.jsonl"), "a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
        tell("terminated", described.id)

    return lasts


def tell(state: str, instance: str) -> None:
    """What EventBridge says of an instance (EC2 user guide, monitoring-instance-state-changes). Nobody but AWS may put such an
    event, so each rule is asked whether it fits, and its targets are called."""
    event = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "EC2 Instance State-change Notification",
        "source": "aws.ec2",
        "account": ACCOUNT,
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": [f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/{instance}"],
        "detail": {"instance-id": instance, "state": state},
    }
    text = json.dumps(event)
    events, functions = (boto3.client(name, endpoint_url=f"http://{stack}", region_name=REGION) for name in ("events", "lambda"))
    for rule in events.list_rules()["Rules"]:
        pattern = rule.get("EventPattern")
        if pattern and events.test_event_pattern(EventPattern=pattern, Event=text)["Result"]:
            for target in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]:
                functions.invoke(FunctionName=target["Arn"], InvocationType="Event", Payload=text)


def boot(backend: InstanceBackend, described) -> None:
    # Terminated before its power came on.
    if described._state.name == "terminated":
        return
    tags = {tag["key"]: tag["value"] for tag in described.get_tags()}
    facts = {
        "instance_id": described.id,
        "instance_type": described.instance_type,
        "region": REGION,
        "role": "worker",
        "access_key": "ASIAWORKER",
        "tags": tags,
    }
    with open(os.path.join(folder, "instances.jsonl"), "a", encoding="utf-8") as file:
        file.write(json.dumps({"id": described.id, "tags": tags, "type": described.instance_type, "at": time.time()}) + "\n")
    running[described.id] = Instance(facts, text_of(described.user_data), worker, aws, folder, lost(backend, described))


def play_instances() -> None:
    """What moto starts boots; what it terminates loses its power; what is spot cannot be stopped."""
    start, end = InstanceBackend.run_instances, InstanceBackend.terminate_instances

    def run_instances(self, *args, **kwargs):
        reservation = start(self, *args, **kwargs)
        for described in reservation.instances:
            if len(text_of(described.user_data)) > 16384:
                raise Refused("InvalidParameterValue", "User data is limited to 16384 bytes")
            threading.Timer(TO_BOOT, boot, (self, described)).start()
        return reservation

    def terminate_instances(self, ids):
        for name in ids:
            if name in running:
                running[name].end("was terminated")
        return end(self, ids)

    def stop_instances(self, ids):
        raise Refused("UnsupportedOperation", f"You can't stop the Spot Instance '{ids[0]}'")

    InstanceBackend.run_instances = run_instances
    InstanceBackend.terminate_instances = terminate_instances
    InstanceBackend.stop_instances = stop_instances


def run_of(querystring: dict) -> str:
    """The run that a launch is for."""
    said = {name: str(value[0] if isinstance(value, list) else value) for name, value in querystring.items()}
    keys = [name for name, value in said.items() if name.endswith(".Key") and value == "dropscope:run"]
    return said[keys[0].removesuffix("Key") + "Value"] if keys else ""


def find_none() -> None:
    """So many launches as `fleet.json` asks for find no capacity: HTTP 200, errors, no instance. All of them are of one run."""
    path = os.path.join(folder, "fleet.json")
    original = Fleets.create_fleet
    lock = threading.Lock()

    def create_fleet(self):
        with lock:
            said = json.load(open(path, encoding="utf-8")) if os.path.exists(path) else {}
            run = run_of(self.querystring)
            if said.get("no_capacity", 0) > 0 and said.setdefault("run", run) == run:
                said["no_capacity"] -= 1
                with open(path, "w", encoding="utf-8") as file:
                    json.dump(said, file)
                codes = ["InsufficientInstanceCapacity", "UnfulfillableCapacity"]
                errors = [{"Lifecycle": "spot", "ErrorCode": code, "ErrorMessage": "no Spot capacity"} for code in codes]
                return ActionResult({"FleetId": f"fleet-{uuid.uuid4()}", "Errors": errors, "Instances": []})
        return original(self)

    Fleets.create_fleet = create_fleet


def main() -> None:
    play_instances()
    find_none()
    # Last, so that a token is answered with what it was answered before, nothing included.
    remember_tokens()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=int(port), verbose=False)
    server.start()
    print("listening", flush=True)
    sys.stdin.read()
    for instance in list(running.values()):
        instance.end("the world ends")
    for instance in list(running.values()):
        # Its network goes with it.
        instance.life.join(timeout=20)
    server.stop()


if __name__ == "__main__":
    main()
