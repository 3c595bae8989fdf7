//! Laws of what is said of an experiment.

use super::*;
use crate::Settings;

fn read(toml: &str) -> Result<Nwb, String> {
    Settings::from_toml(toml).map(|settings| settings.nwb).map_err(|error| error.to_string())
}

const ALL: &str = "[nwb]\nsession_start = 2026-05-04T09:30:00+02:00\nsession_description = \"a\"\nsession_id = \"b\"\n\
                   experiment_description = \"c\"\nexperimenters = [\"Roe, Ana\"]\nkeywords = [\"tectum\"]\n\
                   institution = \"d\"\nlab = \"e\"\ndevice = \"f\"\ndevice_description = \"g\"\nlocation = \"h\"\n\
                   indicator = \"i\"\nexcitation_nm = 920\nemission_nm = 510.5\n[nwb.subject]\nid = \"j\"\n\
                   species = \"Danio rerio\"\nsex = \"U\"\nage = \"P7D\"\ngenotype = \"k\"\nstrain = \"l\"\ndescription = \"m\"\n";

#[test]
fn every_name_of_the_experiment_is_documented_and_read() {
    let all = serde_json::to_value(read(ALL).unwrap()).unwrap();
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/SETTINGS.md")).unwrap();
    let names = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let subject = names(&all["subject"]).into_iter().map(|name| format!("subject.{name}"));
    let mut known: Vec<String> = names(&all).into_iter().filter(|name| name != "subject").chain(subject).collect();
    let rows = text.lines().skip_while(|line| !line.starts_with("| key of `[nwb]` |")).skip(2);
    let told = rows.take_while(|line| line.starts_with('|')).map(|line| line.split('`').nth(1).unwrap().to_owned());
    let mut told: Vec<String> = told.collect();
    known.sort();
    told.sort();
    assert_eq!(told, known);
}

#[test]
fn a_date_is_a_moment_however_it_is_written() {
    let moment = "2026-05-04T07:30:00Z";
    for text in ["2026-05-04T09:30:00+02:00", "\"2026-05-04T09:30:00+02:00\"", "2026-05-04T07:30:00Z"] {
        let start = read(&format!("[nwb]\nsession_start = {text}")).unwrap().session_start.unwrap();
        assert_eq!(start.to_string(), moment, "{text}");
    }
    for text in ["2026-05-04", "\"yesterday\"", "2026-05-04T09:30:00", "5"] {
        let error = read(&format!("[nwb]\nsession_start = {text}")).unwrap_err();
        assert!(!error.is_empty(), "{text}");
    }
}

#[test]
fn what_cannot_be_is_refused() {
    for line in [
        "nonsense = 1",
        "lab = \"\"",
        "lab = \"a\\u0000b\"",
        "device = \"a/b\"",
        "excitation_nm = 0.92",
        "keywords = [\" \"]",
        "subject = { sex = \"female\" }",
        "subject = { species = \"mouse\" }",
        "subject = { species = \"Mus Musculus\" }",
        "subject = { age = \"7 days\" }",
        "subject = { name = \"x\" }",
    ] {
        assert!(read(&format!("[nwb]\n{line}")).is_err(), "{line}");
    }
}

#[test]
fn ages_are_durations_of_iso_8601() {
    for age in ["P90D", "P1Y2M", "P2W", "PT36H", "P1DT2.5H", "P3M/P4M", "P90Y/", "/P2D"] {
        assert!(is_age(age), "{age}");
    }
    for age in ["", "P", "90D", "PD", "P1D2M", "P1DT", "P1.D", "P1D1D", "/", "P1DT2D", "P1é"] {
        assert!(!is_age(age), "{age}");
    }
}

#[test]
fn what_is_said_later_stands_above_and_the_rest_shows_through() {
    let (near, far) = (read("[nwb]\nlab = \"near\"\nsubject = { id = \"7\" }").unwrap(), read(ALL).unwrap());
    let both = near.over(&far);
    assert_eq!((both.lab.as_deref(), both.institution.as_deref()), (Some("near"), Some("d")));
    assert_eq!((both.subject.id.as_deref(), both.subject.sex.as_deref()), (Some("7"), Some("U")));
    assert_eq!((both.session_start, both.keywords.len(), both.excitation_nm), (far.session_start, 1, Some(920.0)));
    assert_eq!(Nwb::default().over(&far), far);
}

#[test]
fn what_was_said_survives_the_state_of_a_run() {
    let settings = Settings::from_toml(ALL).unwrap();
    let back: Settings = serde_json::from_value(serde_json::to_value(&settings).unwrap()).unwrap();
    assert_eq!(back, settings);
}
