"""Recordings for the walk: 300 frames of a real one, and a small one with a few cells that flicker.

Usage: movies.py REAL FOLDER; writes FOLDER/movie.tif and FOLDER/small.tif.
"""

import sys

import numpy as np
import tifffile

real, folder = sys.argv[1:]
FRAMES, SIDE, CELLS = 90, 48, 4

tifffile.imwrite(f"{folder}/movie.tif", tifffile.imread(real, key=range(300)))

dice = np.random.default_rng(1)
y, x = np.mgrid[:SIDE, :SIDE]
frames = dice.normal(200, 5, (FRAMES, SIDE, SIDE))
for cell in range(CELLS):
    centre = 12 + 24 * np.array(divmod(cell, 2))
    shape = np.exp(-((y - centre[0]) ** 2 + (x - centre[1]) ** 2) / 18)
    spikes = dice.random(FRAMES) < 0.08
    frames += 150 * np.convolve(spikes, np.exp(-np.arange(30) / 8))[:FRAMES, None, None] * shape
tifffile.imwrite(f"{folder}/small.tif", frames.clip(0, 65535).astype("uint16"))
