#!/usr/bin/env python3
"""How long `dropscope preview` and `dropscope summarize` take, beside a Python script that does the like.

Usage: python benches/quicklook.py [--rounds 5] [--stack FILE] [--program FILE] [--baseline FILE] [--skip-compressed]

Needs numpy, tifffile, imagecodecs, imageio and pillow in the Python that runs it. See benches/README.md.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import tifffile

ROOT = Path(__file__).resolve().parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
BASELINE = os.environ.get("DROPSCOPE_BASELINE", ROOT / ".." / "shared" / "tools" / "quicklook_baseline.py")
SIDE, FRAMES, SEED = 512, 2000, 1
COMPRESSED_FRAMES = 512
READ_ALL = """
import sys, time, tifffile, imagecodecs
began = time.perf_counter()
frames = tifffile.imread(sys.argv[1], maxworkers=int(sys.argv[2]))
print(time.perf_counter() - began, frames.shape[0])
"""


def frames(count):
    """Cells that flash on an even ground under shot noise: uint16, one frame at a time."""
    random = np.random.default_rng(SEED)
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    cells = [(random.uniform(10, SIDE - 10, 2), random.uniform(0.005, 0.05)) for _ in range(100)]
    shapes = [np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / 32) for (cy, cx), _ in cells]
    shapes = np.stack([shape.ravel() for shape in shapes])
    bright = np.zeros(len(cells), np.float32)
    for _ in range(count):
        bright = 0.95 * bright + 80 * (random.random(len(cells)) < [rate for _, rate in cells])
        ground = 400 + (bright.astype(np.float32) @ shapes).reshape(SIDE, SIDE)
        noise = random.standard_normal((SIDE, SIDE), np.float32) * np.sqrt(ground)
        yield np.clip(ground + noise, 0, 65535).astype(np.uint16)


def make(path, count, compression=None):
    """Writes a stack unless it is there already."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    with tifffile.TiffWriter(partial) as out:
        for frame in frames(count):
            out.write(frame, contiguous=compression is None, compression=compression)
    partial.rename(path)


def run(command, cores):
    """Seconds, peak memory (MB) and what a program prints, on so many cores."""
    environment = dict(os.environ, DROPSCOPE_LOG="dropscope_cli=debug", NO_COLOR="1", RAYON_NUM_THREADS=str(len(cores)))
    with tempfile.TemporaryFile("w+") as said:
        began = time.perf_counter()
        child = subprocess.Popen(
            [str(word) for word in command],
            stdout=said,
            stderr=subprocess.STDOUT,
            env=environment,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        text = said.read()
    if child.returncode != 0:
        sys.exit(f"{command[0]} ended with {child.returncode}: {text}")
    return seconds, usage.ru_maxrss / 1024, text


def seconds_of_pass(text):
    """What the program says its pass over the pixels took."""
    found = re.search(r"the pass over the pixels is done.*?seconds=([0-9.eE+-]+)", text)
    return float(found[1]) if found else float("nan")


class Times:
    """Seconds of each measure over the rounds, and its peak memory."""

    def __init__(self):
        self.seconds, self.memory = {}, {}

    def add(self, name, seconds, memory=0.0):
        self.seconds.setdefault(name, []).append(seconds)
        self.memory[name] = max(self.memory.get(name, 0.0), memory)

    def median(self, name):
        return statistics.median(self.seconds[name])

    def show(self):
        for name, seconds in self.seconds.items():
            memory = f"{self.memory[name]:6.0f} MB" if self.memory[name] else ""
            print(f"{name:28} {self.median(name):7.3f} s  ({min(seconds):.3f} to {max(seconds):.3f})  {memory}")


def quick_look(args, cores, out):
    """The whole commands on an uncompressed stack."""
    make(args.stack, FRAMES)
    times = Times()
    subprocess.run(["cat", args.stack], stdout=subprocess.DEVNULL, check=True)
    for _ in range(args.rounds):
        # Without a file to write to, `cat` is reading alone.
        began = time.perf_counter()
        subprocess.run(["cat", args.stack], stdout=subprocess.DEVNULL, check=True)
        times.add("cat", time.perf_counter() - began)
        for mode in ("frame", "chunk"):
            seconds, memory, _ = run([sys.executable, args.baseline, args.stack, out / "b", "--mode", mode], cores)
            times.add(f"baseline, {mode}", seconds, memory)
        for command in ("preview", "summarize"):
            seconds, memory, text = run([args.program, command, args.stack, "--out", out / command], cores)
            times.add(command, seconds, memory)
            times.add(f"{command}, pass", seconds_of_pass(text))
    times.show()
    baseline = min(times.median("baseline, frame"), times.median("baseline, chunk"))
    ratios = {command: times.median(command) / baseline for command in ("preview", "summarize")}
    ratios |= {f"{c}, pass, to cat": times.median(f"{c}, pass") / times.median("cat") for c in ("preview", "summarize")}
    for name, ratio in ratios.items():
        print(f"{name:28} {ratio:7.2f} of {'cat' if name.endswith('cat') else 'the better baseline'}")
    return {"medians_s": {name: times.median(name) for name in times.seconds}, "ratios": ratios, "peak_mb": times.memory}


def compressed(args, cores, out):
    """Reading every frame of a compressed stack. `summarize` also works on the pixels, so the comparison is on the safe side."""
    report = {}
    for compression in ("lzw", "zlib"):
        stack = args.stack.with_name(f"{args.stack.stem}-{compression}.tif")
        make(stack, COMPRESSED_FRAMES, compression)
        times = Times()
        for _ in range(args.rounds):
            seconds, memory, text = run([sys.executable, "-c", READ_ALL, stack, len(cores)], cores)
            times.add(f"{compression}: tifffile reads", float(text.split()[-2]), memory)
            seconds, memory, text = run([args.program, "summarize", stack, "--out", out / "c"], cores)
            times.add(f"{compression}: summarize, pass", seconds_of_pass(text), memory)
        times.show()
        report[compression] = {name: times.median(name) for name in times.seconds}
    return report


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cores", type=int, default=2, help="cores for every program")
    parser.add_argument("--stack", type=Path, default=TARGET / "bench" / "quicklook.tif", help="made if it is not there")
    parser.add_argument("--program", type=Path, default=TARGET / "release" / "dropscope")
    parser.add_argument("--baseline", type=Path, default=Path(BASELINE), help="also DROPSCOPE_BASELINE")
    parser.add_argument("--skip-compressed", action="store_true")
    args = parser.parse_args()
    for needed in (args.program, args.baseline):
        if not needed.exists():
            sys.exit(f"{needed} is not there: build with `cargo build --release -p dropscope-cli`, or name another")
    cores = set(sorted(os.sched_getaffinity(0))[: args.cores])
    out = Path(tempfile.mkdtemp(prefix="dropscope-bench-"))
    try:
        print(f"load before: {os.getloadavg()[0]:.2f}, cores: {len(cores)}")
        report = quick_look(args, cores, out)
        if not args.skip_compressed:
            report["compressed"] = compressed(args, cores, out)
        print(f"load after: {os.getloadavg()[0]:.2f}")
        print(json.dumps(report))
    finally:
        shutil.rmtree(out)


if __name__ == "__main__":
    main()
