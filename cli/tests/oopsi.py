"""Mean fluorescence of the neuron in each of the oopsi movies, and when an electrode saw it fire, as lines of JSON."""
import json
import pathlib
import sys

import tifffile

data = pathlib.Path(sys.argv[1])
truth = json.loads((data / "truth" / "oopsi_spikes.json").read_text())
for name, trial in sorted(truth.items()):
    # One neuron fills the picture.
    trace = tifffile.imread(data / "movies" / name).mean((1, 2)).tolist()
    spikes = [frame - 1 for frame in trial["spike_frames_1based"]]
    print(json.dumps({"file": name, "frame_rate_hz": 1 / trial["frame_interval_s"], "trace": trace, "spikes": spikes}))
