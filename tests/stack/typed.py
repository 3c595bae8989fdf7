"""What people type, against the stack."""

import json
import os
import shutil
import urllib.request

from lab import PATIENCE, Lab
from stack import Stack
from world import ask

# What doctor must find in order.
WELL = ("account", "stack", "events", "public", "encryption", "versions")
PAGE = b"<!doctype html>"


class Terminal:
    """The program as it is typed by somebody with the stack's credentials."""

    def __init__(self, lab: Lab, dropscope: str, environment: dict[str, str]):
        self.lab, self.dropscope = lab, dropscope
        self.folder = lab.world.folder
        self.environment = environment | {"XDG_STATE_HOME": self.folder}

    def say(self, *words: str) -> str:
        return self.asked(*words, "--bucket", self.lab.stack.bucket)

    def asked(self, *words: str) -> str:
        told = ask([self.dropscope, *words], self.environment, PATIENCE)
        if told.returncode:
            raise RuntimeError(f"`dropscope {' '.join(words)}` failed: {told.stderr}")
        return told.stdout

    def commands(self) -> None:
        lab = self.lab
        movie = os.path.join(self.folder, "typed.tif")
        with open(movie, "wb") as file:
            file.write(lab.small)
        key, pieces = "recordings/dee/day 1/typed.tif", "recordings/dee/pieces.rec/"
        lab.check(key in self.say("upload", movie, "--owner", "dee", "--into", "day 1"), "upload does not name the key")
        again = self.say("upload", movie, "--owner", "dee", "--into", "day 1")
        lab.check("there already" in again, f"the same bytes went twice: {again}")
        self.upload_pieces(movie)
        run = lab.wait([key, pieces], {"done"})[key]["run"]
        listed = json.loads(self.say("status", "--json"))
        lab.check(any(line["recording"] == key for line in listed), f"status does not know {key!r}: {listed}")
        link = self.say("open", run).strip()
        with urllib.request.urlopen(link, timeout=20) as report:
            lab.check(report.read(len(PAGE)).lower() == PAGE, f"the link leads to no page: {link}")
        self.say("fetch", run, "--out", self.folder)
        lab.check(os.path.exists(os.path.join(self.folder, "typed/traces.csv")), "fetch brought no traces")
        self.say("rerun", run, "--tau", "0.7")
        lab.check(f"{run}-2" in self.say("status"), "rerun made no run")
        lab.check("cap" in self.say("budget"), "budget says nothing")

    def users(self) -> None:
        """Somebody subscribes to the mails of their owner."""
        lab, stack = self.lab, ("--stack", Stack.NAME)
        lab.check("must be clicked" in self.asked("users", "add", "dee", "dee@example.org", *stack), "nobody is told to click")
        listed = {one["address"]: one for one in json.loads(self.asked("users", "list", "--json", *stack))}
        lab.check({"dee@example.org", "lab@example.org"} <= listed.keys(), f"not everybody is listed: {listed}")
        dee = listed.get("dee@example.org", {})
        # An emulator may take an address for confirmed at once.
        lab.check(not dee.get("confirmed") or dee.get("owners") == ["dee"], f"the filter is another: {dee}")

    def upload_pieces(self, movie: str) -> None:
        """A folder is one recording."""
        pieces = os.path.join(self.folder, "pieces")
        os.mkdir(pieces)
        for n in (1, 2):
            shutil.copy(movie, os.path.join(pieces, f"fish_{n}.tif"))
        self.say("upload", pieces, "--owner", "dee")

    def doctor(self) -> None:
        """The stack as its computer person sees it: all well, but that nobody has confirmed."""
        for _ in range(5):
            told = ask([self.dropscope, "doctor", "--stack", Stack.NAME, "--json"], self.environment, PATIENCE)
            found = {c["name"]: c for c in json.loads(told.stdout)["checks"] if c["section"] == "the stack"}
            bad = [(name, found.get(name)) for name in WELL if found.get(name, {}).get("status") != "ok"]
            # It waits 20 s for an `aws`, of which seven start at once: too short where others are at work.
            if not any(check and check["found"] in ("unknown", "no answer") for _, check in bad):
                break
        for name, check in bad:
            self.lab.check(False, f"doctor finds {name}: {check}")
