"""Judges the files of a run in the current folder: pynwb, nwbinspector and roiextractors against the arrays and tables."""

import csv
import sys
import warnings

import numpy as np
import pynwb
import pynwb.validation
from nwbinspector import Importance, inspect_nwbfile
from pynwb import NWBHDF5IO
from roiextractors import Suite2pSegmentationExtractor

PLANES = [int(rois) for rois in sys.argv[1].split(",")]
SUBJECT = sys.argv[2]
NAME = "segmentation.nwb"
RATE = 15.0

warnings.simplefilter("error")
table = lambda name: list(csv.DictReader(open(name, newline="", encoding="utf-8")))
npy = lambda plane, name: np.load(f"suite2p/plane{plane}/{name}.npy", allow_pickle=True)


def same_traces(ophys, p):
    for container, name in (("Fluorescence", "F"), ("Neuropil", "Fneu"), ("Deconvolved", "spks")):
        series = ophys[container][f"plane{p}"]
        want = npy(p, name)
        assert series.data.dtype == np.float32 and np.array_equal(series.data[:], want.T), (container, p)
        assert series.rate == RATE and series.starting_time == 0.0 and series.unit == "a.u."
        assert list(series.rois.data[:]) == list(range(len(want)))
        assert series.rois.table is ophys["ImageSegmentation"][f"PlaneSegmentation{p}"]


def same_ratios(ophys, p, first):
    data = ophys["DfOverF"][f"plane{p}"].data[:]
    for i in range(data.shape[1]):
        want = [float(row[f"roi_{first + i}"] or "nan") for row in TRACES[: len(data)]]
        # The table has six digits.
        np.testing.assert_allclose(data[:, i], want, rtol=6e-6, atol=1e-30, equal_nan=True)


def same_rois(ophys, p, first):
    rois = ophys["ImageSegmentation"][f"PlaneSegmentation{p}"]
    rows = [row for row in ROIS if int(row["plane"]) == p]
    assert list(rois.id[:]) == [int(row["roi"]) for row in rows] == list(range(first, first + len(rows)))
    assert rois["iscell"].data.dtype == bool and list(rois["iscell"][:]) == [row["cell"] == "1" for row in rows]
    assert list(rois["cluster"][:]) == [int(row["cluster"] or 0) for row in rows]
    clustered = {int(row["roi"]): int(row["cluster"]) for row in table("clusters.csv")}
    assert [clustered.get(i, 0) for i in rois.id[:]] == list(rois["cluster"][:])
    for column, name in (("y", "y"), ("x", "x"), ("radius", "radius_px"), ("aspect_ratio", "aspect_ratio"), ("snr", "snr"),
                         ("compactness", "compactness"), ("skewness", "skewness"), ("cell_probability", "probability")):
        np.testing.assert_allclose(rois[column][:], [float(row[name]) for row in rows], rtol=6e-6)
    for i, stat in enumerate(npy(p, "stat")):
        mask = rois["pixel_mask"][i]
        assert [list(column) for column in zip(*mask)] == [list(stat[k]) for k in ("xpix", "ypix", "lam")], (p, i)
        assert rois["neuropil_coefficient"][i] == np.float32(stat["neuropil_coeff"])
    assert rois.imaging_plane.name == f"ImagingPlane{p}"


def same_motion_and_images(nwb, ophys, p):
    ops = npy(p, "ops").item()
    assert np.array_equal(ophys[f"Shifts_plane{p}"].data[:], np.stack([ops["xoff"], ops["yoff"]], axis=1))
    assert np.array_equal(ophys[f"Correlation_plane{p}"].data[:], ops["corrXY"])
    assert np.array_equal(ophys[f"BadFrames_plane{p}"].data[:].astype(bool), ops["badframes"])
    images = ophys[f"SummaryImages_plane{p}"]
    for image, name in (("mean", "meanImg"), ("mean_raw", "meanImg_raw"), ("sd", "sdImg"), ("reference", "refImg")):
        assert np.array_equal(images[image].data[:].T, ops[name]), image
    (y0, y1), (x0, x1) = ops["yrange"], ops["xrange"]
    assert np.array_equal(images["max"].data[:].T[y0:y1, x0:x1], ops["max_proj"])
    assert abs(images["mean"].resolution - 12500) < 1e-6
    plane = nwb.imaging_planes[f"ImagingPlane{p}"]
    assert np.allclose(plane.grid_spacing[:], 0.8e-6) and plane.grid_spacing_unit == "meters"
    assert plane.device is nwb.devices[plane.device.name]
    return plane


def same_session(nwb, plane):
    channel = plane.optical_channel[0]
    if SUBJECT == "none":
        assert (nwb.subject.subject_id, nwb.subject.sex, nwb.subject.age) == ("unknown", "U", "P0D/")
        assert "Nobody stated" in nwb.subject.description
        assert plane.indicator == plane.location == "unknown"
        assert np.isnan(plane.excitation_lambda) and np.isnan(channel.emission_lambda)
        return
    assert (nwb.subject.subject_id, nwb.subject.species) == ("fish 7 ä", "Danio rerio")
    assert (plane.indicator, plane.location, plane.device.name) == ("GCaMP6s", "tectum", "Scope")
    assert (plane.excitation_lambda, channel.emission_lambda) == (920, 510)
    assert list(nwb.experimenter) == ["Roe, Ana", "Doe, Jö"] and nwb.lab == "Lab" and list(nwb.keywords[:]) == ["calcium"]


def suite2p_as_others_load_it(p):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        suite2p = Suite2pSegmentationExtractor("suite2p", plane_name=f"plane{p}")
        traces = suite2p.get_traces_dict()
        for kind, name in (("raw", "F"), ("neuropil", "Fneu"), ("deconvolved", "spks")):
            assert np.array_equal(np.asarray(traces[kind]), npy(p, name).T), kind
        assert suite2p.get_sampling_frequency() == RATE
        masks = suite2p.get_roi_pixel_masks()
    for mask, stat in zip(masks, npy(p, "stat"), strict=True):
        found = {tuple(pixel[:2]): pixel[2] for pixel in np.asarray(mask).tolist()}
        want = dict(zip(zip(stat["ypix"].tolist(), stat["xpix"].tolist()), stat["lam"].tolist(), strict=True))
        assert found == want


ROIS, TRACES = table("rois.csv"), table("traces.csv")
with NWBHDF5IO(NAME, "r") as io:
    nwb = io.read()
    assert nwb.identifier == "0123456789abcdef" and nwb.session_start_time.isoformat() == "2026-01-02T03:04:05+00:00"
    ophys, first = nwb.processing["ophys"], 0
    for p, rois in enumerate(PLANES):
        if rois:
            same_traces(ophys, p)
            same_ratios(ophys, p, first)
            same_rois(ophys, p, first)
            suite2p_as_others_load_it(p)
        same_session(nwb, same_motion_and_images(nwb, ophys, p))
        first += rois
    assert ("ImageSegmentation" in ophys.data_interfaces) == any(PLANES)
    ids = [o.object_id for o in nwb.objects.values()]
    assert len(set(ids)) == len(ids)

warnings.simplefilter("ignore")
assert not pynwb.validate(path=NAME), pynwb.validate(path=NAME)
bad = [m for m in inspect_nwbfile(nwbfile_path=NAME) if m.importance.value > Importance.BEST_PRACTICE_SUGGESTION.value]
assert not bad, "\n".join(f"{m.importance.name} {m.check_function_name} {m.location}: {m.message}" for m in bad)
