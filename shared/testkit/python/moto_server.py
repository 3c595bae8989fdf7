"""EC2 and SNS on loopback by moto, closer to AWS in three points, for tests.

Prints one JSON object a line: first where it listens and what lies there, then every message that is published.
Ends when its standard input does.
"""

import hashlib
import json
import sys

import boto3
from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.responses.fleets import Fleets
from moto.server import ThreadedMotoServer
from moto.sns.models import Topic

REGION = "eu-central-1"


def say(**what):
    print(json.dumps(what), flush=True)


class Refused(EC2ClientError):
    pass


def remember_tokens():
    """CreateFleet with a known token answers what it answered, or complains when the parameters differ."""
    answers = {}
    original = Fleets.create_fleet

    def create_fleet(self):
        token = self._get_param("ClientToken")
        parameters = {k: v for k, v in sorted(self.querystring.items()) if k != "ClientToken"}
        digest = hashlib.sha256(json.dumps(parameters, default=str).encode()).hexdigest()
        if token in answers:
            seen, result = answers[token]
            if seen != digest:
                raise Refused("IdempotentParameterMismatch", "The same token with other parameters.")
            return ActionResult(result)
        answer = original(self)
        if token:
            answers[token] = (digest, getattr(answer, "result", None) or answer._result)
        return answer

    Fleets.create_fleet = create_fleet


def tell_messages():
    """Every message that is published is told on standard output."""
    original = Topic.publish

    def publish(self, message, *args, **kwargs):
        attributes = kwargs.get("message_attributes") or {}
        subject = kwargs.get("subject")
        say(topic=self.arn, subject=subject, message=message, attributes={k: v["Value"] for k, v in attributes.items()})
        return original(self, message, *args, **kwargs)

    Topic.publish = publish


def main():
    remember_tokens()
    tell_messages()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    client = lambda service: boto3.client(  # noqa: E731
        service,
        region_name=REGION,
        endpoint_url=endpoint,
        aws_access_key_id="key",
        aws_secret_access_key="secret",
    )
    ec2 = client("ec2")
    template = ec2.create_launch_template(
        LaunchTemplateName="worker",
        LaunchTemplateData={"ImageId": ec2.describe_images()["Images"][0]["ImageId"]},
    )["LaunchTemplate"]["LaunchTemplateId"]
    subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"]]
    topic = client("sns").create_topic(Name="mail")["TopicArn"]
    say(endpoint=endpoint, region=REGION, template=template, subnets=subnets, topic=topic)
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    main()
