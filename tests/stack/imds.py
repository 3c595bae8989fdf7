"""Instance metadata, version 2 only (EC2 user guide, instancedata-data-retrieval), for one instance.

Usage: imds.py HOST PORT FACTS; FACTS is JSON: instance_id, instance_type, region, role, access_key, tags.
"""

import json
import secrets
import sys
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LONGEST_TOKEN = 21600


def tree(facts: dict) -> dict:
    """Everything below /latest/meta-data."""
    stamp = lambda hours: (datetime.now(UTC) + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")  # noqa: E731
    credentials = {
        "Code": "Success",
        "Type": "AWS-HMAC",
        "AccessKeyId": facts["access_key"],
        "SecretAccessKey": "secret",
        "Token": "session",
        "LastUpdated": stamp(0),
        "Expiration": stamp(6),
    }
    return {
        "instance-id": facts["instance_id"],
        "instance-type": facts["instance_type"],
        "instance-life-cycle": "spot",
        "placement": {"availability-zone": facts["region"] + "a", "region": facts["region"]},
        "iam": {"security-credentials": {facts["role"]: json.dumps(credentials)}},
        "tags": {"instance": facts["tags"]},
    }


class Metadata(BaseHTTPRequestHandler):
    """Tokens live as long as the process."""

    protocol_version = "HTTP/1.1"
    tokens: dict[str, float] = {}
    facts: dict = {}

    def answer(self, status: int, text: str = "", headers: dict[str, str] | None = None) -> None:
        body = text.encode()
        self.send_response(status)
        for name, text in (headers or {}).items():
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args) -> None:
        """Nothing: the console of the instance is the log."""

    def do_PUT(self) -> None:  # noqa: N802
        ttl = self.headers.get("x-aws-ec2-metadata-token-ttl-seconds", "")
        if self.path != "/latest/api/token":
            return self.answer(404)
        if not ttl.isdigit() or not 1 <= int(ttl) <= LONGEST_TOKEN or self.headers.get("x-forwarded-for"):
            return self.answer(400)
        token = secrets.token_urlsafe(40)
        self.tokens[token] = time.time() + int(ttl)
        return self.answer(200, token, {"X-aws-ec2-metadata-token-ttl-seconds": ttl})

    def do_GET(self) -> None:  # noqa: N802
        if self.tokens.get(self.headers.get("x-aws-ec2-metadata-token", ""), 0) < time.time():
            return self.answer(401)
        version, *parts = [part for part in self.path.split("/") if part]
        if version != "latest" or parts[:1] != ["meta-data"]:
            return self.answer(404)
        found = tree(self.facts)
        for part in parts[1:]:
            if not isinstance(found, dict) or part not in found:
                return self.answer(404)
            found = found[part]
        if isinstance(found, dict):
            found = "\n".join(name + ("/" if isinstance(below, dict) else "") for name, below in found.items())
        return self.answer(200, found)


if __name__ == "__main__":
    host, port, facts = sys.argv[1:]
    Metadata.facts = json.loads(facts)
    server = ThreadingHTTPServer((host, int(port)), Metadata)
    print("listening", flush=True)
    server.serve_forever()
