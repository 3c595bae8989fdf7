"""After the last run: nothing is left, and every role was allowed just what it did."""

import json
import os
import subprocess

import roles
from lab import Lab, until, word
from world import ACCOUNT, REGION, ROLES


def rest(lab: Lab) -> None:
    """Nothing is left: no instance, no money, no dead letter; each mail once."""
    until(lambda: is_at_rest(lab))
    alive = [i["InstanceId"] for i in lab.instances() if i["State"]["Name"] not in ("terminated", "shutting-down")]
    lab.check(not alive, f"instances are left: {alive}")
    ends = lab.world.lines("ended.jsonl")
    for end in ends:
        well = end["why"] == "shut itself down" or end["id"] in lab.ended_by_alert
        lab.check(well, f"{end['id']} {end['why']}: {end['console'][-2000:]}")
    networks = subprocess.run(["ip", "netns"], capture_output=True, text=True, check=True).stdout
    left = [end["network"] for end in ends if end["network"] in networks]
    lab.check(not left, f"networks are left: {left}")
    jobs = lab.jobs()
    lab.check(all(job["closed"] for job in jobs.values()), f"not closed: {[k for k, j in jobs.items() if not j['closed']]}")
    budget = json.loads(lab.s3.get_object(Bucket=lab.stack.bucket, Key="state/budget.json")["Body"].read())
    lab.check(not budget["reservations"], f"money is held: {budget['reservations']}")
    for queue in ("LaunchQueueUrl", "LaunchDeadLettersUrl", "UndeliveredUrl", "FailedCallsUrl"):
        lab.check(lab.stack.depth(queue) == 0, f"{queue} is not empty")
    mails(lab, jobs)
    lab.check(not os.path.exists("pwned"), "a name was obeyed")
    print(f"  {len(ends)} instances, {len(jobs)} runs", flush=True)


def mails(lab: Lab, jobs: dict[str, dict]) -> None:
    """Whoever has a run that is over was told, once."""
    kinds = sorted(mail["MessageAttributes"]["kind"]["Value"] for mail in lab.stack.mails())
    done = sum(word(job) == "done" for job in jobs.values())
    lab.check(kinds.count("done") == done and kinds.count("rejected") == 1, f"{done} runs are done, mails came: {kinds}")


def all_have_ended(lab: Lab) -> bool:
    ended = {end["id"] for end in lab.world.lines("ended.jsonl")}
    return ended == {start["id"] for start in lab.world.lines("instances.jsonl")}


def is_at_rest(lab: Lab) -> bool:
    return all_have_ended(lab) and all(job["closed"] for job in lab.jobs().values())


def judged(lab: Lab) -> None:
    """Every recorded call against the policies that were deployed."""
    tags = {line["id"]: line["tags"] for line in lab.world.lines("instances.jsonl")}
    world = {"region": REGION, "account": ACCOUNT, "instances": tags} | lab.stack.beside
    judge = roles.Judge(lab.stack.policies(), world)
    calls = [call for call in lab.world.lines("calls.jsonl") if call["role"] in ROLES]
    for call in calls:
        judge.hear(call)
    print(f"  {len(calls)} recorded calls", flush=True)
    for line in judge.verdict():
        lab.check(False, line)
