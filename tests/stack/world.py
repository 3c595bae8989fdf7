"""AWS on loopback: the services by ministack, EC2 by moto with instances that boot, and a recorder before both."""

import json
import os
import signal
import socket
import subprocess
import sys

import boto3
from botocore.config import Config

HERE = os.path.dirname(os.path.abspath(__file__))
REGION, ACCOUNT = "eu-central-1", "111122223333"
# Who has an address of their own at the recorder: every role of the stack, and whoever types commands.
ROLES = ["Validate", "Gif", "Summary", "Launch", "Reconcile", "BudgetAlert", "Open", "Worker"]
OPERATOR = "Operator"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION, "AWS_REGION": REGION}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class World:
    """Everything that runs beside the programs; `close` ends all of it."""

    def __init__(self, folder: str, services: str):
        self.folder = folder
        self.processes: list[subprocess.Popen] = []
        try:
            self.begin(services)
        except BaseException:
            self.close()
            raise

    def begin(self, services: str) -> None:
        self.stack, self.ec2 = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
        self.ports = {role: free_port() for role in [*ROLES, OPERATOR]}
        self.calls = os.path.join(self.folder, "calls.jsonl")
        os.environ.update(CREDENTIALS)
        self.start_services(services)
        addresses = [f"{port}={role}" for role, port in self.ports.items()]
        self.start("recorder", [sys.executable, "-u", f"{HERE}/recorder.py", self.stack, self.ec2, self.calls, *addresses])
        worker = f"127.0.0.1:{self.ports['Worker']}"
        aws = os.path.join(os.path.dirname(sys.executable), "aws")
        port = self.ec2.split(":")[1]
        self.start("ec2", [sys.executable, "-u", f"{HERE}/ec2.py", port, worker, self.stack, aws, self.folder])

    def start_services(self, python: str) -> None:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": self.folder,
            "TMPDIR": self.folder,
            "IOT_MTLS_ENABLED": "0",
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": self.stack.split(":")[1],
            "MINISTACK_REGION": REGION,
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "LAMBDA_EXECUTOR": "local",
            "LOG_LEVEL": "INFO",
            **CREDENTIALS,
        }
        program = os.path.join(os.path.dirname(python), "ministack")
        health = f"http://{self.stack}/_ministack/health"
        self.start("ministack", [sys.executable, "-u", f"{HERE}/guard.py", health, program], environment)

    def start(self, name: str, words: list[str], environment: dict[str, str] | None = None) -> None:
        """Starts what ends with its standard input, and in no other way: a signal to all would leave networks behind."""
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "start_new_session": True}
        with open(os.path.join(self.folder, f"{name}.log"), "wb") as log:
            process = subprocess.Popen(words, env=environment, stderr=log, **pipes)
        self.processes.append(process)
        if process.stdout.readline() != b"listening\n":
            raise RuntimeError(f"{name} did not start, see {log.name}")

    def client(self, service: str):
        place = self.ec2 if service == "ec2" else self.stack
        config = Config(retries={"max_attempts": 3}, s3={"addressing_style": "path"}, max_pool_connections=64)
        return boto3.client(service, endpoint_url=f"http://{place}", region_name=REGION, config=config)

    def environment(self) -> dict[str, str]:
        """For programs of people: `sam`, `dropscope`."""
        return {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.ports[OPERATOR]}", **CREDENTIALS}

    def faults(self, **said) -> None:
        """What the recorder does wrong from now on; nothing said is none."""
        write(os.path.join(self.folder, "faults.json"), said)

    def lines(self, name: str) -> list[dict]:
        path = os.path.join(self.folder, name)
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8") as file:
            return [json.loads(line) for line in file if line.endswith("\n")]

    def close(self) -> None:
        for process in reversed(self.processes):
            process.stdin.close()
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def write(path: str, what) -> None:
    """Whole or not at all: somebody else reads it."""
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(what, file)
    os.rename(path + ".new", path)


def ask(words: list[str], environment: dict[str, str], seconds: float) -> subprocess.CompletedProcess:
    """Runs a program of people; it and what it started end here, also when this process is told to end meanwhile."""
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(words, env=environment, text=True, start_new_session=True, **pipes) as program:
        try:
            said, complained = program.communicate(timeout=seconds)
        except BaseException:
            os.killpg(program.pid, signal.SIGKILL)
            raise
        return subprocess.CompletedProcess(words, program.returncode, said, complained)
