//! Laws of the settings, and docs/SETTINGS.md against them.

use super::*;

/// Rows of the table of docs/SETTINGS.md that begins with `head`: key, option, unit, range, default, meaning, paper.
fn documented(head: &str) -> Vec<Vec<String>> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/SETTINGS.md");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let rows = text.lines().skip_while(|line| !line.starts_with(head)).skip(2);
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().replace('`', "")).collect();
    rows.take_while(|line| line.starts_with('|')).map(cells).collect()
}

/// What a cell of the table allows: spans of numbers, and words.
fn allowed(range: &str) -> (Vec<(&str, &str)>, Vec<&str>) {
    let (spans, words): (Vec<&str>, Vec<&str>) =
        range.split(" or ").flat_map(|part| part.split(", ")).partition(|part| part.contains(" to "));
    (spans.into_iter().filter_map(|span| span.split_once(" to ")).collect(), words)
}

fn accepts(key: &str, value: &str) -> bool {
    Settings::from_toml(&format!("{key} = {value}")).is_ok()
}

#[test]
fn every_setting_is_documented_with_the_range_that_holds() {
    let all = "frame_rate_hz = 1\ntau_s = 1\nrise_s = 0\nindicator = \"GCaMP6s\"\nplanes = 1\nchannels = 1\ndiameter_px = 2\n\
               pixel_size_um = 1\nclusters = 1\ncluster_by = \"covariance\"\nseed = 1\nregistered_movie = true";
    let all = serde_json::to_value(Settings::from_toml(all).unwrap()).unwrap();
    let mut known: Vec<String> = all.as_object().unwrap().keys().cloned().collect();
    let table = documented("| key | option |");
    let mut told: Vec<String> = table.iter().map(|row| row[0].clone()).collect();
    known.sort();
    told.sort();
    assert_eq!(told, known);
    for row in &table {
        assert!(row.len() == 7 && row.iter().all(|cell| !cell.is_empty()), "{row:?}");
        let (spans, words) = allowed(&row[3]);
        for (low, high) in &spans {
            for bound in [low, high] {
                // TOML itself has no number as large as the largest seed.
                assert!(accepts(&row[0], bound) || *bound == u64::MAX.to_string(), "{row:?} {bound}");
            }
            assert!(!accepts(&row[0], &format!("-{high}")) && !accepts(&row[0], &format!("{high}0")), "{row:?}");
        }
        let is_choice = words == ["true", "false"];
        let said = |word: &str| if is_choice { word.to_owned() } else { format!("\"{word}\"") };
        assert!(words.iter().all(|word| accepts(&row[0], &said(word))), "{row:?}");
        assert!(!accepts(&row[0], "\"nothing\"") && accepts(&row[0], "true") == is_choice, "{row:?}");
    }
}

#[test]
fn every_indicator_is_documented_with_what_is_used() {
    let table = documented("| indicator | half-decay");
    let told: Vec<[String; 4]> = table.iter().map(|row| [&row[0], &row[3], &row[4], &row[5]].map(Clone::clone)).collect();
    let rise = |i: Indicator| i.rise_s().map_or("0.07 of tau".to_owned(), |rise| rise.to_string());
    let known: Vec<[String; 4]> =
        Indicator::all().map(|i| [i.name().to_owned(), i.tau_s().to_string(), rise(i), i.paper().to_owned()]).collect();
    assert_eq!(told, known);
    let row = documented("| key | option |").into_iter().find(|row| row[0] == "indicator").unwrap();
    let named: Vec<&str> = row[3].split(", ").collect();
    assert_eq!(named, Indicator::all().map(Indicator::name).collect::<Vec<_>>());
}

fn settled(toml: &str) -> Plan {
    Plan::settle(&Settings::from_toml(toml).unwrap(), &crate::manifest::tests::manifest().recording)
}

#[test]
fn an_indicator_states_the_speed_and_where_it_was_measured() {
    let plan = settled("indicator = \"gcamp8m\"");
    let source = "jGCaMP8m, Zhang et al. 2023, Nature 615:884";
    assert_eq!(plan.tau_s, Sourced::new(0.67, source));
    assert_eq!(plan.rise_s, Some(Sourced::new(0.0061, source)));
    let plan = settled("indicator = \"GCaMP6s\"");
    assert_eq!((plan.tau_s.value, plan.rise_s), (1.3, None));
}

