"""Between a role and the services: one address a role, every call written down as who, action, resource, answer.

`python recorder.py STACK EC2 CALLS PORT=ROLE…` listens on loopback, sends what is signed for EC2 to EC2 and all else to
STACK, and appends one JSON object a call to CALLS. Faults are asked for by a file beside CALLS, see `Faults`. Ends when
its standard input does.
"""

import asyncio
import json
import os
import random
import re
import sys
import time
import urllib.parse

# The service stands in the signature's scope: Credential=KEY/DATE/REGION/SERVICE/aws4_request.
SCOPE = re.compile(r"Credential=[^/]+/\d+/[^/]*/([a-z0-9]+)/aws4_request")


class Faults:
    """What goes wrong on purpose, from the file `faults.json`: shares of the S3 calls, and seconds of latency.

    `{"slow_down": 0.05, "cut": 0.02, "latency": 0.05}`; no file, no fault. `seed` makes the choice the same each time.
    """

    def __init__(self, path: str):
        self.path, self.stamp, self.said, self.dice = path, None, {}, random.Random(1)

    def now(self) -> dict:
        try:
            stamp = os.stat(self.path).st_mtime_ns
        except FileNotFoundError:
            self.stamp, self.said = None, {}
            return self.said
        if stamp != self.stamp:
            with open(self.path, encoding="utf-8") as file:
                self.stamp, self.said = stamp, json.load(file)
            self.dice = random.Random(self.said.get("seed", 1))
        return self.said

    def pick(self, kind: str) -> bool:
        return self.dice.random() < self.now().get(kind, 0)


SLOW_DOWN = b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"


async def head_of(reader: asyncio.StreamReader) -> tuple[str, list[tuple[str, str]]] | None:
    """First line and headers of a message."""
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    first, *lines = raw.decode("latin-1").split("\r\n")[:-2]
    return first, [tuple(part.strip() for part in line.split(":", 1)) for line in lines]


def value(headers: list[tuple[str, str]], name: str) -> str:
    return next((v for n, v in headers if n.lower() == name), "")


async def body_of(reader: asyncio.StreamReader, headers: list[tuple[str, str]], bare: bool = False) -> bytes:
    """A message's body as it came, its framing included."""
    if bare:
        return b""
    if "chunked" in value(headers, "transfer-encoding").lower():
        raw = b""
        while True:
            line = await reader.readuntil(b"\r\n")
            raw += line
            size = int(line.split(b";")[0], 16)
            raw += await reader.readexactly(size + 2) if size else await reader.readuntil(b"\r\n")
            if not size:
                return raw
    return await reader.readexactly(int(value(headers, "content-length") or 0))


def ranged(line: str, answered: list, payload: bytes, wanted: str) -> tuple[str, list[tuple[str, str]], bytes]:
    """The part of an object that was asked for: of a version that is named, the emulator always sends the whole."""
    asked = re.fullmatch(r"bytes=(\d+)-(\d*)", wanted)
    if not asked or line.split()[1] != "200":
        return line, answered, payload
    size, first = len(payload), int(asked[1])
    last = min(int(asked[2] or size - 1), size - 1)
    kept = [(n, v) for n, v in answered if n.lower() not in ("content-length", "content-range") and not n.lower().startswith("x-amz-checksum-")]
    if first > last:
        body = b"<?xml version='1.0'?><Error><Code>InvalidRange</Code><Message>not satisfiable</Message></Error>"
        said = [("Content-Range", f"bytes */{size}"), ("Content-Length", str(len(body)))]
        return "HTTP/1.1 416 Requested Range Not Satisfiable", kept + said, body
    part = payload[first : last + 1]
    said = [("Content-Range", f"bytes {first}-{last}/{size}"), ("Content-Length", str(len(part)))]
    return "HTTP/1.1 206 Partial Content", kept + said, part


