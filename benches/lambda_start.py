"""How large each function's package is, how soon it asks for work and what it holds then, beside a function in Python.

Usage: lambda_start.py [--programs target/release] [--rounds 5]
The Python that runs it needs boto3, numpy and tifffile: a function that imports those is what each is compared with. A stub
of Lambda's runtime API on loopback notes the first poll. Ends with exit code 1 when a package, a start or a memory is larger
than promised.
"""

import argparse
import http.server
import io
import os
import statistics
import subprocess
import sys
import threading
import time
import zipfile

NAMES = ["validate", "gif", "summary", "launch", "reconcile", "budget-alert"]
PYTHON = "Python"
# What is promised: megabytes of a package (launch carries the worker), times faster than Python, megabytes after start.
PACKAGE_MB, LAUNCH_MB, FASTER, MEMORY_MB = 8, 50, 10, 32
# As AWS Lambda's own client does: imports first, then one GET that is held until there is work.
SCRIPT = """
import http.client, os
import boto3, numpy, tifffile
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
api.request("GET", "/2018-06-01/runtime/invocation/next")
api.getresponse()
"""
LONGEST = 60


class RuntimeApi(http.server.BaseHTTPRequestHandler):
    """Notes when somebody asks for work, and gives none."""

    asked = threading.Event()
    over = threading.Event()
    at = 0.0

    def do_GET(self) -> None:  # noqa: N802
        RuntimeApi.at = time.perf_counter()
        self.asked.set()
        self.over.wait(LONGEST)

    def log_message(self, *_args) -> None:
        """Nothing: the table is the log."""


def environment(api: str) -> dict[str, str]:
    """What Lambda sets, and what template.yaml does."""
    of_lambda = {
        "AWS_LAMBDA_RUNTIME_API": api,
        "AWS_LAMBDA_FUNCTION_NAME": "f",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_LOG_GROUP_NAME": "g",
        "AWS_LAMBDA_LOG_STREAM_NAME": "s",
        "AWS_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }
    own = {
        "BUCKET": "lab",
        "TOPIC_ARN": "arn:aws:sns:eu-central-1:111122223333:mail",
        "ALERT_TOPIC_ARN": "arn:aws:sns:eu-central-1:111122223333:alerts",
        "STACK": "lab",
        "ACCOUNT": "111122223333",
        "LAUNCH_TEMPLATE": "lt-1",
        "SUBNETS": "subnet-1,subnet-2",
        "MONTHLY_CAP_USD": "20",
        "MAX_INSTANCES": "4",
        "DISK_GIB": "100",
        "ON_DEMAND_FALLBACK": "no",
    }
    return os.environ | of_lambda | {f"DROPSCOPE_{name}": value for name, value in own.items()}


def start(words: list[str], api: str) -> tuple[float, float]:
    """Milliseconds until the first poll, and megabytes resident then."""
    RuntimeApi.asked.clear()
    RuntimeApi.over.clear()
    began = time.perf_counter()
    with subprocess.Popen(words, env=environment(api), stderr=subprocess.DEVNULL) as program:
        try:
            if not RuntimeApi.asked.wait(LONGEST):
                raise RuntimeError(f"`{words[0]}` never asked for work")
            with open(f"/proc/{program.pid}/status", encoding="ascii") as status:
                resident = next(line for line in status if line.startswith("VmRSS:"))
        finally:
            program.kill()
            RuntimeApi.over.set()
    return 1000 * (RuntimeApi.at - began), int(resident.split()[1]) / 1024


def package(program: str) -> float:
    """Megabytes of the function's package, as `sam deploy` makes it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(program, "bootstrap")
    return len(packed.getvalue()) / 1e6


def measured(programs: dict[str, list[str]], rounds: int) -> dict[str, list[tuple[float, float]]]:
    """Every program in turn, round by round, so that whatever else the machine does falls on all of them alike."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), RuntimeApi)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    api, found = f"127.0.0.1:{server.server_port}", {name: [] for name in programs}
    # The first round is for the page cache, and for Python to compile its modules.
    for number in range(rounds + 1):
        for name, words in programs.items():
            figures = start(words, api)
            if number:
                found[name].append(figures)
    server.shutdown()
    return found


def main() -> int:
    asked = argparse.ArgumentParser()
    asked.add_argument("--programs", default="target/release")
    asked.add_argument("--rounds", type=int, default=5)
    told = asked.parse_args()
    files = {name: os.path.join(told.programs, f"dropscope-{name}") for name in NAMES}
    print(f"load {os.getloadavg()[0]:.1f} before")
    found = measured({name: [file] for name, file in files.items()} | {PYTHON: [sys.executable, "-c", SCRIPT]}, told.rounds)
    print(f"load {os.getloadavg()[0]:.1f} after")
    middle = {name: [statistics.median(column) for column in zip(*rows, strict=True)] for name, rows in found.items()}
    slow, wrong = middle[PYTHON][0], []
    print(f"{'':<13} {'package':>9} {'first poll, median (range)':>30} {'Python /':>9} {'memory':>9}")
    for name, (milliseconds, memory) in middle.items():
        times = [row[0] for row in found[name]]
        size = package(files[name]) if name in files else 0.0
        spread = f"{milliseconds:.1f} ms ({min(times):.1f}–{max(times):.1f})"
        print(f"{name:<13} {size:>6.2f} MB {spread:>30} {slow / milliseconds:>9.1f} {memory:>6.1f} MB")
        most = LAUNCH_MB if name == "launch" else PACKAGE_MB
        if name in files and not (size < most and milliseconds * FASTER < slow and memory < MEMORY_MB):
            wrong.append(name)
    if wrong:
        print(f"not as promised: {', '.join(wrong)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
