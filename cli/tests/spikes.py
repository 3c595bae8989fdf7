"""Prints the trials of cell-attached recordings (CASCADE's layout), one JSON object a line: spikes.py FOLDER

Trials of at least 100 frames; frames that are no number are dropped. `spikes` counts the true spikes of each frame: a spike belongs to the
first frame sampled after it.
"""
import glob, json, os, sys
import numpy as np
import scipy.io

for path in sorted(glob.glob(os.path.join(sys.argv[1], "*", "*.mat"))):
    for c in scipy.io.loadmat(path)["CAttached"][0]:
        c = c[0, 0] if c.shape else c
        t, f = (np.asarray(c[k]).ravel().astype(float) for k in ("fluo_time", "fluo_mean"))
        n = min(len(t), len(f))
        good = np.isfinite(t[:n]) & np.isfinite(f[:n])
        t, f = t[:n][good], f[:n][good]
        if len(t) < 100:
            continue
        events = np.asarray(c["events_AP"]).ravel().astype(float) / 1e4
        at = np.searchsorted(t, events[np.isfinite(events)])
        spikes = np.bincount(at[at < len(t)], minlength=len(t))
        print(json.dumps({
            "file": os.path.basename(path), "indicator": os.path.basename(os.path.dirname(path)).split("-")[1],
            "frame_rate_hz": float(1 / np.median(np.diff(t))), "trace": f.tolist(), "spikes": spikes.tolist(),
        }))
