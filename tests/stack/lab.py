"""What every stage of the walk needs of the deployed stack: uploads, jobs, results, and a list of what is wrong."""

import json
import time
from datetime import datetime, timedelta

from stack import Stack
from world import World

# Seconds that anything may take: many times what it takes, since the machine may have much else to do.
PATIENCE = 300


class Lab:
    """A stack at work, and what was found wrong with it."""

    def __init__(self, world: World, stack: Stack, movie: bytes, small: bytes):
        self.world, self.stack, self.movie, self.small = world, stack, movie, small
        self.s3 = world.client("s3")
        self.read: dict[str, tuple[str, dict]] = {}
        self.wrong: list[str] = []
        self.ended_by_alert: set[str] = set()

    def check(self, holds: bool, what: str) -> None:
        if not holds:
            self.wrong.append(what)
            print(f"  WRONG: {what}", flush=True)

    def upload(self, key: str, body: bytes) -> None:
        self.s3.put_object(Bucket=self.stack.bucket, Key=key, Body=body)

    def jobs(self) -> dict[str, dict]:
        """Key of the recording → its job; a run of one that ran before beside it, under both names."""
        found = {}
        for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.stack.bucket, Prefix="state/jobs/"):
            for entry in page.get("Contents", []):
                job = self.job(entry["Key"], entry["ETag"])
                again = job["run"].partition("-")[2]
                found[job["upload"]["key"] + (f" again {again}" if again else "")] = job
        return found

    def job(self, key: str, etag: str) -> dict:
        """A job as it stands; one that has not changed is not read again."""
        if self.read.get(key, ("",))[0] != etag:
            self.read[key] = (etag, json.loads(self.s3.get_object(Bucket=self.stack.bucket, Key=key)["Body"].read()))
        return self.read[key][1]

    def wait(self, keys: list[str], words: set[str]) -> dict[str, dict]:
        """Waits until each of these recordings stands so."""
        until = time.monotonic() + PATIENCE
        while True:
            jobs = self.jobs()
            if all(key in jobs and word(jobs[key]) in words for key in keys):
                return jobs
            if time.monotonic() > until:
                for key in keys:
                    stands = word(jobs.get(key))
                    self.check(stands in words, f"{key!r} is {stands} after {PATIENCE} s: {jobs.get(key, {}).get('state')}")
                return jobs
            time.sleep(0.5)

    def results(self, job: dict) -> dict[str, int]:
        key = job["upload"]["key"].removeprefix("recordings/").rsplit(".", 1)[0]
        prefix = f"results/{key}/{job['run']}/"
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.stack.bucket, Prefix=prefix)
        return {e["Key"].removeprefix(prefix): e["Size"] for page in pages for e in page.get("Contents", [])}

    def set_back(self, key: str, minutes: int) -> bool:
        """Makes a job stand as it stands since earlier, unless somebody else changes it meanwhile."""
        place = {"Bucket": self.stack.bucket, "Key": f"state/jobs/{self.jobs()[key]['run']}.json"}
        found = self.s3.get_object(**place)
        job = json.loads(found["Body"].read())
        since = datetime.fromisoformat(job["since"]) - timedelta(minutes=minutes)
        job["since"] = since.strftime("%Y-%m-%dT%H:%M:%SZ")
        try:
            self.s3.put_object(**place, Body=json.dumps(job).encode(), IfMatch=found["ETag"])
        except self.s3.exceptions.ClientError:
            return False
        return True

    def instances(self) -> list[dict]:
        pages = self.world.client("ec2").describe_instances()["Reservations"]
        return [instance for reservation in pages for instance in reservation["Instances"]]


def word(job: dict | None) -> str:
    """How a job stands."""
    return job["state"]["is"] if job else "nowhere"


def until(holds) -> bool:
    """Waits until something holds; whether it does."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.3)
    return holds()