def message(first: str, headers: list[tuple[str, str]], body: bytes) -> bytes:
    lines = [first, *(f"{name}: {text}" for name, text in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


class Recorder:
    """All addresses, one file of calls."""

    def __init__(self, stack: str, ec2: str, calls: str):
        self.targets = {"ec2": ec2}
        self.stack = stack
        self.calls = open(calls, "a", buffering=1, encoding="utf-8")  # noqa: SIM115: as long as the process
        self.faults = Faults(os.path.join(os.path.dirname(calls), "faults.json"))

    async def connection(self, role: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstreams: dict[str, tuple[asyncio.StreamReader, asyncio.StreamWriter]] = {}
        try:
            while await self.exchange(role, reader, writer, upstreams):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            for _, upstream in upstreams.values():
                upstream.close()
            writer.close()

    async def exchange(self, role: str, reader, writer, upstreams: dict) -> bool:
        if (asked := await head_of(reader)) is None:
            return False
        first, headers = asked
        if "100-continue" in value(headers, "expect").lower():
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            headers = [(n, v) for n, v in headers if n.lower() != "expect"]
        body = await body_of(reader, headers)
        # A link signs in its query instead.
        scope = SCOPE.search(value(headers, "authorization")) or SCOPE.search(urllib.parse.unquote(first))
        service = scope.group(1) if scope else ""
        if service == "s3":
            await asyncio.sleep(self.faults.now().get("latency", 0))
            if self.faults.pick("slow_down"):
                self.note(role, service, first, headers, body, 503)
                writer.write(message("HTTP/1.1 503 Slow Down", [("Content-Length", str(len(SLOW_DOWN)))], SLOW_DOWN))
                await writer.drain()
                return True
        status, answer = await self.ask(service, first, headers, body, upstreams)
        cut = service == "s3" and first.startswith("GET ") and len(answer) > 4096 and self.faults.pick("cut")
        self.note(role, service, first, headers, body, status, cut)
        if cut:
            writer.write(answer[: len(answer) * 3 // 10])
            await writer.drain()
            return False
        writer.write(answer)
        await writer.drain()
        return True

    async def ask(self, service: str, first: str, headers, body: bytes, upstreams: dict) -> tuple[int, bytes]:
        target = self.targets.get(service, self.stack)
        for fresh in (False, True):
            if fresh or target not in upstreams:
                host, port = target.split(":")
                upstreams[target] = await asyncio.open_connection(host, int(port), limit=1 << 20)
            reader, writer = upstreams[target]
            try:
                writer.write(message(first, headers, body))
                await writer.drain()
                if (told := await head_of(reader)) is None:
                    raise ConnectionError
            except ConnectionError:
                # A connection that was kept may have been closed meanwhile; a new one that fails is an error.
                if fresh:
                    raise
                continue
            break
        line, answered = told
        bare = first.startswith("HEAD ") or int(line.split()[1]) in (204, 304)
        payload = await body_of(reader, answered, bare)
        chunked = "chunked" in value(answered, "transfer-encoding").lower()
        if service == "s3" and first.startswith("GET ") and "versionId=" in first and not chunked:
            line, answered, payload = ranged(line, answered, payload, value(headers, "range"))
        if value(answered, "connection").lower() == "close":
            upstreams.pop(target)[1].close()
        return int(line.split()[1]), message(line, answered, payload)

    def note(self, role: str, service: str, first: str, headers, body: bytes, status: int, cut: bool = False) -> None:
        method, path, _ = first.split(" ", 2)
        call = {"at": round(time.time(), 3), "role": role, "service": service, "method": method, "path": path, "status": status}
        if value(headers, "if-match") and method in ("PUT", "POST"):
            call["if_match"] = True
        if cut:
            call["cut"] = True
        if method == "POST" and service != "s3":
            call["parameters"] = dict(urllib.parse.parse_qsl(body.decode("utf-8", "replace")))
            if target := value(headers, "x-amz-target"):
                call["target"] = target
        self.calls.write(json.dumps(call) + "\n")


async def main() -> None:
    stack, ec2, calls, *addresses = sys.argv[1:]
    recorder = Recorder(stack, ec2, calls)
    servers = []  # They serve as long as somebody holds them.
    for address in addresses:
        port, role = address.split("=")
        answer = lambda reader, writer, role=role: recorder.connection(role, reader, writer)  # noqa: E731
        servers.append(await asyncio.start_server(answer, "127.0.0.1", int(port), limit=1 << 20))
    print("listening", flush=True)
    await asyncio.to_thread(sys.stdin.buffer.read)


if __name__ == "__main__":
    asyncio.run(main())
