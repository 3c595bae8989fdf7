"""The deployed stack: brought to the services by the program itself, and wired to the recorder."""

import json

import boto3
from roles import listed
from world import ACCOUNT, REGION, ROLES, World, ask

# Seconds for a deploy that has nothing to build, many times over.
LONGEST = 1800


class Stack:
    """One deployment of template.yaml."""

    NAME = "lab"

    def __init__(self, world: World, dropscope: str, source: str, built: str, environment: dict[str, str]):
        self.world = world
        # Budgets are not among what the emulator's CloudFormation knows.
        words = [dropscope, "deploy", "--source", source, "--stack", self.NAME, "--email", "lab@example.org", "--cap", "500"]
        words += ["--set", "AccountBudgetUsd=0", "--set", "MaxInstances=20", "--yes"]
        # Without programs that are built already it builds them.
        words += ["--programs", built] if built else []
        told = ask(words, environment, LONGEST)
        if told.returncode:
            raise RuntimeError(f"the stack cannot be deployed: {told.stdout}{told.stderr[-4000:]}")
        self.said = told.stdout
        listing = world.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=self.NAME)
        self.ids = {r["LogicalResourceId"]: r["PhysicalResourceId"] for page in listing for r in page["StackResourceSummaries"]}
        described = world.client("cloudformation").describe_stacks(StackName=self.NAME)["Stacks"][0]
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
        self.bucket = self.outputs["BucketName"]
        self.template, self.beside = self.copy_to_ec2()
        self.wire()
        self.mail, self.came = self.subscribe(), []

    def copy_to_ec2(self) -> tuple[str, dict]:
        """The launch template as it was deployed, where instances are started; and what its copy stands for."""
        here = self.of_stack("ec2")
        versions = here.describe_launch_template_versions(LaunchTemplateId=self.ids["LaunchTemplate"], Versions=["$Latest"])
        data = versions["LaunchTemplateVersions"][0]["LaunchTemplateData"]
        ec2 = self.world.client("ec2")
        image = ec2.describe_images()["Images"][0]["ImageId"]
        made = {"ImageId": image, "UserData": data["UserData"], "TagSpecifications": data.get("TagSpecifications", [])}
        copy = ec2.create_launch_template(LaunchTemplateName="worker", LaunchTemplateData=made)["LaunchTemplate"]["LaunchTemplateId"]
        subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"]][:3]
        own = [self.ids[name] for name in ("SubnetA", "SubnetB", "SubnetC")]
        role = self.of_stack("iam").get_role(RoleName=self.ids["WorkerRole"])["Role"]["Arn"]
        group = self.ids["NoInbound"]
        original = {"id": self.ids["LaunchTemplate"], "groups": [group], "role": role, "image": data["ImageId"]}
        return copy, {"templates": {copy: original}, "subnets": dict(zip(subnets, own, strict=True)), "data": data}

    def of_stack(self, service: str):
        """A client of the services' own EC2 and IAM, where CloudFormation made what it made."""
        return boto3.client(service, endpoint_url=f"http://{self.world.stack}", region_name=REGION)

    def wire(self) -> None:
        """Tells every function where the services are: each has its own address at the recorder."""
        functions = self.world.client("lambda")
        for role in ROLES:
            if role == "Worker":
                continue
            port = self.world.ports[role]
            name = self.ids[f"{role}Function"]
            variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
            variables["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{port}"
            if role == "Launch":
                variables["DROPSCOPE_LAUNCH_TEMPLATE"] = self.template
                variables["DROPSCOPE_SUBNETS"] = ",".join(self.beside["subnets"])
            functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})

    def subscribe(self) -> str:
        """A queue that gets every mail."""
        queues = self.world.client("sqs")
        url = queues.create_queue(QueueName="mails")["QueueUrl"]
        arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:mails"
        self.world.client("sns").subscribe(TopicArn=self.outputs["MailTopicArn"], Protocol="sqs", Endpoint=arn)
        return url

    def mails(self) -> list[dict]:
        """Every mail that came so far."""
        queues = self.world.client("sqs")
        while messages := queues.receive_message(QueueUrl=self.mail, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                self.came.append(json.loads(message["Body"]))
                queues.delete_message(QueueUrl=self.mail, ReceiptHandle=message["ReceiptHandle"])
        return self.came

    def policies(self) -> dict[str, list[dict]]:
        """Role → statements, as they were deployed."""
        iam, found = self.of_stack("iam"), {}
        for role in ROLES:
            name = self.ids[f"{role}Role"]
            documents = []
            for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
                document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
                documents.append(json.loads(document) if isinstance(document, str) else document)
            found[role] = [statement for document in documents for statement in listed(document["Statement"])]
        return found

    def depth(self, output: str) -> int:
        """Messages in a queue of the stack."""
        asked = self.world.client("sqs").get_queue_attributes(QueueUrl=self.outputs[output], AttributeNames=["All"])
        return int(asked["Attributes"]["ApproximateNumberOfMessages"])
