use super::*;
use proptest::prelude::*;

fn listing(members: &[(&str, &str)], statement: Option<&str>) -> Listing {
    let member = |(name, etag): &(&str, &str)| Member { name: (*name).into(), etag: (*etag).into(), size: 1 };
    let written = |etag: &str| (Written { etag: etag.into(), at: None }, 3);
    Listing { members: members.iter().map(member).collect(), statement: statement.map(written), newest: None }
}

fn folder() -> ObjectKey {
    ObjectKey::raw("recordings/ana/x.rec/")
}

fn names(of: &[&str]) -> Vec<String> {
    of.iter().map(ToString::to_string).collect()
}

#[test]
fn the_same_files_are_the_same_run_and_any_difference_another() {
    let run = |listing: &Listing| Frozen::new("b", &folder(), listing, None).run;
    let first = listing(&[("a", "1"), ("b", "2")], None);
    assert_eq!(run(&first), run(&first.clone()));
    let once = listing(&[("a", "1"), ("b", "2")], Some("t"));
    let mut written_again = once.clone();
    written_again.statement = Some((Written { etag: "t".into(), at: Some(Timestamp::from_millis(5)) }, 3));
    for other in [
        run(&listing(&[("a", "1"), ("b", "3")], None)),
        run(&listing(&[("a", "1")], None)),
        run(&listing(&[("a", "1"), ("c", "2")], None)),
        run(&written_again),
        run(&once),
    ] {
        assert_ne!(run(&first), other);
    }
    assert_ne!(run(&written_again), run(&once));
}

#[test]
fn files_that_came_or_changed_are_late_and_those_that_went_are_not() {
    let frozen = Frozen::new("b", &folder(), &listing(&[("a", "1"), ("b", "2"), ("c", "3")], None), None);
    assert_eq!(frozen.late(&listing(&[("a", "1"), ("b", "9"), ("d", "4")], None)), ["b", "d"]);
    assert!(frozen.late(&listing(&[("a", "1")], Some("t"))).is_empty());
}

#[test]
fn only_another_statement_begins_another_run() {
    let with = |statement: Option<&str>| Begun {
        schema: 1,
        folder: folder(),
        run: "0123456789abcdef".parse().unwrap(),
        digest: String::new(),
        statement: statement.map(|etag| Written { etag: etag.into(), at: None }),
    };
    let more = [("a", "1"), ("b", "2"), ("late", "3")];
    assert!(with(None).holds(&listing(&more, None)) && with(Some("t")).holds(&listing(&more, Some("t"))));
    assert!(with(Some("t")).holds(&listing(&more, None)), "one that was taken away begins nothing");
    assert!(!with(None).holds(&listing(&more, Some("t"))) && !with(Some("t")).holds(&listing(&more, Some("u"))));
}

#[test]
fn a_statement_holds_members_and_settings_and_nothing_else() {
    let said = RecordingToml::from_toml("members = [\"b.tif\", \"a.tif\"]\nframe_rate_hz = 7.5\n").unwrap();
    assert_eq!(said.members, Some(names(&["b.tif", "a.tif"])));
    assert_eq!(said.settings.frame_rate_hz, Some(7.5));
    assert_eq!(RecordingToml::from_toml("").unwrap(), RecordingToml::default());
    for (bad, word) in [
        ("member = []", "member"),
        ("members = []", "no file"),
        ("members = [\"a\", \"a\"]", "`a` twice"),
        ("members = \"a\"", "sequence"),
        ("tau_s = 0", "tau_s"),
        ("members", ""),
    ] {
        let error = RecordingToml::from_toml(bad).unwrap_err().to_string();
        assert!(error.contains(word), "{bad}: {error}");
    }
}

#[test]
fn files_that_are_named_are_all_there_or_the_missing_ones_are_told() {
    let there = names(&["a.tif", "b.tif", "notes.txt"]);
    let choose = |members: &[&str]| RecordingToml { members: Some(names(members)), ..RecordingToml::default() }.choose(&there);
    let chosen = choose(&["b.tif", "a.tif"]).unwrap();
    assert_eq!((chosen.places, chosen.is_list), (vec![0, 1], true));
    assert!(chosen.notes[0].contains("`notes.txt`"), "{:?}", chosen.notes);
    let error = choose(&["a.tif", "c.tif"]).unwrap_err();
    assert!(error.cause().contains("`c.tif`") && !error.cause().contains("a.tif"), "{error}");
    assert_eq!(RecordingToml::default().choose(&there).unwrap().places, [0, 1, 2]);
}

proptest! {
    #[test]
    fn what_lies_there_unchanged_is_never_late(names in proptest::collection::btree_set("[a-z]{1,3}", 0..20)) {
        let members: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "e")).collect();
        let listing = listing(&members, None);
        prop_assert!(Frozen::new("b", &folder(), &listing, None).late(&listing).is_empty());
    }

    #[test]
    fn no_text_makes_the_reader_of_statements_panic(text in "\\PC{0,80}") {
        let _ = RecordingToml::from_toml(&text);
    }
}
