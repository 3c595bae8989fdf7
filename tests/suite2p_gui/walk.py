"""A run in suite2p's GUI, used as a person would: walk.py FOLDER, where FOLDER/mouse and FOLDER/planes are runs of one plane
and of three. Each check says the truth that is lost when it fails."""

import shutil
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np

FOLDER = Path(sys.argv[1])
failed = []


def check(truth, holds, seen=""):
    print(f"{'ok  ' if holds else 'LOST'}  {truth}{f': {seen}' if seen != '' else ''}", flush=True)
    if not holds:
        failed.append(truth)


def load(folder, name):
    array = np.load(folder / f"{name}.npy", allow_pickle=True)
    return array.item() if array.dtype == object and array.shape == () else array


# What the files hold is read before suite2p is there: its classes cannot help.
MOUSE, PLANES = FOLDER / "mouse" / "suite2p", FOLDER / "planes" / "suite2p"
PLAIN = (bool, int, float, str, list, dict, np.ndarray)


def is_plain(value):
    inner = value.values() if type(value) is dict else value if type(value) is list else ()
    dtype = type(value) is not np.ndarray or value.dtype.kind in "bif"
    return type(value) in PLAIN and dtype and all(is_plain(v) for v in inner)


for path in sorted([*MOUSE.rglob("*.npy"), *PLANES.rglob("*.npy")]):
    value = load(path.parent, path.stem)
    values = list(value) if getattr(value, "dtype", None) == object else [value]
    if not all(is_plain(v) for v in values):
        check(f"{path.relative_to(FOLDER)} holds plain types", False)
check("every file holds plain NumPy and Python types", not failed)
check("no module of suite2p was needed to read them", not [m for m in sys.modules if m.startswith("suite2p")])

began = time.monotonic()
from qtpy import QtCore  # noqa: E402
from qtpy.QtTest import QTest  # noqa: E402
from qtpy.QtWidgets import QApplication, QMessageBox  # noqa: E402

app = QApplication(sys.argv[:1])
from suite2p import io as files  # noqa: E402
from suite2p.gui import classgui, gui2p, io, merge  # noqa: E402

print(f"suite2p {version('suite2p')}, started in {time.monotonic() - began:.0f} s", flush=True)
check("this is the suite2p that the layout is held against", version("suite2p") == "1.1.0", version("suite2p"))
QMessageBox.question = staticmethod(lambda *_, **__: QMessageBox.Yes)
QMessageBox.information = staticmethod(lambda *_, **__: QMessageBox.Ok)


def settle(seconds=0.5):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        app.processEvents()
        time.sleep(0.01)


def opened(folder):
    window = gui2p.MainWindow(statfile=str(folder / "stat.npy"))
    window.setGeometry(0, 0, 1600, 1000)
    settle(2)
    return window


def shot(name):
    settle()
    app.primaryScreen().grabWindow(0).save(str(FOLDER / f"{name}.png"))


def click(window, roi, button):
    """A click on the pixel of a ROI that is its own in the view where it is shown."""
    shown = 0 if window.iscell[roi] else 1
    box = (window.p1, window.p2)[shown]
    rows, columns = np.nonzero(window.rois["iROI"][shown, 0] == roi)
    middle = np.argmin((rows - np.median(rows)) ** 2 + (columns - np.median(columns)) ** 2)
    scene = box.mapViewToScene(QtCore.QPointF(columns[middle] + 0.5, rows[middle] + 0.5))
    view = window.win
    QTest.mouseMove(view.viewport(), view.mapFromScene(scene))
    settle(0.2)
    QTest.mouseClick(view.viewport(), button, QtCore.Qt.NoModifier, view.mapFromScene(scene))
    settle()


LEFT, RIGHT = QtCore.Qt.LeftButton, QtCore.Qt.RightButton

# One plane of a real recording.
plane = FOLDER / "curated"
shutil.copytree(MOUSE / "plane0", plane)
before = load(plane, "iscell")
window = opened(plane)
check("the GUI opens the folder of a plane", window.loaded and len(window.stat) == len(before), len(window.stat))
check("its counts are those of iscell.npy", int(window.lcell0.text()) == before[:, 0].sum(), window.lcell0.text())
views = [int(np.ptp(window.views[k])) for k in range(1, 5)]
check("mean, enhanced mean, map and maximum all show something", min(views) > 100, views)
shot("opened")
for key, name in ((QtCore.Qt.Key_E, "enhanced"), (QtCore.Qt.Key_R, "map"), (QtCore.Qt.Key_T, "maximum")):
    QTest.keyClick(window, key)
    shot(f"view_{name}")
