"""What tifffile sees in each file below a folder, and what the program does with it: one JSON object a line.

Usage: python formats.py PROGRAM FOLDER
Each object: file; verdict of `PROGRAM validate` with its seconds and peak memory (MB), and of `PROGRAM preview` where it
was accepted; and of tifffile: pages, height, width, type and CRC-32 of all pages (channels of a page one after the
other) as little-endian bytes, or nothing where it is no gray picture.
"""

import json
import logging
import os
import subprocess
import sys
import tempfile
import time
import warnings
import zlib

import numpy as np
import tifffile

logging.disable(logging.CRITICAL)
warnings.simplefilter("ignore")
# A file that claims gigabytes is not for tifffile to try.
LARGEST = 1 << 28


def run(arguments):
    """Exit code, standard output, seconds and peak memory of a program."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.monotonic()
        child = subprocess.Popen(arguments, stdout=out, stderr=err)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.monotonic() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        return child.returncode, out.read(), seconds, usage.ru_maxrss / 1024


def samples(page, first):
    """One picture for each sample of a pixel."""
    image = page.asarray()
    if first.samplesperpixel == 1:
        return [image]
    return list(np.moveaxis(image, -1, 0)) if first.planarconfig == 1 else list(image)


def little(stack):
    """As little-endian bytes; half precision as single, which holds it exactly."""
    stack = stack.astype("f4") if stack.dtype == np.float16 else stack
    return stack.astype(stack.dtype.newbyteorder("<"))


def truth(path):
    with tifffile.TiffFile(path) as tif:
        first = tif.pages[0]
        gray = int(first.photometric) in (0, 1, 3) and first.dtype is not None and first.dtype != bool
        if not gray or 0 in first.shape:
            return None
        series = tif.series[0]
        if len(tif.pages) == 1 and first.samplesperpixel == 1 and not series.is_multifile:
            if np.prod(series.shape) * first.dtype.itemsize > LARGEST:
                return None
            stack = series.asarray().reshape((-1,) + first.shape)
        else:
            pages = list(tif.pages)
            if len({(page.shape, page.dtype) for page in pages}) > 1:
                return None
            stack = np.stack([image for page in pages for image in samples(page, first)])
        signed = tif.is_imagej and "c0=-32768" in first.description and stack.dtype == np.uint16
        if signed:
            stack = (stack.astype(np.int32) - 32768).astype(np.int16)
        stack = little(stack)
        return {
            "pages": stack.shape[0],
            "height": stack.shape[1],
            "width": stack.shape[2],
            "dtype": stack.dtype.name,
            "crc": zlib.crc32(stack.tobytes()),
            "samples": first.samplesperpixel,
            "palette": int(first.photometric) == 3,
        }


def main(program, folder):
    for where, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(where, name)
            code, out, seconds, memory = run([program, "validate", path])
            row = {"file": os.path.relpath(path, folder), "code": code, "seconds": seconds, "memory_mb": memory}
            try:
                row["report"] = json.loads(out)
            except ValueError:
                row["report"] = None
            if code == 0:
                with tempfile.TemporaryDirectory() as scratch:
                    code, _, seconds, memory = run([program, "preview", path, "--out", scratch])
                row["preview"] = {"code": code, "seconds": seconds, "memory_mb": memory}
            try:
                row["truth"] = truth(path)
            except Exception:
                row["truth"] = None
            print(json.dumps(row), flush=True)


main(*sys.argv[1:])
