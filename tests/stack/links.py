"""The link of a mail, as its reader has it: it leads to the report, and to nothing once it is changed or revoked."""

import http.client
import re
import urllib.parse
import urllib.request

from lab import Lab, until
from typed import PAGE, Terminal

# What says which answer it is, not what it says.
EACH_ITS_OWN = {"date", "x-amzn-requestid", "x-amzn-trace-id", "x-amz-request-id", "x-amz-id-2"}


def key_made(lab: Lab) -> None:
    """Reconcile makes the key in its first minute: before any instance of EC2 has booted, and not before one of these."""
    there = lambda: lab.s3.list_objects_v2(Bucket=lab.stack.bucket, Prefix="state/links.json")["KeyCount"] == 1  # noqa: E731
    lab.check(until(there), "nobody made the key that signs links")


def link_of(lab: Lab, run: str) -> str:
    """The address in the mail of a run that is done."""
    found = []

    def came() -> bool:
        bodies = [mail["Message"] for mail in lab.stack.mails() if f"Run         {run}\n" in mail["Message"]]
        found[:] = [link for body in bodies for link in re.findall(r"^Open +(\S+)$", body, re.MULTILINE)]
        return bool(found)

    lab.check(until(came), f"no mail of run {run} has a link")
    return found[0] if found else ""


def click(lab: Lab, link: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    """What the address of the stack answers: status, headers, body. The emulator tells addresses apart by the name of the host."""
    place = urllib.parse.urlsplit(link)
    asked = http.client.HTTPConnection(lab.world.stack, timeout=30)
    try:
        asked.request(method, place.path, headers={"Host": place.netloc})
        answer = asked.getresponse()
        headers = {name.lower(): text for name, text in answer.getheaders() if name.lower() not in EACH_ITS_OWN}
        return answer.status, headers, answer.read()
    finally:
        asked.close()


def opened(lab: Lab, terminal: Terminal, key: str) -> None:
    """The link of one recording's mail."""
    run = lab.jobs()[key]["run"]
    address = lab.stack.outputs["OpenAddress"].rstrip("/") + "/"
    link = link_of(lab, run)
    if not link:
        return
    lab.check(link.startswith(address), f"the link is not of the stack's address {address}: {link}")
    status, headers, _ = click(lab, link)
    lab.check(status == 302, f"the link opens nothing: {status} {headers}")
    report = headers.get("location", "")
    lab.check(f"{run}/report.html?" in report, f"the link leads elsewhere: {report}")
    with urllib.request.urlopen(report, timeout=20) as page:
        lab.check(page.read(len(PAGE)).lower() == PAGE, f"the link leads to no page: {report}")
    forged = link[:-4] + ("AAAA" if link[-4:] != "AAAA" else "BBBB")
    refused = [click(lab, forged), click(lab, address), click(lab, link, "POST")]
    terminal.say("links", "revoke", run)
    refused.append(click(lab, link))
    terminal.say("links", "revoke")
    refused.append(click(lab, link))
    lab.check(all(one[0] == 403 for one in refused), f"not refused: {refused}")
    lab.check(all(one == refused[0] for one in refused), f"refusals differ: {refused}")
    lab.check(run in terminal.say("links"), "links does not name the run that is revoked")