QTest.keyClick(window, QtCore.Qt.Key_W)

cell, other = np.flatnonzero(before[:, 0])[[1, 2]]
click(window, cell, LEFT)
check("a click selects the cell under it", window.ichosen == cell, (window.ichosen, cell))
shot("selected")
click(window, cell, RIGHT)
after = load(plane, "iscell")
changed = np.flatnonzero(before[:, 0] != after[:, 0])
check("a right click makes a cell none, in iscell.npy too", list(changed) == [cell] and after[cell, 0] == 0, changed)
check("and nothing else changes", (before[:, 1] == after[:, 1].astype("f4")).all() and len(before) == len(after))
shot("moved")
window.close()

window = opened(plane)
check("what was curated is there when it is opened again", not window.iscell[cell] and window.iscell[other])

# A copy in the home folder, which the GUI makes of suite2p's own.
classgui.load_default_classifier(window)
told = window.probcell.copy()
check("suite2p's classifier has an opinion of every ROI", np.isfinite(told).all() and np.ptp(told) > 0.1, np.ptp(told))
merge.apply(window)
check("and it is written", np.array_equal(load(plane, "iscell")[:, 0], told > 0.5), int((told > 0.5).sum()))
shot("classified")
agreed = np.mean((told > 0.5) == before[:, 0].astype(bool))
print(f"suite2p's classifier agrees with dropscope on {100 * agreed:.0f} % of {len(told)} ROIs", flush=True)
classgui.add_to(window)
check("it learns from the run", len(window.model.iscell) > len(told))

window.ichosen, window.imerge = int(cell), [int(cell), int(other)]
merge.do_merge(window)
check("two ROIs can be merged", len(load(plane, "stat")) == len(before) + 1 == len(load(plane, "F")))
shot("merged")
window.close()

# Three planes: our combined/ against the one that suite2p makes of the planes.
ours = PLANES / "combined"
made = FOLDER / "made_combined"
shutil.copytree(PLANES, made)
stat, db, settings, f, fneu, spks, iscell, probability, *_ = files.combined(str(made), save=False)
check("suite2p combines the planes to the same traces", all(np.array_equal(a, load(ours, n)) for a, n in
                                                          ((f, "F"), (fneu, "Fneu"), (spks, "spks"))))
check("to the same cells", np.array_equal(np.c_[iscell, probability], load(ours, "iscell")))
same = [all(np.array_equal(a[k], b[k]) for k in ("ypix", "xpix", "lam", "med", "iplane")) for a, b in zip(stat, load(ours, "stat"))]
check("to the same ROIs at the same places", len(stat) == len(load(ours, "stat")) and all(same), len(stat))
ops = load(ours, "ops")
images = {n: np.array_equal(db[n].astype("f4"), ops[n]) for n in ("meanImg", "meanImgE", "max_proj", "Vcorr")}
check("to the same images", all(images.values()), images)
check("of the same extent", all(db[k] == ops[k] for k in ("Ly", "Lx", "xrange", "yrange", "nframes")))

combined = FOLDER / "curated_combined"
shutil.copytree(ours, combined)
window = opened(combined)
check("the GUI opens combined/", window.loaded and len(window.stat) == len(stat), len(window.stat))
shot("combined")
last = int(np.flatnonzero(iscell)[-1])
click(window, last, RIGHT)
check("a cell of the last plane can be moved there", load(combined, "iscell")[last, 0] == 0, stat[last]["iplane"])
shot("combined_moved")
window.close()
window = gui2p.MainWindow()
window.fname = str(made)
io.load_folder(window)
check("the GUI opens the folder of all planes", window.loaded and len(window.stat) == len(stat))
shot("folder")
window.close()

print(f"{len(failed)} lost: pictures in {FOLDER}" if failed else f"all held: pictures in {FOLDER}", flush=True)
sys.stdout.flush()
sys.exit(bool(failed))
