#!/usr/bin/env python3
"""Spikes of cell-attached recordings: dropscope against oasis-deconv on the same traces.

Needs numpy, scipy and oasis-deconv, and the example: cargo build --release -p dropscope-segmentation --example deconvolve_traces
cascade.py FOLDER_OF_CASCADE PATH_OF_deconvolve_traces

Prints, per file, the correlation of output and true spike counts, both smoothed with a Gaussian of 200 ms, and the lag
(ms, above 0: late) at which ours correlates best. Trials shorter than 100 frames are left out; frames that are no
number are dropped; the frame rate is that of the median interval.
"""
import glob, os, subprocess, sys
import numpy as np
import scipy.io
from scipy.ndimage import gaussian_filter1d
from oasis.functions import deconvolve

# Decay (s) as docs/SETTINGS.md has it; that of GCaMP5k, which is not listed there, is a plain guess.
TAU = {"OGB1": 0.63, "GCaMP6f": 0.7, "GCaMP6s": 1.3, "GCaMP5k": 0.8}


def trials(path):
    for c in scipy.io.loadmat(path)["CAttached"][0]:
        c = c[0, 0] if c.shape else c
        t, f = (np.asarray(c[k]).ravel().astype(float) for k in ("fluo_time", "fluo_mean"))
        events = np.asarray(c["events_AP"]).ravel().astype(float) / 1e4
        n = min(len(t), len(f))
        good = np.isfinite(t[:n]) & np.isfinite(f[:n])
        t, f = t[:n][good], f[:n][good]
        if len(t) < 100:
            continue
        dt = np.median(np.diff(t))
        # A spike belongs to the first frame sampled after it.
        at = np.searchsorted(t, events[np.isfinite(events)])
        near = at < len(t)
        yield 1 / dt, f, np.bincount(at[near], minlength=len(t)).astype(float)


def correlation(a, b):
    return float(np.corrcoef(a, b)[0, 1]) if a.std() > 0 and b.std() > 0 else 0.0


def ours(program, fs, tau, f):
    line = f"{fs:.6f} {tau} - " + " ".join(f"{v:.7g}" for v in f)
    done = subprocess.run([program], input=line + "\n", capture_output=True, text=True, check=True)
    return np.array(done.stdout.split(), float)


def peer(f, order):
    try:
        return deconvolve(f, g=(None,) * order, penalty=1)[1]
    except Exception:  # its estimate of the coefficients may fail
        return np.zeros(len(f))


def main(folder, program):
    rows = []
    for path in sorted(glob.glob(os.path.join(folder, "*", "*.mat"))):
        indicator = os.path.basename(os.path.dirname(path)).split("-")[1]
        parts = {"true": [], "ours": [], "ar1": [], "ar2": []}
        for fs, f, spikes in trials(path):
            smooth = lambda v: gaussian_filter1d(v, 0.2 * fs)
            for name, out in (("true", spikes), ("ours", ours(program, fs, TAU[indicator], f)), ("ar1", peer(f, 1)), ("ar2", peer(f, 2))):
                parts[name].append(smooth(out))
        if not parts["true"]:
            print(os.path.basename(path), "has no trial of 100 frames")
            continue
        v = {k: np.concatenate(p) for k, p in parts.items()}
        reach = max(1, int(0.4 * fs))
        lags = range(-reach, reach + 1)
        best = max(lags, key=lambda k: correlation(np.roll(v["ours"], -k), v["true"]))
        c = [correlation(v[k], v["true"]) for k in ("ours", "ar1", "ar2")]
        rows.append((indicator, *c))
        name = os.path.basename(path).replace("CAttached_", "").replace("_mini.mat", "")
        print(f"| {name} | {indicator} | {fs:.1f} | {c[0]:.3f} | {c[1]:.3f} | {c[2]:.3f} | {1000 * best / fs:.0f} |", flush=True)
    for indicator in sorted({r[0] for r in rows}):
        m = np.array([r[1:] for r in rows if r[0] == indicator])
        wins = int((m[:, 0] >= m[:, 1:].max(1)).sum())
        print(f"| mean | {indicator} | | {m[:, 0].mean():.3f} | {m[:, 1].mean():.3f} | {m[:, 2].mean():.3f} | best in {wins} of {len(m)} |")


if __name__ == "__main__":
    main(*sys.argv[1:3])
