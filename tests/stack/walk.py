"""The stack end to end, without an account: deployed by its own program, fed by boto3, worked off by instances that boot.

Usage: walk.py SOURCE DROPSCOPE INPUTS SERVICES [PROGRAMS]
PROGRAMS holds the functions' programs, else `sam build` makes them. SOURCE is the folder of template.yaml, DROPSCOPE the built program, INPUTS what movies.py wrote, SERVICES a Python with
ministack; this one holds moto, the aws command and the judge of roles. Ends with exit code 0 when everything held.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta

import roles
from stack import Stack
from world import World, write

# What people call their files. Each comes through the whole flow as it is.
HOSTILE = [
    "day 1/fish  two spaces.tif",
    "$(touch pwned) `id`; shutdown -h now && 'x' \"y\".tif",
    "a+b%2B%20c.tif",
    "line\nbreak\ttab.tif",
    "zebra\N{FISH}\N{LATIN SMALL LETTER U WITH DIAERESIS}\N{COMBINING DIAERESIS}.tif",
    "../../state/budget.json/..%2f.tif",
    "/leading//double.tif",
    "a&b=c?d#e<f>{g}[h]|i\\j^k~l*m.tif",
]
LONGEST = 800
SCARCE, DEAR = "recordings/eve/no capacity.tif", "recordings/flo/too dear.tif"
# As AWS Budgets words it.
ALERT = """AWS Budget Notification November 26, 2026
AWS Account {account}

Dear AWS Customer,

You requested that we alert you when the ACTUAL Cost associated with your lab budget is greater than $30.00 for the current month. \
The ACTUAL Cost associated with this budget is $31.20. You can find additional details below and by accessing the AWS Budgets dashboard [1].

Budget Name: lab
Budget Type: Cost
Budgeted Amount: $30.00
Alert Type: ACTUAL
Alert Threshold: > $30.00
ACTUAL Amount: $31.20

