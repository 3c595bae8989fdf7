"""Runs a program, and whatever it starts, until standard input ends: so nothing outlives the walk, however that ends.

Usage: guard.py HEALTH WORDS…; says `listening` once the address HEALTH answers.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.request

LONGEST = 300


def answers(health: str) -> bool:
    try:
        urllib.request.urlopen(health, timeout=2).read()
    except OSError:
        return False
    return True


def main() -> int:
    health, *words = sys.argv[1:]
    # A session of its own, so that its programs can be ended as one group.
    program = subprocess.Popen(words, stdin=subprocess.DEVNULL, start_new_session=True, stdout=sys.stderr)
    try:
        until = time.monotonic() + LONGEST
        while not answers(health):
            if program.poll() is not None or time.monotonic() > until:
                return 1
            time.sleep(0.2)
        print("listening", flush=True)
        sys.stdin.buffer.read()
    finally:
        # Nobody is left of it where it died by itself.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(program.pid, signal.SIGKILL)
        program.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
