#!/usr/bin/env python3
"""Fits the weights of shared/segmentation/src/classification to generated movies whose cells are known.

Needs numpy, scipy and tifffile, the movie generator (opencv-python-headless for its cubic warp), and the example:
cargo build --release -p dropscope-segmentation --example segment_raw
classifier.py MAKE_MOVIE.py PATH_OF_segment_raw FOLDER [NAME ...]

Makes the movies of MOVIES in FOLDER (those that are not there yet; about 3 GB, minutes each), segments them, matches ROIs
with cells, and fits a logistic regression in which no weight may have the wrong sign. The doubts about shape are those of
the program and are not fitted. Prints the weights, then per movie how many true and false ROIs are taken for cells.
"""
import json, os, subprocess, sys
import numpy as np
import tifffile
from scipy.optimize import linear_sum_assignment, minimize

SMALL = "--H 256 --W 256 "
# Name: options of the generator, frame rate (Hz), tau (s). The seed is the name.
MOVIES = {
    "101": (SMALL + "--snr med --neurons 60 --T 600", 30, 1.25),
    "102": (SMALL + "--snr low --neurons 60 --T 1000 --warp numpy", 30, 1.25),
    "103": (SMALL + "--snr high --neurons 40 --T 600 --radius 7.5", 30, 1.25),
    "104": (SMALL + "--snr med --neurons 90 --T 600 --radius 5", 30, 1.25),
    "105": (SMALL + "--snr high --nuclear --fs 2 --T 400 --neurons 70 --planes 2 --walk-sd 0.8 --jump-rate 0.05", 2, 2.2),
    "106": (SMALL + "--snr med --nuclear --fs 3 --T 400 --neurons 60 --planes 3 --warp numpy", 3, 2.2),
    "107": (SMALL + "--snr low --neurons 80 --T 900 --fs 15", 15, 1.25),
    "108": (SMALL + "--snr high --neurons 60 --T 500 --blobs 1.2 --warp numpy", 30, 1.25),
}
FEATURES = ["skew", "ln_snr", "contrast", "halo", "ln_relative_contrast"]
# What is a usual size of each, so that one penalty suits them all.
SCALE = np.array([1, 1, 1, 0.1, 1])
PENALTY = 2e-3
# Overlap with a cell at which an ROI is that cell, and below which it is none; what lies between teaches nothing.
CELL, NONE = 0.4, 0.25


def movie(name, generator, folder):
    options, fs, tau = MOVIES[name]
    out = os.path.join(folder, name)
    if not os.path.exists(os.path.join(out, "movie_truth.npz")):
        subprocess.run([sys.executable, generator, "--out", out, "--seed", name, *options.split()], check=True, stdout=subprocess.DEVNULL)
    return out, fs, tau


def segmented(path, program, fs, tau):
    """Per plane: the ROIs with their features, and the mean image."""
    truth = dict(np.load(os.path.join(path, "movie_truth.npz")))
    planes, shape = int(truth["planes"]), (int(truth["H"]), int(truth["W"]))
    frames = tifffile.imread(os.path.join(path, "tif", "movie.tif")).reshape(-1, planes, *shape)
    for plane in range(planes):
        raw, out = os.path.join(path, "plane.raw"), os.path.join(path, f"plane{plane}")
        frames[:, plane].astype("<u2").tofile(raw)
        subprocess.run([program, raw, *map(str, (len(frames), *shape, fs, tau)), out], check=True, stdout=subprocess.DEVNULL)
        os.remove(raw)
        mean = np.fromfile(os.path.join(out, "mean"), "<f4").reshape(shape)
        with open(os.path.join(out, "rois.json")) as file:
            yield truth, plane, json.load(file)["rois"], mean


