"""Writes stacks with tifffile in many combinations and says what is in them, one JSON object a line.

Usage: python stacks.py FOLDER COUNT SEED
Combinations of byte order, classic or Big, ImageJ, OME, "shaped" or plain, type, compression and predictor, strips or tiles,
1 to 2 channels and 1 to 3 planes, in random order; COUNT of those that tifffile can write. Each object: file, frames,
planes, channels (1 and 1 with all pages as frames for plain files), height, width, type, and the CRC-32 of the frames of
each plane and channel, planes slowest.
"""

import itertools
import json
import os
import random
import sys
import warnings
import zlib

import numpy as np
import tifffile

warnings.simplefilter("ignore")
TYPES = "uint8 int8 uint16 int16 uint32 int32 float16 float32 float64".split()
COMPRESSIONS = [None, "packbits", "lzw", "zlib", "zstd"]


def combinations():
    yield from itertools.product(
        "<>",
        [False, True],
        ["imagej", "ome", "shaped", "plain"],
        TYPES,
        COMPRESSIONS,
        [False, True],
        ["whole", "strips", "tiles"],
        [1, 2],
        [1, 2, 3],
    )


def frames_of(rng, dtype, shape):
    if dtype.kind == "f":
        return rng.normal(100, 30, shape).astype(dtype)
    # Neighbours alike, as in a picture, and the whole range now and then.
    info = np.iinfo(dtype)
    steps = rng.integers(-3, 4, shape).cumsum(axis=-1)
    values = steps + rng.integers(info.min // 2, info.max // 2, shape[:-1] + (1,))
    values = np.where(rng.random(shape) < 0.02, rng.choice([info.min, info.max], shape), values)
    return np.clip(values, info.min, info.max).astype(dtype)


def write(path, rng, combination):
    order, big, kind, dtype, compression, predictor, layout, channels, planes = combination
    dtype = np.dtype(dtype)
    frames, height, width = int(rng.integers(2, 7)), int(rng.integers(5, 40)), int(rng.integers(5, 40))
    options = {"byteorder": order, "photometric": "minisblack", "compression": compression}
    if predictor:
        options["predictor"] = True
    if layout == "strips":
        options["rowsperstrip"] = int(rng.integers(1, height + 1))
    if layout == "tiles":
        options["tile"] = (16 * int(rng.integers(1, 3)), 16 * int(rng.integers(1, 3)))
    sizes = {"T": frames, "Z": planes, "C": channels}
    axes = "TZC" if kind in ("imagej", "plain") else "".join(rng.permutation(list("TZC")))
    if kind == "imagej":
        options["imagej"] = True
        options["metadata"] = {"axes": "TZCYX"}
    elif kind == "ome":
        options["ome"] = True
        options["metadata"] = {"axes": axes + "YX"}
    elif kind == "shaped":
        options["metadata"] = {"axes": axes + "YX"}
    else:
        options["metadata"] = None
    data = frames_of(rng, dtype, tuple(sizes[a] for a in axes) + (height, width))
    tifffile.imwrite(path, data, bigtiff=big, **options)
    back = np.moveaxis(data, [axes.index("Z"), axes.index("C"), axes.index("T")], [0, 1, 2])
    if kind == "plain":
        back = data.reshape((1, 1, -1, height, width))
    back = back.astype("f4") if dtype == np.float16 else back
    back = back.astype(back.dtype.newbyteorder("<"))
    return {
        "planes": back.shape[0],
        "channels": back.shape[1],
        "frames": back.shape[2],
        "height": height,
        "width": width,
        "dtype": back.dtype.name,
        "crc": [zlib.crc32(back[z, c].tobytes()) for z in range(back.shape[0]) for c in range(back.shape[1])],
    }


def main(folder, count, seed):
    wanted = list(combinations())
    random.Random(int(seed)).shuffle(wanted)
    written = 0
    for number, combination in enumerate(wanted):
        if written == int(count):
            break
        path = os.path.join(folder, "%05d.tif" % number)
        try:
            said = write(path, np.random.default_rng([int(seed), number]), combination)
        except Exception:
            # tifffile refuses what the format does not have, such as int8 for ImageJ.
            continue
        written += 1
        print(json.dumps({"file": path, "how": " ".join(map(str, combination)), **said}), flush=True)


main(*sys.argv[1:])
