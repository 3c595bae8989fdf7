"""Whether each role may do just what its program does: recorded calls against the policies that were deployed.

The judge is Principal Mapper's simulation of IAM. What a call needs is said here, from the service authorization reference
and the user guides; what EC2 does on behalf of CreateFleet is spelt out, since no emulator asks for it.
"""

import collections
import collections.abc
import json
import urllib.parse

# The judge was written for a Python in which these had another place.
for name in ("Mapping", "MutableMapping"):
    setattr(collections, name, getattr(collections.abc, name))

from principalmapper.querying.local_policy_simulation import policy_has_matching_statement  # noqa: E402
from principalmapper.util.case_insensitive_dict import CaseInsensitiveDict  # noqa: E402

NO_VERSION = "the emulator's events name no version, those of S3 do"
# Allowed, and used by no recorded call: (role, statement, action) with its reason, `*` for any. One that a call uses in
# every place that it excuses, or that excuses nothing, is refused.
REASONS = {
    ("*", "OwnLog", "*"): "AWS Lambda writes the log with the role of the function; the emulator does not",
    ("*", "TellOfFailure", "*"): "AWS Lambda sends the record of a failed call with the role of the function; none failed",
    ("Launch", "Take", "*"): "the event source mapping polls the queue with the role of the function; the emulator does it alone",
    ("Launch", "FirstSpotOfTheAccount", "*"): "EC2 makes its own roles once in an account's life",
    # Validate asks for the version by itself where an event names none.
    ("Gif", "Recordings", "s3:GetObjectVersion"): NO_VERSION,
    ("Summary", "Recordings", "s3:GetObjectVersion"): NO_VERSION,
    ("Worker", "Recordings", "s3:GetObjectVersion"): NO_VERSION,
    ("Worker", "Results", "s3:AbortMultipartUpload"): "clears an upload in parts that failed; files of these runs go whole",
    ("BudgetAlert", "EndOwnInstances", "ec2:StopInstances"): "stops what somebody started on demand with the stack's tag; nobody does here",
    ("BudgetAlert", "CancelOwnRequests", "*"): "cancels a persistent request that somebody made with the stack's tag; nobody does here",
    ("Worker", "Checkpoints", "*"): "clears the checkpoints of a run of more than ten minutes; these are shorter",
    ("Reconcile", "EndOwnInstances", "*"): "ends an instance half an hour beyond its lifetime, when its own watchdog has failed",
}
# The same, of calls that some walks see and others do not.
CHANCE = {
    ("BudgetAlert", "SeeInstances", "ec2:DescribeSpotInstanceRequests"): "looks for persistent requests while a spot instance runs",
    ("Reconcile", "Begun", "*"): "looks whether a folder that still gathers has begun; one with a recording.toml may be done before",
    ("Reconcile", "Mail", "*"): "sends the mail of a run whose own sender was late or died",
}


