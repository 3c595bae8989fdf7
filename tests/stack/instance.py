"""An instance of EC2, played: the real user data, as root, in a network namespace that holds metadata and the services.

What would touch the machine of the test is replaced by `PLAYED`; everything else is the real program. The instance ends as
one of EC2 does: when it shuts itself down, when a watchdog that it set fires, or when it is terminated, and in no other way.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
METADATA = "169.254.169.254"
# Inside, the services are here.
INSIDE = "127.0.0.1:4566"

PLAYED = {
    # What the harness does is what the machine would: power off, now or in so many minutes.
    "shutdown": 'echo "$*" >> "$INSTANCE/shutdown"',
    "useradd": 'echo "$*" >> "$INSTANCE/useradd"',
    # The user that was made is nobody here.
    "runuser": '[ "$1 $2 $3" = "-u dropscope --" ] || exit 64; shift 3\n'
    "exec setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs -- \"$@\"",
    "chown": '[ "$1" = dropscope ] || exit 64; shift; exec /bin/chown 65534 "$@"',
    # No disk of this machine is ever formatted.
    "lsblk": "exit 0",
    "mkfs.xfs": "exit 64",
    "mount": "exit 64",
}


class Instance:
    """One instance, from its start to its end."""

    def __init__(self, facts: dict, user_data: bytes, services: str, aws: str, within: str, lasts: callable):
        """`facts` as imds.py takes them; `services` is HOST:PORT outside; `aws` the program; `within` the folder that holds
        its own; `lasts` is called at the end."""
        self.facts, self.services, self.lasts = facts, services, lasts
        self.folder = tempfile.mkdtemp(prefix=f"{facts['instance_id']}-", dir=within)
        # The work is done as nobody.
        os.chmod(self.folder, 0o755)
        self.name = "ds" + facts["instance_id"][-10:]
        self.ended = threading.Event()
        self.why = ""
        self.beside: list[subprocess.Popen] = []
        bin_folder = os.path.join(self.folder, "bin")
        os.mkdir(bin_folder)
        for program, text in PLAYED.items():
            self.write(os.path.join("bin", program), f"#!/bin/bash\n{text}\n", 0o755)
        os.symlink(aws, os.path.join(bin_folder, "aws"))
        self.write("user-data", user_data.decode(), 0o644)
        self.life = threading.Thread(target=self.live, daemon=True)
        self.life.start()

    def write(self, name: str, text: str, mode: int) -> None:
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)

    def live(self) -> None:
        try:
            self.boot()
            began = time.monotonic()
            while not self.ended.wait(0.1):
                if off := self.power_off(time.monotonic() - began):
                    self.end(off)
        except Exception as error:  # noqa: BLE001: an instance that cannot boot ends, and says why
            self.end(f"cannot boot: {error}")
        finally:
            self.clear()
            self.lasts(self)

    def boot(self) -> None:
        run = lambda *words: subprocess.run(words, check=True)  # noqa: E731
        run("ip", "netns", "add", self.name)
        run("ip", "-n", self.name, "link", "set", "lo", "up")
        run("ip", "-n", self.name, "addr", "add", f"{METADATA}/32", "dev", "lo")
        inside = ["ip", "netns", "exec", self.name]
        wire = os.path.join(self.folder, "services.sock")
        python = [sys.executable, "-u"]
        self.start([*python, f"{HERE}/forward.py", f"unix:{wire}", f"tcp:{self.services}"])
        self.start([*inside, *python, f"{HERE}/forward.py", f"tcp:{INSIDE}", f"unix:{wire}"])
        self.start([*inside, *python, f"{HERE}/imds.py", METADATA, "80", json.dumps(self.facts)])
        environment = {
            "PATH": f"{self.folder}/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": self.folder,
            "TMPDIR": self.folder,
            "INSTANCE": self.folder,
            "AWS_ENDPOINT_URL": f"http://{INSIDE}",
        }
        with open(os.path.join(self.folder, "console"), "wb") as console:
            boot = [*inside, "bash", os.path.join(self.folder, "user-data")]
            self.beside.append(subprocess.Popen(boot, env=environment, stdout=console, stderr=console, start_new_session=True))

    def start(self, words: list[str]) -> None:
        process = subprocess.Popen(words, stdout=subprocess.PIPE)
        process.stdout.readline()
        self.beside.append(process)

    def power_off(self, seconds: float) -> str:
        """Why the machine is off by now, if it is. The last word of `shutdown` holds, as with systemd."""
        try:
            with open(os.path.join(self.folder, "shutdown"), encoding="utf-8") as file:
                last = file.read().splitlines()[-1]
        except (FileNotFoundError, IndexError):
            return ""
        if last == "-h now":
            return "shut itself down"
        minutes = re.fullmatch(r"-h \+(\d+)", last)
        if not minutes:
            return f"`shutdown {last}` is no way to end"
        return "its watchdog fired" if seconds > 60 * int(minutes.group(1)) else ""

    def end(self, why: str) -> None:
        """Cuts the power."""
        if not self.ended.is_set():
            self.why = why
            self.ended.set()

    def console(self) -> str:
        path = os.path.join(self.folder, "console")
        return open(path, encoding="utf-8", errors="replace").read() if os.path.exists(path) else ""

    def clear(self) -> None:
        listed = subprocess.run(["ip", "netns", "pids", self.name], capture_output=True, text=True, check=False).stdout
        for pid in listed.split():
            try:
                os.kill(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                pass
        for process in self.beside:
            process.kill()
            process.wait()
        subprocess.run(["ip", "netns", "del", self.name], check=False, stderr=subprocess.DEVNULL)
