//! h5py, that is The HDF Group's own library, judges the files.

use std::path::Path;
use std::process::Command;

use dropscope_testkit::python_with;
use proptest::prelude::*;

use super::*;

/// What the judges of NWB files need, pinned: what they find fault with changes with their versions.
const PACKAGES: [&str; 4] = ["pynwb==4.2.0", "nwbinspector==0.7.2", "roiextractors==0.10.0", "h5py==3.16.0"];

fn written(root: &Node<'_>) -> Vec<u8> {
    let plan = Plan::of(root).unwrap();
    let mut bytes = Vec::new();
    plan.write_to(&mut bytes).unwrap();
    // The superblock says where the file ends.
    assert_eq!(bytes[28..36], (bytes.len() as u64).to_le_bytes());
    bytes
}

/// Runs a script where `f` is the open file.
fn judge(root: &Node<'_>, script: &str) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("x.h5"), written(root)).unwrap();
    run(dir.path(), &format!("import h5py, numpy as np\nf = h5py.File('x.h5', 'r')\n{script}"));
}

fn run(dir: &Path, script: &str) {
    let python = python_with(&PACKAGES).expect("tests need a Python");
    let output = Command::new(python).args(["-W", "error", "-c", script]).current_dir(dir).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn floats(values: &[f32]) -> Data<'static> {
    Data::Bytes(values.iter().flat_map(|v| v.to_le_bytes()).collect())
}

#[test]
fn every_type_is_read_as_what_it_is() {
    let fields = Type::Record(vec![("x", Type::Unsigned(4)), ("y", Type::Unsigned(4)), ("weight", Type::F32)]);
    let mut records = Vec::new();
    for (x, y, weight) in [(1_u32, 2_u32, 0.5_f32), (3, u32::MAX, -1.5)] {
        records.extend([x.to_le_bytes(), y.to_le_bytes(), weight.to_le_bytes()].concat());
    }
    let root = Node::group()
        .holding("records", Node::dataset(fields, Some(vec![2]), Data::Bytes(records)))
        .holding("marks", Node::dataset(Type::Bool, Some(vec![3]), Data::Bytes(vec![1, 0, 1])))
        .holding("image", Node::dataset(Type::F32, Some(vec![2, 3]), floats(&[1.0, 2.0, 3.0, 4.0, f32::NAN, -6.5])))
        .holding("small", Node::dataset(Type::Unsigned(1), Some(vec![3]), Data::Bytes(vec![0, 128, 255])))
        .holding("whole", Node::dataset(Type::Signed(8), Some(vec![1]), Data::Bytes((-5_i64).to_le_bytes().to_vec())))
        .holding("number", Node::number(0.1))
        .holding("numbers", Node::numbers(&[1e300, -0.0]));
    judge(
        &root,
        r"
r = f['records']
assert r.dtype == np.dtype([('x', '<u4'), ('y', '<u4'), ('weight', '<f4')]), r.dtype
assert r[0].tolist() == (1, 2, 0.5) and r[1].tolist() == (3, 2**32 - 1, -1.5)
assert f['marks'].dtype == bool and f['marks'][()].tolist() == [True, False, True]
i = f['image']
assert i.dtype == '<f4' and i.shape == (2, 3) and np.array_equal(i[()], [[1, 2, 3], [4, np.nan, -6.5]], equal_nan=True)
assert f['small'].dtype == 'u1' and f['small'][()].tolist() == [0, 128, 255]
assert f['whole'].dtype == '<i8' and f['whole'][0] == -5
assert f['number'].dtype == '<f8' and f['number'].shape == () and f['number'][()] == 0.1
assert f['numbers'][()].tolist() == [1e300, 0.0]
",
    );
}

#[test]
fn texts_of_any_language_and_length_survive() {
    let long = "ä→🐟".repeat(9000);
    let list = vec!["plain".to_owned(), "Zebrafärbling 斑马鱼 🐟".to_owned(), String::new(), "plain".to_owned()];
    let root = Node::group()
        .with("empty", "")
        .with("language", "日本語")
        .with("list", Value::Texts(list.clone()))
        .with("none", Value::Texts(vec![]))
        .holding("Größe µm", Node::text("x").with("größe", Value::F64(2.5)))
        .holding("list", Node::texts(list))
        .holding("long", Node::text(long));
    judge(
        &root,
        r"
want = ['plain', 'Zebrafärbling 斑马鱼 🐟', '', 'plain']
assert f.attrs['language'] == '日本語' and f.attrs['empty'] == ''
assert f.attrs['list'].tolist() == want and len(f.attrs['none']) == 0
assert f['list'].asstr()[()].tolist() == want
kind = h5py.check_string_dtype(f['list'].dtype)
assert kind.encoding == 'utf-8' and kind.length is None
assert f['Größe µm'].attrs['größe'] == 2.5 and f['Größe µm'].asstr()[()] == 'x'
assert f['long'].asstr()[()] == 'ä→🐟' * 9000
",
    );
}