class Judge:
    """Policies of roles, and what was used of them."""

    def __init__(self, policies: dict[str, list[dict]], world: dict):
        """`policies`: role → statements. `world`: account, region, stack, ids that stand for others, tags of instances."""
        self.policies, self.world = policies, world
        self.used: set[tuple[str, str, str]] = set()
        self.denied: dict[tuple, dict] = {}
        self.unknown: dict[str, dict] = {}

    def hear(self, call: dict) -> None:
        """Judges one recorded call."""
        needs = self.needs(call)
        if needs is None:
            self.unknown.setdefault(f"{call['role']}: {call['service']} {call['method']}", call)
        for action, resource, context in needs or []:
            if not self.allows(call["role"], action, resource, context):
                self.denied.setdefault((call["role"], action, resource), call)

    def allows(self, role: str, action: str, resource: str, context: dict) -> bool:
        given = CaseInsensitiveDict(context)
        allowed = False
        for statement in self.policies.get(role, []):
            if policy_has_matching_statement({"Statement": [statement]}, "Allow", action, resource, given):
                self.used.add((role, statement["Sid"], action))
                allowed = True
        return allowed

    def needs(self, call: dict) -> list[tuple[str, str, dict]] | None:
        if call["status"] == 503:
            return []
        if call["service"] == "s3":
            return self.of_s3(call)
        said = call.get("parameters", {})
        match call["service"], said.get("Action"):
            case "sns", "Publish":
                return [("sns:Publish", said["TopicArn"], {})]
            case "ec2", "DescribeInstances" | "DescribeSpotInstanceRequests" as action:
                return [(f"ec2:{action}", "*", {})]
            case "ec2", "CancelSpotInstanceRequests":
                # The emulator takes the requests of a fleet for persistent ones; those of EC2 are one-time, and not cancelled.
                return []
            case "ec2", "TerminateInstances":
                ids = [value for name, value in said.items() if name.startswith("InstanceId.")]
                return [("ec2:TerminateInstances", self.ec2(f"instance/{i}"), self.tags_of(i)) for i in ids]
            case "ec2", "CreateFleet":
                return self.of_fleet(said)
        return None

    def of_s3(self, call: dict) -> list[tuple[str, str, dict]] | None:
        path, _, query = call["path"].partition("?")
        asked = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        # The judge's `*` stands for anything but the end of a line, that of IAM for anything.
        bucket, _, key = urllib.parse.unquote(path.lstrip("/")).replace("\n", " ").partition("/")
        whole, thing = f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/{key}"
        listing = ("s3:ListBucket", whole, {"s3:prefix": asked.get("prefix", "")})
        match call["method"]:
            case "GET" if not key:
                return [listing]
            case "GET" | "HEAD":
                read = "s3:GetObjectVersion" if "versionId" in asked else "s3:GetObject"
                # 404 is for those who may list; to all others a missing object is forbidden.
                return [(read, thing, {})] + ([listing] if call["status"] == 404 else [])
            case "PUT" | "POST":
                return [("s3:PutObject", thing, {})] + ([("s3:GetObject", thing, {})] if call.get("if_match") else [])
            case "DELETE":
                return [("s3:AbortMultipartUpload" if "uploadId" in asked else "s3:DeleteObject", thing, {})]
        return None

    def of_fleet(self, said: dict) -> list[tuple[str, str, dict]]:
        """CreateFleet, and what EC2 does for it with its caller's rights (EC2 user guide, ec2-fleet-prerequisites; service
        authorization reference, RunInstances)."""
        template = self.world["templates"][self.one(said, "LaunchTemplateId")]
        subnets = {self.world["subnets"][v] for n, v in said.items() if n.endswith(".SubnetId")}
        tags = {f"aws:RequestTag/{key}": value for key, value in self.tags_said(said).items()}
        from_template = {"ec2:LaunchTemplate": self.ec2(f"launch-template/{template['id']}")}
        born = lambda creation: tags | {"ec2:CreateAction": creation}  # noqa: E731
        needs = [("ec2:CreateFleet", self.ec2("fleet/fleet-1"), tags)]
        needs += [("ec2:CreateTags", self.ec2("fleet/fleet-1"), born("CreateFleet"))]
        ours = ["instance/i-1", "volume/vol-1", "network-interface/eni-1", "spot-instances-request/sir-1"]
        ours += [f"subnet/{subnet}" for subnet in subnets] + [f"launch-template/{template['id']}"]
        ours += [f"security-group/{group}" for group in template["groups"]]
        needs += [("ec2:RunInstances", self.ec2(thing), tags | from_template) for thing in ours]
        image = f"arn:aws:ec2:{self.world['region']}::image/ami-1"
        needs += [("ec2:RunInstances", image, from_template | {"ec2:Owner": "amazon"})]
        # The request tags the instance, the template its volume, with the stack's tag alone.
        needs += [("ec2:CreateTags", self.ec2(thing), born("RunInstances")) for thing in ("instance/i-1", "volume/vol-1")]
        needs += [("iam:PassRole", template["role"], {"iam:PassedToService": "ec2.amazonaws.com"})]
        parameter = template["image"].removeprefix("resolve:ssm:")
        return needs + [("ssm:GetParameters", f"arn:aws:ssm:{self.world['region']}::parameter{parameter}", {})]

    @staticmethod
    def one(said: dict, name: str) -> str:
        return next(value for key, value in said.items() if key.endswith(f".{name}"))

    @staticmethod
    def tags_said(said: dict) -> dict[str, str]:
        keys = [key for key in said if key.startswith("TagSpecification.1.Tag.") and key.endswith(".Key")]
        return {said[key]: said.get(key[: -len("Key")] + "Value", "") for key in keys}

    def tags_of(self, instance: str) -> dict[str, str]:
        return {f"aws:ResourceTag/{key}": value for key, value in self.world["instances"].get(instance, {}).items()}

    def ec2(self, thing: str) -> str:
        return f"arn:aws:ec2:{self.world['region']}:{self.world['account']}:{thing}"

    def verdict(self) -> list[str]:
        """Everything that is wrong."""
        wrong = [f"{role} may not {action} {resource}: {json.dumps(call)[:300]}" for (role, action, resource), call in self.denied.items()]
        wrong += [f"nobody says what this call needs: {json.dumps(call)[:300]}" for call in self.unknown.values()]
        held = set()
        for role, statements in self.policies.items():
            for statement in statements:
                held |= {(role, statement["Sid"], action) for action in listed(statement["Action"])}
        fits = lambda held, reason: all(said in ("*", is_) for said, is_ in zip(reason, held, strict=True))  # noqa: E731
        for role, sid, action in sorted(held - self.used):
            if not any(fits((role, sid, action), reason) for reason in REASONS | CHANCE):
                wrong.append(f"{role}, {sid}: {action} is allowed, and nobody knows what for")
        for reason in REASONS:
            if all(one in self.used for one in held if fits(one, reason)):
                wrong.append(f"{reason} excuses nothing: {REASONS[reason]}")
        return wrong


def listed(value) -> list:
    return value if isinstance(value, list) else [value]
