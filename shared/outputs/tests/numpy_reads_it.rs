//! NumPy, alone and with warnings as errors, judges the suite2p arrays.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::{fs, path::Path, process::Command};

use dropscope_outputs::write_folder;
use dropscope_segmentation::SegmentedRecording;
use dropscope_testkit::python;
use ndarray::Array2;
use support::{joined, meta, planted, scene, session};

/// Runs a script in the folder of plane 0, where `raw(name, dtype)` reads what Rust holds.
fn judge(dir: &Path, script: &str) {
    let prelude = r"
import numpy as np
load = lambda name: np.load(name + '.npy', allow_pickle=True)
raw = lambda name, dtype: np.fromfile(name + '.raw', dtype)
";
    let output = Command::new(python().expect("tests need a Python"))
        .args(["-W", "error", "-c", &format!("{prelude}{script}")])
        .current_dir(dir.join("suite2p/plane0"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn raw(dir: &Path, name: &str, values: impl IntoIterator<Item = f32>) {
    let bytes: Vec<u8> = values.into_iter().flat_map(f32::to_le_bytes).collect();
    fs::write(dir.join("suite2p/plane0").join(format!("{name}.raw")), bytes).unwrap();
}

fn written(recording: &SegmentedRecording) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    write_folder(dir.path(), &meta(), &session(), recording).unwrap();
    dir
}

fn example() -> SegmentedRecording {
    let mut recording = planted(&scene(64, 72, 60, 6));
    recording.planes[0].rois[2].is_cell = false;
    recording.planes[0].rois[2].cell_probability = 0.25;
    recording
}

#[test]
fn traces_load_equal() {
    let recording = example();
    let (dir, seg) = (written(&recording), &recording.planes[0]);
    let arrays: [(&str, &Array2<f32>); 3] = [("F", &seg.f), ("Fneu", &seg.fneu), ("spks", &seg.spks)];
    for (name, array) in arrays {
        raw(dir.path(), name, array.iter().copied());
    }
    judge(
        dir.path(),
        r"
for name in ('F', 'Fneu', 'spks'):
    a = np.load(name + '.npy')
    assert a.dtype == np.float32 and a.shape == (6, 60) and a.flags.c_contiguous, name
    assert (a.ravel() == raw(name, '<f4')).all(), name
assert np.load('F.npy', mmap_mode='r').shape == (6, 60)
c = np.load('iscell.npy')
assert c.dtype == np.float32 and c.shape == (6, 2)
assert list(c[:, 0]) == [1, 1, 0, 1, 1, 1] and c[2, 1] == 0.25
",
    );
}

#[test]
fn stat_loads_as_dicts_with_the_pixels() {
    let recording = example();
    let (dir, seg) = (written(&recording), &recording.planes[0]);
    let pixels = |of: fn(&dropscope_segmentation::Roi) -> &Vec<u32>| -> Vec<f32> {
        seg.rois.iter().flat_map(|r| of(r).iter().map(|&v| v as f32)).collect()
    };
    raw(dir.path(), "ypix", pixels(|r| &r.ypix));
    raw(dir.path(), "xpix", pixels(|r| &r.xpix));
    raw(dir.path(), "lam", seg.rois.iter().flat_map(|r| r.lam.clone()));
    raw(dir.path(), "med", seg.rois.iter().flat_map(|r| [r.med.0 as f32, r.med.1 as f32]));
    judge(
        dir.path(),
        r"
stat = load('stat')
assert stat.shape == (6,) and stat.dtype == object and all(type(s) is dict for s in stat)
for key, dtype in (('ypix', np.int32), ('xpix', np.int32), ('lam', np.float32)):
    assert all(s[key].dtype == dtype and s[key].ndim == 1 for s in stat), key
    assert (np.concatenate([s[key] for s in stat]) == raw(key, '<f4')).all(), key
assert [v for s in stat for v in s['med']] == list(raw('med', '<f4'))
for s in stat:
    assert s['overlap'].dtype == bool and s['soma_crop'].all()
    assert list(np.flatnonzero(s['overlap'])) == list(range(0, s['npix'], 7))
    assert s['npix'] == len(s['ypix']) == s['npix_soma'] and type(s['npix']) is int
    assert s['skew'] == 2.5 and s['std'] == 31.25 and s['neuropil_coeff'] == np.float32(0.7)
    assert type(s['radius']) is float
assert abs(np.mean([s['npix_norm'] for s in stat]) - 1) < 1e-12
stat[0]['ypix'][0] = 5          # the GUI edits in place
F, mask = load('F'), np.zeros((64, 72))
mask[stat[1]['ypix'], stat[1]['xpix']] = stat[1]['lam']
",
    );
}

#[test]
fn ops_loads_as_a_dict_with_images_and_motion() {
    let recording = example();
    let (dir, seg) = (written(&recording), &recording.planes[0]);
    raw(dir.path(), "meanImg", seg.registration.mean.iter().copied());
    raw(dir.path(), "max", seg.registration.max.iter().copied());
    raw(dir.path(), "yoff", seg.registration.yoff.iter().copied());
    raw(dir.path(), "xoff", seg.registration.xoff.iter().copied());
    judge(
        dir.path(),
        r#"
ops = load('ops')
assert ops.shape == ()
ops = ops.item()
assert type(ops) is dict
assert (ops['Ly'], ops['Lx'], ops['nframes'], ops['nplanes']) == (64, 72, 60, 1)
assert ops['fs'] == 15.0 and ops['tau'] == 1.0
assert ops['yrange'] == [1, 62] and ops['xrange'] == [2, 71]
assert (ops['meanImg'].ravel() == raw('meanImg', '<f4')).all()
assert (ops['max_proj'] == raw('max', '<f4').reshape(64, 72)[1:62, 2:71]).all()
for key in ('yoff', 'xoff'):
    assert (ops[key] == raw(key, '<f4')).all()
assert ops['badframes'].dtype == bool and list(np.flatnonzero(ops['badframes'])) == [1]
assert ops['refImg'].shape == ops['meanImg_raw'].shape == (64, 72)
assert ops['filelist'] == ['fish 7 <tectum> & "cerebellum".tif']
assert ops['save_path'] == 'suite2p/plane0' and ops['dropscope_version'] == '0.1.0'
assert ops['diameter'][0] in range(8, 13)
ops['meanImg'][0, 0] = 1        # and is writable
np.save('again.npy', ops)
"#,
    );
}

#[test]
fn a_recording_without_cells_loads_too() {
    let dir = written(&planted(&scene(64, 72, 20, 0)));
    judge(
        dir.path(),
        r"
assert load('F').shape == (0, 20) and load('iscell').shape == (0, 2)
assert load('stat').shape == (0,) and load('ops').item()['diameter'] == [12, 12]
",
    );
}

#[test]
fn the_four_dicts_of_version_1_together_are_what_ops_holds() {
    judge(
        written(&example()).path(),
        r"
ops = load('ops').item()
same = lambda a, b: np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b
for name in ('db', 'settings', 'reg_outputs', 'detect_outputs'):
    part = load(name).item()
    assert part and all(same(v, ops[k]) for k, v in part.items()), name
assert ops['extraction']['neuropil_coefficient'] == np.float32(0.7) == ops['neucoeff']
view = (61, 69)
assert ops['Vcorr'].shape == ops['max_proj'].shape == view and ops['Vcorr'].min() >= 0
assert ops['meanImgE'].shape == (64, 72) and 0 <= ops['meanImgE'].min() < ops['meanImgE'].max() <= 1
",
    );
}

#[test]
fn what_varies_as_light_does_is_dark_in_the_map_and_what_varies_more_is_bright() {
    let mut recording = example();
    let reg = &mut recording.planes[0].registration;
    // Brightness of all sorts, half of it lively in a strip; counts of photons, each worth 3, above an offset of 40.
    reg.mean = Array2::from_shape_fn((64, 72), |(y, x)| 100.0 + ((y * 7 + x * 13) % 50) as f32);
    let lively = |x: usize| if (30..36).contains(&x) { 2.0 } else { 0.0 };
    reg.sd = Array2::from_shape_fn((64, 72), |(y, x)| (3.0 * (reg.mean[[y, x]] - 40.0) * (1.0 + lively(x))).sqrt());
    judge(
        written(&recording).path(),
        r"
ops = load('ops').item()
columns = np.arange(2, 71)
strip = (columns >= 30) & (columns < 36)
assert np.abs(ops['Vcorr'][:, strip] - 2).max() < 0.1 and ops['Vcorr'][:, ~strip].max() < 0.05
",
    );
}

#[test]
fn one_plane_is_not_combined_and_several_are_in_the_same_order_in_tiles() {
    assert!(!written(&example()).path().join("suite2p/combined").exists());
    let dir = written(&joined(&[example(), planted(&scene(64, 72, 40, 0)), planted(&scene(64, 72, 60, 4))]));
    judge(
        dir.path(),
        r"
import os
def folder(name):
    read = lambda n: np.load(os.path.join('..', name, n + '.npy'), allow_pickle=True)
    arrays = {n: read(n) for n in ('F', 'Fneu', 'spks', 'iscell', 'stat')}
    return arrays | {n: read(n).item() for n in ('ops', 'db', 'settings')}
both, planes = folder('combined'), [folder(f'plane{p}') for p in range(3)]
for name in ('F', 'Fneu', 'spks'):
    assert both[name].shape == (10, 60) and both[name].dtype == np.float32
    assert (both[name] == np.concatenate([planes[0][name], planes[2][name]])).all(), name
assert (both['iscell'] == np.concatenate([p['iscell'] for p in planes])).all()
# Two columns: ceil(sqrt(64 * 72 * 3) / 72) = 2.
places, view = [(0, 0), (0, 72), (64, 0)], (slice(1, 62), slice(2, 71))
ops = both['ops']
assert (ops['Ly'], ops['Lx'], ops['nframes'], ops['nplanes']) == (128, 144, 60, 3)
assert ops['yrange'] == [0, 128] and ops['xrange'] == [0, 144] and ops['save_path'] == 'suite2p/combined'
for (top, left), plane in zip(places, planes):
    tile = lambda name: ops[name][top:top + 64, left:left + 72]
    for name in ('meanImg', 'meanImgE'):
        assert (tile(name) == plane['ops'][name]).all(), name
    for name in ('max_proj', 'Vcorr'):
        assert (tile(name)[view] == plane['ops'][name]).all() and (tile(name)[0] == 0).all(), name
k = 0
for p, ((top, left), plane) in enumerate(zip(places, planes)):
    for s in plane['stat']:
        c = both['stat'][k]
        k += 1
        assert (c['ypix'] - top == s['ypix']).all() and (c['xpix'] - left == s['xpix']).all()
        assert c['med'] == [s['med'][0] + top, s['med'][1] + left] and c['iplane'] == p
        assert (c['lam'] == s['lam']).all() and c['skew'] == s['skew']
assert k == 10
",
    );
}

/// The definition of the traces, written again with NumPy from the arrays beside them.
#[test]
fn traces_csv_is_the_relative_change_of_the_arrays() {
    let dir = written(&planted(&scene(64, 72, 1200, 3)));
    judge(
        dir.path(),
        r"
F, Fneu = load('F').astype('f8'), load('Fneu').astype('f8')
with open('../../traces.csv', newline='') as f:
    lines = f.read().split('\r\n')
assert lines[0] == 'time_s,roi_0,roi_1,roi_2' and lines[-1] == ''
table = np.array([line.split(',') for line in lines[1:-1]], float)
assert np.abs(table[:, 0] - np.arange(1200) / 15).max() < 1e-6
for i in range(3):
    c = F[i] - 0.7 * (Fneu[i] - np.median(Fneu[i]))
    f0 = [np.percentile(c[max(0, t - 450):t + 451], 8) for t in range(1200)]
    error = np.abs(table[:, 1 + i] - (c / f0 - 1)).max()
    assert error < 0.005, error
",
    );
}