def labels(truth, plane, rois, mean):
    """1 for a cell, 0 for none, -1 for what is neither; both are laid on one another by the mean images."""
    h, w = mean.shape
    scene = truth["mean_scene"][plane] if truth["mean_scene"].ndim == 3 else truth["mean_scene"]
    top, left = (scene.shape[0] - h) // 2, (scene.shape[1] - w) // 2
    scene = scene[top : top + h, left : left + w]
    product = np.fft.rfft2(mean - mean.mean()) * np.conj(np.fft.rfft2(scene - scene.mean()))
    peak = np.unravel_index(np.fft.irfft2(product, s=mean.shape).argmax(), mean.shape)
    dy, dx = [(p + n // 2) % n - n // 2 for p, n in zip(peak, mean.shape)]
    pixels = lambda y, x: set((np.asarray(y, int) * 10000 + np.asarray(x, int)).tolist())
    start, cells = truth["roi_start"], np.flatnonzero(truth["plane"] == plane)
    parts = [slice(start[i], start[i + 1]) for i in cells]
    known = [pixels(truth["ypix"][p].astype(int) + dy, truth["xpix"][p].astype(int) + dx) for p in parts]
    found = [pixels(r["ypix"], r["xpix"]) for r in rois]
    iou = np.array([[len(a & b) / max(1, len(a | b)) for b in found] for a in known]).reshape(len(known), len(found))
    label = np.zeros(len(found), int)
    for i, j in zip(*linear_sum_assignment(-iou)):
        label[j] = 1 if iou[i, j] >= CELL else -1 if iou[i, j] >= NONE else 0
    return label


def usual(values, weights):
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return values[order][np.searchsorted(total, total[-1] / 2)]


def features(rois):
    """What cell_probability sees: the fitted part, and the doubts about shape."""
    column = lambda key: np.array([r[key] for r in rois], float)
    snr, contrast = column("snr"), column("contrast")
    relative = np.log(np.maximum(contrast, 0.3) / max(usual(contrast, np.maximum(snr, 0) ** 2), 1))
    fitted = np.stack([
        np.clip(column("skew"), -2, 1.5),
        np.clip(np.log(np.maximum(snr, 1e-3)), 0, 2),
        np.clip(contrast, -1, 4),
        -np.clip(column("halo"), 0, 0.3),
        np.clip(relative, -2, 0),
    ], axis=1)
    octaves = np.abs(np.log2(np.maximum(column("relative_area"), 1e-6)))
    beyond = lambda values, free: np.maximum(0, values - free)
    return fitted, -(8 * beyond(octaves, 0.55) + 4 * beyond(column("aspect"), 1.6) + 25 * beyond(column("compact"), 1.1))


def fit(x, doubt, label, weight):
    x, sign = x / SCALE, np.where(label == 1, 1, -1)
    loss = lambda b: (weight * np.logaddexp(0, -sign * (x @ b[:-1] + b[-1] + doubt))).sum() + PENALTY * (b[:-1] ** 2).sum()
    bounds = [(0, None)] * x.shape[1] + [(None, None)]
    best = minimize(loss, np.r_[np.ones(x.shape[1]), 0], bounds=bounds, method="L-BFGS-B").x
    return np.r_[best[:-1] / SCALE, best[-1]]


def main(generator, program, folder, *names):
    sets = []
    for name in names or MOVIES:
        path, fs, tau = movie(name, generator, folder)
        parts = [(*features(rois), labels(truth, plane, rois, mean)) for truth, plane, rois, mean in segmented(path, program, fs, tau)]
        sets.append((name, *(np.concatenate(p) for p in zip(*parts))))
    used = [(x[l >= 0], d[l >= 0], l[l >= 0], np.full((l >= 0).sum(), 1 / max(1, (l >= 0).sum()) / len(sets))) for _, x, d, l in sets]
    weights = fit(*(np.concatenate(part) for part in zip(*used)))
    print(", ".join(f"{name}: {value:.3f}" for name, value in zip([*FEATURES, "bias"], weights)))
    for name, x, doubt, label in sets:
        taken = x @ weights[:-1] + weights[-1] + doubt > 0
        print(f"{name}: {(taken & (label == 1)).sum()} of {(label == 1).sum()} cells, {(taken & (label == 0)).sum()} of {(label == 0).sum()} others")


if __name__ == "__main__":
    main(*sys.argv[1:])
