"""The stack end to end, without an account: deployed by its own program, fed by boto3, worked off by instances that boot.

Usage: walk.py SOURCE DROPSCOPE INPUTS SERVICES [PROGRAMS]
SOURCE is the folder of template.yaml, DROPSCOPE the built program, INPUTS what movies.py wrote, SERVICES a Python with
ministack; this one holds moto, the aws command and the judge of roles. PROGRAMS holds the functions' programs, else
`sam build` makes them. Says one line a stage with its seconds; ends with exit code 0 when everything held.
"""

import json
import os
import shutil
import signal
import sys
import tempfile
import time

import ended
import links
from lab import Lab, until, word
from stack import Stack
from typed import Terminal
from world import ACCOUNT, World, write

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
MOUSE = "recordings/ana/mouse.tif"
# Runs that are kept from going on, for a while.
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


def scarce(lab: Lab) -> None:
    """A run that finds no capacity, twice, waits, and says why."""
    write(os.path.join(lab.world.folder, "fleet.json"), {"no_capacity": 2})
    lab.upload(SCARCE, lab.small)
    waits(lab, attempt=1)


def waits(lab: Lab, attempt: int) -> None:
    """The run without capacity waits after so many attempts. Two minutes must pass before the next: its job is set back."""

    def stands() -> bool:
        job = lab.jobs().get(SCARCE)
        return word(job) == "waiting" and job["attempt"] == attempt

    lab.check(until(stands), f"{SCARCE!r} does not wait after {attempt} attempts")
    state = lab.jobs().get(SCARCE, {}).get("state")
    lab.check("no Spot capacity" in json.dumps(state), f"{SCARCE!r} does not tell why it waits: {state}")
    lab.check(lab.set_back(SCARCE, minutes=2), "somebody else changed the job that waits")


def one_recording(lab: Lab) -> None:
    """A real recording, from its upload to all of its results."""
    lab.upload(MOUSE, lab.movie)
    job = lab.wait([MOUSE], {"done"}).get(MOUSE)
    needed = ["manifest.json", "provenance.json", "max.gif", "summary.json", "figure.png", "report.html", "traces.csv", "suite2p/plane0/F.npy"]
    there = lab.results(job) if job else {}
    for name in needed:
        lab.check(there.get(name, 0) > 0, f"{name} is missing among {sorted(there)}")


def alert(lab: Lab, terminal: Terminal) -> None:
    """An alert of AWS Budgets over the limit ends what runs, and freezes; thawed, the run goes on."""
    lab.upload(DEAR, lab.movie)
    if not until(lambda: instance_of(lab, DEAR)):
        return lab.check(False, f"{DEAR!r} got no instance")
    instance = instance_of(lab, DEAR)
    subject = "AWS Budgets: lab has exceeded your alert threshold"
    topic = lab.stack.outputs["AlertTopicArn"]
    lab.world.client("sns").publish(TopicArn=topic, Subject=subject, Message=ALERT.format(account=ACCOUNT))
    ends = lambda: {end["id"]: end["why"] for end in lab.world.lines("ended.jsonl")}  # noqa: E731
    until(lambda: instance in ends())
    lab.check(ends().get(instance) == "was terminated", f"after an alert the instance {ends().get(instance, 'lives')}")
    # Every instance of the stack, also one that had nothing left to do but to shut itself down.
    lab.ended_by_alert |= {name for name, why in ends().items() if why == "was terminated"}
    lab.check("since" in terminal.say("budget"), "nothing is frozen")
    terminal.say("budget", "thaw")
    return None


def instance_of(lab: Lab, key: str) -> str:
    """The instance that has booted for a recording, if one has."""
    run = lab.jobs().get(key, {}).get("run")
    booted = [line["id"] for line in lab.world.lines("instances.jsonl") if line["tags"].get("dropscope:run") == run]
    return booted[-1] if booted else ""