#[test]
fn nothing_is_a_file_too() {
    let root = Node::group()
        .holding("group", Node::group())
        .holding("empty", Node::dataset(Type::F32, Some(vec![7, 0]), Data::Bytes(vec![])))
        .holding("texts", Node::texts(vec![]));
    judge(
        &root,
        "assert list(f['group']) == [] and f['empty'].shape == (7, 0) and f['empty'][()].size == 0 and len(f['texts'][()]) == 0",
    );
    judge(&Node::group(), "assert list(f) == [] and len(f.attrs) == 0");
}

#[test]
fn links_and_references_lead_where_they_say() {
    let leaf = Node::number(7.0).with("of", Value::Reference("/a/b".into())).with("root", Value::Reference(String::new()));
    let root = Node::group()
        .with("leaf", Value::Reference("/a/b/leaf".into()))
        .holding("a", Node::group().holding("b", Node::group().holding("leaf", leaf)))
        .linking("soft", "/a/b/leaf");
    judge(
        &root,
        r"
assert f[f.attrs['leaf']].name == '/a/b/leaf' and f[f.attrs['leaf']][()] == 7
assert f[f['a/b/leaf'].attrs['of']] == f['a/b'] and f[f['a/b/leaf'].attrs['root']] == f
assert f.get('soft', getlink=True).path == '/a/b/leaf' and f['soft'][()] == 7
",
    );
    let lost = Node::group().with("x", Value::Reference("/nowhere".into()));
    assert!(matches!(Plan::of(&lost), Err(Hdf5Error::Missing { path }) if path == "/nowhere"));
}

#[test]
fn thousands_of_attributes_names_and_texts_are_found() {
    let names: Vec<&'static str> = (0..3000).map(|i| &*String::leak(format!("name {i}"))).collect();
    let mut crowd = Node::group();
    for (i, name) in names.iter().enumerate() {
        crowd = crowd.with(name, format!("value {i}")).holding(*name, Node::text(format!("text {i}")));
    }
    // More than one collection of texts.
    let texts: Vec<String> = (0..70_000).map(|i| format!("{i}")).collect();
    judge(
        &Node::group().holding("crowd", crowd).holding("texts", Node::texts(texts)),
        r"
g = f['crowd']
assert len(g) == 3000 and len(g.attrs) == 3000
for i in range(3000):
    assert g.attrs[f'name {i}'] == f'value {i}' and g[f'name {i}'][()] == f'text {i}'.encode(), i
assert f['texts'].asstr()[()].tolist() == [str(i) for i in range(70000)]
",
    );
}

#[test]
fn what_does_not_fit_is_refused() {
    let large = Node::group().with("x", Value::Texts(vec!["y".into(); 4096]));
    assert!(matches!(Plan::of(&large), Err(Hdf5Error::TooLarge { bytes }) if bytes > 65_535));
    let short = Node::dataset(Type::F32, Some(vec![3]), Data::Pieces(Box::new(|out| out.write_all(&[0; 8]))));
    let root = Node::group().holding("short", short);
    assert!(Plan::of(&root).unwrap().write_to(&mut io::sink()).is_err());
}

#[test]
fn the_same_tree_gives_the_same_bytes() {
    let tree = || Node::group().with("a", "b").holding("c", Node::texts((0..100).map(|i| format!("{i}")).collect()));
    assert_eq!(written(&tree()), written(&tree()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    /// Python writes what it read into a file of plain numbers, which is what went in.
    #[test]
    fn arrays_of_any_shape_come_back(shapes in prop::collection::vec(prop::collection::vec(0_usize..7, 0..5), 1..40)) {
        let mut root = Node::group();
        let mut want = Vec::new();
        for (i, shape) in shapes.iter().enumerate() {
            let values: Vec<f32> = (0..shape.iter().product()).map(|v: usize| (v * 31 + i) as f32).collect();
            want.extend(values.iter().flat_map(|v| v.to_le_bytes()));
            root = root.holding(format!("{i}"), Node::dataset(Type::F32, Some(shape.clone()), floats(&values)));
        }
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("x.h5"), written(&root)).unwrap();
        run(dir.path(), &format!("
import h5py
f = h5py.File('x.h5', 'r')
shapes = {shapes:?}
assert [list(f[str(i)].shape) for i in range(len(shapes))] == shapes
open('x.raw', 'wb').write(b''.join(f[str(i)][()].tobytes() for i in range(len(shapes))))
"));
        prop_assert_eq!(std::fs::read(dir.path().join("x.raw")).unwrap(), want);
    }
}