#[test]
fn what_is_stated_wins_over_the_indicator() {
    let plan = settled("indicator = \"jGCaMP8m\"\ntau_s = 0.3\nrise_s = 0");
    assert_eq!((plan.tau_s, plan.rise_s), (Sourced::new(0.3, "settings"), Some(Sourced::new(0.0, "settings"))));
    let plan = settled("indicator = \"jGCaMP8m\"\nrise_s = 0.1");
    assert_eq!((plan.tau_s.value, plan.rise_s), (0.67, Some(Sourced::new(0.1, "settings"))));
    let plan = settled("");
    assert_eq!((plan.tau_s, plan.rise_s), (Sourced::new(ASSUMED_TAU_S, "assumed"), None));
}

#[test]
fn an_indicator_named_later_wins_over_a_speed_stated_before() {
    let file = Settings::from_toml("tau_s = 0.7\nrise_s = 0.2").unwrap();
    let line = Settings::from_toml("indicator = \"GCaMP6s\"").unwrap();
    assert_eq!(line.over(&file), line);
    let both = file.over(&line);
    assert_eq!((both.tau_s, both.rise_s, both.indicator), (file.tau_s, file.rise_s, line.indicator));
}

#[test]
fn an_unknown_indicator_is_refused_with_those_known() {
    let error = Settings::from_toml("indicator = \"GCaMP9x\"").unwrap_err().to_string();
    assert!(error.contains("`GCaMP9x`") && error.contains("GCaMP6f") && error.contains("OGB-1"), "{error}");
}

#[test]
fn a_rise_longer_than_half_the_decay_is_refused() {
    for good in ["rise_s = 5", "rise_s = 0.5\ntau_s = 1", "rise_s = 0.6\nindicator = \"GCaMP6s\""] {
        assert!(Settings::from_toml(good).is_ok(), "{good}");
    }
    for bad in
        ["rise_s = 0.6\ntau_s = 1", "rise_s = 0.6\nindicator = \"jGCaMP8f\"", "rise_s = 3\nindicator = \"GCaMP6s\"\ntau_s = 1.3"]
    {
        let error = Settings::from_toml(bad).unwrap_err().to_string();
        assert!(error.contains("`rise_s` is") && error.contains("half of tau_s"), "{error}");
    }
    assert!(Indicator::all().all(|i| i.rise_s().is_none_or(|rise| rise <= 0.5 * i.tau_s())));
}

#[test]
fn the_plan_says_how_cells_are_clustered_and_who_said_so() {
    let plan = settled("");
    assert_eq!(plan.clusters, Sourced::new(Clusters::Count(4), "default"));
    assert_eq!(plan.cluster_by, Sourced::new(ClusterBy::Correlation, "default"));
    let plan = settled("clusters = \"auto\"\ncluster_by = \"covariance\"");
    assert_eq!(plan.clusters, Sourced::new(Clusters::Auto, "settings"));
    assert_eq!(plan.cluster_by, Sourced::new(ClusterBy::Covariance, "settings"));
    let mut json = serde_json::to_value(&plan).unwrap();
    assert_eq!(json["clusters"]["value"], "auto");
    // A plan frozen before there was a choice.
    json["clusters"]["value"] = 3.into();
    for key in ["cluster_by", "rise_s"] {
        json.as_object_mut().unwrap().remove(key);
    }
    let old: Plan = serde_json::from_value(json).unwrap();
    assert_eq!((old.clusters.value, old.cluster_by.value), (Clusters::Count(3), ClusterBy::Correlation));
}

#[test]
fn an_unknown_setting_is_refused_by_name() {
    let error = Settings::from_toml("frame_rate = 30").unwrap_err();
    assert!(error.to_string().contains("frame_rate"), "{error}");
}

#[test]
fn a_value_out_of_range_is_refused_with_its_range() {
    for bad in [
        "tau_s = 0",
        "tau_s = nan",
        "frame_rate_hz = -3",
        "planes = 0",
        "clusters = 101",
        "clusters = 0",
        "diameter_px = inf",
        "rise_s = -1",
    ] {
        assert!(matches!(Settings::from_toml(bad), Err(SettingsError::OutOfRange { .. })), "{bad}");
    }
}

#[test]
fn the_command_line_wins_over_the_file() {
    let file = Settings::from_toml("frame_rate_hz = 15\ntau_s = 0.7").unwrap();
    let line = Settings { frame_rate_hz: Some(30.0), ..Settings::default() };
    let both = line.over(&file);
    assert_eq!((both.frame_rate_hz, both.tau_s), (Some(30.0), Some(0.7)));
}
