//! The notebook of the documentation, executed on a run's plain files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use dropscope_testkit::movie::Scene;
use dropscope_testkit::python_with;
use std::path::Path;
use std::process::Command;

/// Runs the code of a notebook, cell after cell, in one namespace, as Jupyter does; warnings are errors.
const EXECUTE: &str = r"
import json, sys, warnings
warnings.simplefilter('error')
space = {'__name__': '__main__'}
for cell in json.load(open(sys.argv[1], encoding='utf-8'))['cells']:
    if cell['cell_type'] == 'code':
        exec(compile(''.join(cell['source']), cell['id'], 'exec'), space)
import numpy as np
picture = space['plt'].imread('my_figure.png')
assert picture.shape[0] > 800 and picture[..., :3].std() > 0.05, picture.shape
traces = space['rows'].lines
assert len(traces) == len(space['order']) > 3, len(traces)
print(len(traces))
";

#[test]
fn the_notebook_of_the_documentation_makes_the_figure_of_a_run() {
    let dir = tempfile::tempdir().unwrap();
    let (file, out) = (dir.path().join("fish.tif"), dir.path().join("out"));
    let scene = Scene { height: 96, width: 104, frames: 400, cells: 16, groups: 2, ..Scene::default() };
    scene.generate().unwrap().write_tiff(std::io::BufWriter::new(std::fs::File::create(&file).unwrap())).unwrap();
    let done = Command::new(env!("CARGO_BIN_EXE_dropscope"))
        .args(["segment", file.to_str().unwrap(), "--out", out.to_str().unwrap()])
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let notebook = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/notebooks/figure.ipynb");
    let executed = Command::new(python_with(&["matplotlib==3.*"]).expect("tests need a Python"))
        .args(["-c", EXECUTE])
        .arg(notebook.canonicalize().unwrap())
        .env("MPLBACKEND", "Agg")
        .env("MPLCONFIGDIR", dir.path())
        .current_dir(&out)
        .output()
        .unwrap();
    assert!(executed.status.success(), "{}", String::from_utf8_lossy(&executed.stderr));
    let clusters = std::fs::read_to_string(out.join("clusters.csv")).unwrap();
    let drawn = String::from_utf8_lossy(&executed.stdout);
    assert_eq!(drawn.lines().last().unwrap().trim(), (clusters.lines().count() - 1).to_string(), "a trace for every cell");
}