def hostile_names(lab: Lab) -> None:
    """Names that a shell, a URL or a path could trip over; one byte more than the longest is refused by name."""
    fits = "recordings/bo/"
    longest = fits + "d" * (LONGEST - len(fits) - 4) + ".tif"
    keys = [fits + name for name in HOSTILE] + [longest]
    for key in keys:
        lab.upload(key, lab.small)
    too_long = longest[:-4] + "d.tif"
    lab.upload(too_long, lab.small)
    jobs = lab.wait(keys, {"done"})
    refused = lab.wait([too_long], {"rejected"}).get(too_long, {})
    lab.check("801 bytes" in json.dumps(refused.get("state")), f"a key of 801 bytes is not named: {refused.get('state')}")
    for key in keys:
        if key in jobs:
            lab.check("traces.csv" in lab.results(jobs[key]), f"{key!r} has no traces")


def faults(lab: Lab) -> None:
    """A store that is slow, throttles and breaks off."""
    key = "recordings/cy/under faults.tif"
    lab.world.faults(slow_down=0.05, cut=0.05, latency=0.02, seed=7)
    lab.upload(key, lab.movie)
    lab.wait([key], {"done"})
    lab.world.faults()
    calls = lab.world.lines("calls.jsonl")
    throttled, cut = sum(call["status"] == 503 for call in calls), sum("cut" in call for call in calls)
    print(f"  {throttled} calls throttled, {cut} answers cut off", flush=True)
    lab.check(throttled > 0 and cut > 0, "a kind of fault never came")


def woken(lab: Lab) -> None:
    """What waited for capacity, and what the alert ended, is woken by reconcile and in the end done."""
    lab.wait([SCARCE, DEAR], {"done"})
    with open(os.path.join(lab.world.folder, "fleet.json"), encoding="utf-8") as file:
        lab.check(json.load(file)["no_capacity"] == 0, "not every refusal was met")


def stage(name: str, work, *given):
    """One line, with its seconds."""
    began = time.monotonic()
    try:
        return work(*given)
    finally:
        print(f"{time.monotonic() - began:6.1f} s  {name}", flush=True)


def walk(world: World, dropscope: str, source: str, inputs: str, programs: str) -> list[str]:
    """All stages; what was wrong."""
    environment = os.environ | world.environment()
    stack = stage("deployed", Stack, world, dropscope, source, programs, environment)
    lab = Lab(world, stack, read(f"{inputs}/movie.tif"), read(f"{inputs}/small.tif"))
    terminal = Terminal(lab, dropscope, environment)
    # First, since it waits the longest.
    stage("a run without capacity waits", scarce, lab)
    stage("a key that signs links", links.key_made, lab)
    stage("a real recording", one_recording, lab)
    stage("the link of its mail", links.opened, lab, terminal, MOUSE)
    stage("the run waits again", waits, lab, 2)
    stage("an alert of the budget", alert, lab, terminal)
    stage("hostile names", hostile_names, lab)
    stage("a store with faults", faults, lab)
    stage("typed commands", terminal.commands)
    stage("somebody subscribes", terminal.users)
    stage("doctor", terminal.doctor)
    stage("those that waited", woken, lab)
    stage("nothing is left", ended.rest, lab)
    stage("roles", ended.judged, lab)
    return lab.wrong


def read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def main() -> int:
    source, dropscope, inputs, services, *built = sys.argv[1:]
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        # An exception, so that everything is ended as after a mistake.
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    began = time.monotonic()
    folder = tempfile.mkdtemp(prefix="dropscope-stack-")
    # Instances work in it as somebody else.
    os.chmod(folder, 0o711)
    wrong = ["it broke off"]
    try:
        world = World(folder, services)
        try:
            wrong = walk(world, dropscope, source, inputs, built[0] if built else "")
        finally:
            stage("ended", world.close)
    finally:
        if wrong:
            print(f"kept for a look: {folder}", flush=True)
        else:
            shutil.rmtree(folder)
    print(f"{time.monotonic() - began:6.1f} s  {'in all' if not wrong else f'in all, {len(wrong)} things wrong'}", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