[1] https://console.aws.amazon.com/costmanagement/home#/budgets
"""


class Walk:
    """The phases, and what they found wrong."""

    def __init__(self, world: World, stack: Stack, movie: bytes, small: bytes):
        self.world, self.stack, self.movie, self.small = world, stack, movie, small
        self.s3 = world.client("s3")
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
                job = json.loads(self.s3.get_object(Bucket=self.stack.bucket, Key=entry["Key"])["Body"].read())
                again = job["run"].partition("-")[2]
                found[job["upload"]["key"] + (f" again {again}" if again else "")] = job
        return found

    def wait(self, keys: list[str], words: set[str], seconds: float) -> dict[str, dict]:
        """Waits until each of these recordings stands so, and is closed."""
        until = time.monotonic() + seconds
        while True:
            jobs = self.jobs()
            if all(key in jobs and word(jobs[key]) in words for key in keys):
                return jobs
            if time.monotonic() > until:
                for key in keys:
                    stands = word(jobs[key]) if key in jobs else "nowhere"
                    self.check(stands in words, f"{key!r} is {stands} after {seconds} s: {jobs.get(key, {}).get('state')}")
                return jobs
            time.sleep(0.5)

    def results(self, job: dict) -> dict[str, int]:
        key = job["upload"]["key"].removeprefix("recordings/").rsplit(".", 1)[0]
        prefix = f"results/{key}/{job['run']}/"
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.stack.bucket, Prefix=prefix)
        return {e["Key"].removeprefix(prefix): e["Size"] for page in pages for e in page.get("Contents", [])}

    def one_recording(self) -> None:
        key = "recordings/ana/mouse.tif"
        began = time.monotonic()
        self.upload(key, self.movie)
        job = self.wait([key], {"done"}, 120).get(key, {})
        print(f"  a real recording: {word(job)} after {time.monotonic() - began:.1f} s", flush=True)
        needed = ["manifest.json", "provenance.json", "max.gif", "summary.json", "figure.png", "report.html", "traces.csv", "suite2p/plane0/F.npy"]
        there = self.results(job) if job else {}
        for name in needed:
            self.check(there.get(name, 0) > 0, f"{name} is missing among {sorted(there)}")

    def scarce(self) -> None:
        """A run that finds no capacity, twice, waits."""
        write(os.path.join(self.world.folder, "fleet.json"), {"no_capacity": 2})
        self.upload(SCARCE, self.small)
        job = self.wait([SCARCE], {"waiting"}, 60).get(SCARCE, {})
        self.check("no Spot capacity" in json.dumps(job.get("state")), f"the reason to wait is not told: {job.get('state')}")

    def hostile_names(self) -> None:
        fits = "recordings/bo/"
        longest = fits + "d" * (LONGEST - len(fits) - 4) + ".tif"
        keys = [fits + name for name in HOSTILE] + [longest]
        began = time.monotonic()
        for key in keys:
            self.upload(key, self.small)
        too_long = longest[:-4] + "d.tif"
        self.upload(too_long, self.small)
        jobs = self.wait(keys, {"done"}, 150)
        print(f"  {len(keys)} hostile names: after {time.monotonic() - began:.1f} s", flush=True)
        refused = self.wait([too_long], {"rejected"}, 10)[too_long]
        self.check("801 bytes" in json.dumps(refused["state"]), f"a key of 801 bytes is not named: {refused['state']}")
        for key in keys:
            if key in jobs:
                self.check("traces.csv" in self.results(jobs[key]), f"{key!r} has no traces")

    def faults(self) -> None:
        """The same with a store that is slow, throttles and breaks off."""
        key = "recordings/cy/under faults.tif"
        self.world.faults(slow_down=0.05, cut=0.05, latency=0.02, seed=7)
        began = time.monotonic()
        self.upload(key, self.movie)
        self.wait([key], {"done"}, 120)
        self.world.faults()
        throttled = sum(call["status"] == 503 for call in self.world.lines("calls.jsonl"))
        print(f"  faults: {throttled} calls throttled, done after {time.monotonic() - began:.1f} s", flush=True)
        self.check(throttled > 0, "no fault came")

    def program(self, dropscope: str, environment: dict[str, str], folder: str) -> None:
        """What people type, against the stack."""
        say = lambda *words: run(dropscope, *words, "--bucket", self.stack.bucket, environment=environment)  # noqa: E731
        movie = os.path.join(folder, "typed.tif")
        with open(movie, "wb") as file:
            file.write(self.small)
        environment["XDG_STATE_HOME"] = folder
        key = "recordings/dee/day 1/typed.tif"
        self.check(key in say("upload", movie, "--owner", "dee", "--into", "day 1"), "upload does not name the key")
        self.check("there already" in say("upload", movie, "--owner", "dee", "--into", "day 1"), "the same bytes went twice")
        job = self.wait([key], {"done"}, 90).get(key)
        if not job:
            return
        listed = json.loads(say("status", "--json"))
        self.check(any(line["recording"] == key for line in listed), "status does not know the run")
        self.check(say("open", job["run"]).startswith("http"), "open gives no link")
        say("fetch", job["run"], "--out", folder)
        self.check(os.path.exists(os.path.join(folder, "typed/traces.csv")), "fetch brought no traces")
        pieces = os.path.join(folder, "pieces")
        os.mkdir(pieces)
        for n in (1, 2):
            shutil.copy(movie, os.path.join(pieces, f"fish_{n}.tif"))
        say("upload", pieces, "--owner", "dee")
        self.wait(["recordings/dee/pieces.rec/"], {"done"}, 90)
        say("rerun", job["run"], "--tau", "0.7")
        self.check(f"{job['run']}-2" in say("status"), "rerun made no run")
        self.check("cap" in say("budget"), "budget says nothing")
        self.doctor(dropscope, environment)

    def doctor(self, dropscope: str, environment: dict[str, str]) -> None:
        """The stack as its computer person sees it: all well, but that nobody has confirmed."""
        words = [dropscope, "doctor", "--stack", Stack.NAME, "--json"]
        told = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
        found = {c["name"]: c for c in json.loads(told.stdout)["checks"] if c["section"] == "the stack"}
        for name in ("account", "stack", "events", "public", "encryption", "versions"):
            self.check(found.get(name, {}).get("status") == "ok", f"doctor finds {name}: {found.get(name)}")

    def too_dear(self, dropscope: str, environment: dict[str, str]) -> None:
        """An alert of AWS Budgets over the limit ends what runs, and freezes; thawed, the run goes on."""
        started = len(self.world.lines("instances.jsonl"))
        self.upload(DEAR, self.movie)
        if not self.until(lambda: len(self.world.lines("instances.jsonl")) > started, 60):
            return self.check(False, f"{DEAR!r} got no instance")
        instance = self.world.lines("instances.jsonl")[-1]["id"]
        text = ALERT.format(account="111122223333")
        topic = self.stack.outputs["AlertTopicArn"]
        self.world.client("sns").publish(TopicArn=topic, Subject="AWS Budgets: lab has exceeded your alert threshold", Message=text)
        ended = lambda: next((e for e in self.world.lines("ended.jsonl") if e["id"] == instance), None)  # noqa: E731
        self.until(lambda: ended() is not None, 60)
        self.check(bool(ended()) and ended()["why"] == "was terminated", f"after an alert the instance {ended() or 'lives'}")
        self.ended_by_alert.add(instance)
        self.check("since" in run(dropscope, "budget", "--bucket", self.stack.bucket, environment=environment), "nothing is frozen")
        run(dropscope, "budget", "thaw", "--bucket", self.stack.bucket, environment=environment)
        return None

    def until(self, holds, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if holds():
                return True
            time.sleep(0.2)
        return False

    def woken(self) -> None:
        """What waited for capacity, and what was ended by the alert, is woken by reconcile and in the end done."""
        began = time.monotonic()
        # Two minutes each. The first are lived through; after the second refusal the job is set back instead.
        twice = self.until(lambda: self.jobs()[SCARCE]["attempt"] == 2 and word(self.jobs()[SCARCE]) == "waiting", 200)
        self.check(twice and self.set_back(SCARCE, minutes=2), "a second refusal made nobody wait")
        self.wait([SCARCE, DEAR], {"done"}, 150)
        with open(os.path.join(self.world.folder, "fleet.json"), encoding="utf-8") as file:
            self.check(json.load(file)["no_capacity"] == 0, "not every refusal was met")
        print(f"  two that waited are done after {time.monotonic() - began:.1f} s more", flush=True)

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

    def rest(self) -> None:
        """Nothing is left: no instance, no money, no dead letter; each mail once."""
        until = time.monotonic() + 90
        while time.monotonic() < until and not self.is_at_rest():
            time.sleep(1)
        alive = [i["InstanceId"] for i in self.instances() if i["State"]["Name"] not in ("terminated", "shutting-down")]
        self.check(not alive, f"instances are left: {alive}")
        ends = self.world.lines("ended.jsonl")
        for end in ends:
            self.check(end["why"] == "shut itself down" or end["id"] in self.ended_by_alert, f"{end['id']} {end['why']}: {end['console'][-2000:]}")
        self.check("ds" not in subprocess.run(["ip", "netns"], capture_output=True, text=True, check=True).stdout, "a network is left")
        jobs = self.jobs()
        self.check(all(job["closed"] for job in jobs.values()), f"not closed: {[k for k, j in jobs.items() if not j['closed']]}")
        budget = json.loads(self.s3.get_object(Bucket=self.stack.bucket, Key="state/budget.json")["Body"].read())
        self.check(not budget["reservations"], f"money is held: {budget['reservations']}")
        for queue in ("LaunchDeadLettersUrl", "UndeliveredUrl", "FailedCallsUrl"):
            self.check(self.stack.depth(queue) == 0, f"{queue} is not empty")
        kinds = [mail["MessageAttributes"]["kind"]["Value"] for mail in self.stack.mails()]
        runs = sum(word(job) == "done" for job in jobs.values())
        print(f"  {len(ends)} instances, {runs} runs done, mails: {sorted(kinds)}", flush=True)
        self.check(kinds.count("done") == runs and kinds.count("rejected") == 1, "not every run was told once")
        self.check(not os.path.exists("pwned"), "a name was obeyed")

    def instances(self) -> list[dict]:
        pages = self.world.client("ec2").describe_instances()["Reservations"]
        return [instance for reservation in pages for instance in reservation["Instances"]]

    def is_at_rest(self) -> bool:
        ended = {end["id"] for end in self.world.lines("ended.jsonl")}
        started = {start["id"] for start in self.world.lines("instances.jsonl")}
        return started == ended and all(job["closed"] for job in self.jobs().values())

    def judged(self) -> None:
        tags = {line["id"]: line["tags"] for line in self.world.lines("instances.jsonl")}
        beside = self.stack.beside
        world = {"region": "eu-central-1", "account": "111122223333", "instances": tags} | beside
        judge = roles.Judge(self.stack.policies(), world)
        calls = self.world.lines("calls.jsonl")
        for call in calls:
            judge.hear(call)
        print(f"  {len(calls)} recorded calls judged", flush=True)
        for line in judge.verdict():
            self.check(False, line)


def word(job: dict) -> str:
    """How a job stands."""
    return job["state"]["is"] if job else "nowhere"


def run(*words: str, environment: dict[str, str]) -> str:
    told = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    if told.returncode:
        raise RuntimeError(f"{words[1]} failed: {told.stderr}")
    return told.stdout


def read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def main() -> int:
    source, dropscope, inputs, services, *built = sys.argv[1:]
    folder = tempfile.mkdtemp(prefix="dropscope-stack-")
    world = World(folder, services)
    wrong: list[str] = ["it broke off"]
    try:
        environment = os.environ | world.environment()
        began = time.monotonic()
        stack = Stack(world, dropscope, source, built[0] if built else "", environment)
        print(f"  built and deployed after {time.monotonic() - began:.1f} s", flush=True)
        walk = Walk(world, stack, read(f"{inputs}/movie.tif"), read(f"{inputs}/small.tif"))
        began = time.monotonic()
        # First, since it waits the longest.
        walk.scarce()
        walk.one_recording()
        walk.too_dear(dropscope, environment)
        walk.hostile_names()
        walk.faults()
        walk.program(dropscope, environment, folder)
        walk.woken()
        walk.rest()
        walk.judged()
        print(f"  the walk took {time.monotonic() - began:.1f} s", flush=True)
        wrong = walk.wrong
    finally:
        world.close()
        if wrong:
            print(f"kept for a look: {folder}", flush=True)
        else:
            shutil.rmtree(folder)
    print(f"{len(wrong)} things wrong" if wrong else "everything held", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
