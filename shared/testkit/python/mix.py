"""Two hundred and fifty instances of every sort, in front of moto, and what has become of them.

`mix.py ENDPOINT REGION make STACK` starts them and says which are the stack's and which are not, by sort, as JSON;
`mix.py ENDPOINT REGION states` says the state of every instance, and of every persistent spot request.
"""

import json
import sys

import boto3

endpoint, region, what = sys.argv[1:4]
ec2 = boto3.client(
    "ec2", region_name=region, endpoint_url=endpoint, aws_access_key_id="key", aws_secret_access_key="secret"
)
IMAGE = ec2.describe_images()["Images"][0]["ImageId"]


def tags(pairs):
    return [{"Key": key, "Value": value} for key, value in pairs.items()]


def start(count, pairs, **how):
    """Instances with tags, each by itself or many in one reservation, as people start them."""
    if pairs:
        how["TagSpecifications"] = [{"ResourceType": "instance", "Tags": tags(pairs)}]
    answer = ec2.run_instances(ImageId=IMAGE, MinCount=count, MaxCount=count, InstanceType="m5.large", **how)
    return [instance["InstanceId"] for instance in answer["Instances"]]


def run_tags(stack, n):
    return {"dropscope:stack": stack, "dropscope:run": f"{n:016x}", "dropscope:attempt": "1"}


def persistent(count, pairs):
    """Requests that start another instance when theirs ends."""
    made = ec2.request_spot_instances(
        InstanceCount=count, Type="persistent", LaunchSpecification={"ImageId": IMAGE, "InstanceType": "m5.large"}
    )["SpotInstanceRequests"]
    ids = [request["SpotInstanceRequestId"] for request in made]
    seen = ec2.describe_spot_instance_requests(SpotInstanceRequestIds=ids)["SpotInstanceRequests"]
    instances = [request["InstanceId"] for request in seen]
    ec2.create_tags(Resources=instances + ids, Tags=tags(pairs))
    return instances


def make(stack):
    spot = {"InstanceMarketOptions": {"MarketType": "spot"}}
    ours = {
        "one-time": [i for n in range(120) for i in start(1, run_tags(stack, n), **spot)],
        "fleet": [i for n in range(45) for i in start(1, {**run_tags(stack, 500 + n), "aws:ec2:fleet-id": f"fleet-{n}"}, **spot)],
        "persistent": persistent(10, run_tags(stack, 900)),
        "on demand": [i for n in range(35) for i in start(1, run_tags(stack, 901 + n))],
        "no run": start(5, {"dropscope:stack": stack}),
        "stopped": start(5, {"dropscope:stack": stack}),
    }
    theirs = {
        "another stack": start(10, run_tags("another", 1)),
        "like ours": start(5, {"dropscope:stack": stack + "x", "Dropscope:Stack": stack, "stack": stack}),
        "no tag": start(5, {}),
        "spot of others": start(5, {"Name": "a"}, **spot),
        "persistent of others": persistent(5, {"dropscope:stack": "another"}),
    }
    ec2.stop_instances(InstanceIds=ours["stopped"])
    return {"ours": ours, "theirs": theirs}


def states():
    pages = ec2.get_paginator("describe_instances").paginate(PaginationConfig={"PageSize": 100})
    found = {i["InstanceId"]: i["State"]["Name"] for page in pages for r in page["Reservations"] for i in r["Instances"]}
    requests = ec2.describe_spot_instance_requests()["SpotInstanceRequests"]
    return {"instances": found, "requests": {r["InstanceId"]: r["State"] for r in requests if r.get("InstanceId") and r["Type"] == "persistent"}}


print(json.dumps(make(sys.argv[4]) if what == "make" else states()))
