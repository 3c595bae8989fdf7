use proptest::prelude::*;

use super::*;

/// As version 5 writes a session: settings, then cycles of frames in two channels.
fn session(
    kind: &str,
    cycles: usize,
    frames: usize,
    bidirectional: &str,
    seconds: impl Fn(usize, usize) -> (f64, f64),
) -> String {
    let mut text =
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<PVScan version=\"5.4.64.100\" date=\"1/2/2021 3:04:05 PM\" notes=\"\">\n\
        <SystemIDs SystemID=\"1\"/><PVStateShard><PVStateValue key=\"activeMode\" value=\"ResonantGalvo\"/>\
        <PVStateValue key=\"framePeriod\" value=\"0.05\"/><PVStateValue key=\"micronsPerPixel\">\
        <IndexedValue index=\"XAxis\" value=\"1.25\"/><IndexedValue index=\"YAxis\" value=\"1.3\"/></PVStateValue>\
        <PVStateValue key=\"positionCurrent\"><SubindexedValues index=\"XAxis\"><SubindexedValue subindex=\"0\" value=\"9\"/>\
        </SubindexedValues></PVStateValue></PVStateShard>\n"
            .to_owned();
    for cycle in 1..=cycles {
        text += &format!(
            "<Sequence type=\"{kind}\" cycle=\"{cycle}\" time=\"x\" bidirectionalZ=\"{bidirectional}\"><PVStateShard/>\n"
        );
        for frame in 1..=frames {
            let (relative, absolute) = seconds(cycle, frame);
            text += &format!("<Frame relativeTime=\"{relative}\" absoluteTime=\"{absolute}\" index=\"{frame}\">");
            for channel in [2, 3] {
                text += &format!(
                    "<File channel=\"{channel}\" channelName=\"Ch{channel}\" page=\"1\" \
                     filename=\"T_Cycle{cycle:05}_Ch{channel}_{frame:06}.ome.tif\"/>"
                );
            }
            text += "<ExtraParameters lastGoodFrame=\"0\"/><PVStateShard><PVStateValue key=\"framePeriod\" value=\"7\"/></PVStateShard></Frame>\n";
        }
        text += "</Sequence>\n";
    }
    text + "</PVScan>\n"
}

fn read(text: &str) -> Prairie {
    Prairie::parse(text, &Limits::default()).unwrap()
}

#[test]
fn a_time_series_is_one_plane_at_the_frame_period() {
    let prairie = read(&session("TSeries Timed Element", 1, 4, "False", |_, f| (f as f64 * 0.05, 3.0 + f as f64 * 0.05)));
    assert_eq!((prairie.pages.len(), prairie.planes, prairie.channels), (8, 1, 2));
    assert_eq!((prairie.frame_rate_hz, prairie.pixel_size_um), (Some(20.0), Some(1.25)));
    assert_eq!(prairie.sources["frame_rate_hz"].to_string(), "metadata: Prairie View framePeriod");
    let page = &prairie.pages[3];
    let expected = ("T_Cycle00001_Ch3_000002.ome.tif", 0, 1, 1, 0);
    assert_eq!((page.file.as_str(), page.page, page.channel, page.cycle, page.plane), expected);
    assert!((page.time_s - 3.1).abs() < 1e-9);
}

#[test]
fn frames_that_follow_more_slowly_than_scanned_have_their_own_rate() {
    let prairie = read(&session("TSeries Timed Element", 1, 9, "False", |_, f| (f as f64 * 0.25, f as f64 * 0.25)));
    assert_eq!(prairie.frame_rate_hz, Some(4.0));
    assert!(prairie.notes[0].contains("`0.05` s"));
}

#[test]
fn a_z_series_in_time_has_the_rate_of_its_cycles() {
    let times = |c: usize, f: usize| (f as f64 * 0.05, c as f64 * 0.5 + f as f64 * 0.05);
    let prairie = read(&session("TSeries ZSeries Element", 5, 3, "False", times));
    assert_eq!((prairie.planes, prairie.channels, prairie.pages.len()), (3, 2, 30));
    assert_eq!(prairie.frame_rate_hz, Some(2.0));
    let planes: Vec<usize> = prairie.pages[..8].iter().map(|page| page.plane).collect();
    assert_eq!(planes, [0, 0, 1, 1, 2, 2, 0, 0]);
}

#[test]
fn cycles_of_one_frame_are_a_time_series() {
    let prairie = read(&session("TSeries Timed Element", 6, 1, "False", |c, _| (0.0, c as f64 * 0.125)));
    assert_eq!((prairie.planes, prairie.frame_rate_hz), (1, Some(8.0)));
}

#[test]
fn a_plane_has_one_depth_in_either_direction() {
    let prairie = read(&session("TSeries ZSeries Element", 4, 3, "True", |c, f| (f as f64, c as f64 * 9.0)));
    for (volume, frames) in [(0, ["000001", "000002", "000003"]), (1, ["000003", "000002", "000001"])] {
        for (plane, frame) in frames.iter().enumerate() {
            let page = &prairie.pages[volume * 6 + plane * 2];
            assert!(page.file.contains(frame) && page.plane == plane, "{page:?}");
        }
    }
}

#[test]
fn version_4_states_the_same_in_keys() {
    let prairie = read(
        "<PVScan version=\"4.0\"><Sequence type=\"TSeries Timed Element\" cycle=\"1\"><Frame relativeTime=\"0\" index=\"1\">\
         <File channel=\"1\" filename=\"a_1.tif\"/><PVStateShard><Key key=\"framePeriod\" permissions=\"Read\" value=\"0.1\"/>\
         <Key key=\"micronsPerPixel_XAxis\" value=\"0.5\"/></PVStateShard></Frame></Sequence></PVScan>",
    );
    assert_eq!((prairie.frame_rate_hz, prairie.pixel_size_um, prairie.pages[0].page), (Some(10.0), Some(0.5), 0));
}

#[test]
fn an_interrupted_session_gives_its_whole_frames() {
    let whole = session("TSeries Timed Element", 1, 4, "False", |_, f| (f as f64 * 0.05, 0.0));
    let cut = &whole[..whole.rfind("<File").unwrap()];
    let prairie = read(cut);
    assert_eq!(prairie.pages.len(), 6);
    assert!(prairie.notes[0].contains("ends early") && prairie.notes[1].contains("lack a channel"), "{:?}", prairie.notes);
    let volumes = session("TSeries ZSeries Element", 4, 3, "False", |c, f| (f as f64, c as f64 * 9.0));
    let cut = &volumes[..volumes.rfind("<Frame").unwrap()];
    assert_eq!(read(cut).pages.len(), 18);
}

#[test]
fn what_is_no_session_is_refused_with_a_remedy() {
    for (text, cause) in [("<OME/>", "not the session"), ("", "not the session"), ("<PVScan/>", "no files")] {
        let error = Prairie::parse(text, &Limits::default()).unwrap_err();
        assert!(error.cause().contains(cause) && error.remedy().contains("folder"), "{error}");
    }
    let limits = Limits { max_pages: 7, ..Limits::default() };
    let long = session("TSeries Timed Element", 1, 4, "False", |_, _| (0.0, 0.0));
    assert!(matches!(Prairie::parse(&long, &limits), Err(RecordingError::TooBig { .. })));
}

#[test]
fn names_of_files_lead_nowhere_else() {
    let text = "<PVScan><Sequence><Frame><File filename=\"../../a.tif\"/></Frame><Frame><File filename=\"..\"/></Frame></Sequence></PVScan>";
    assert_eq!(read(text).pages.iter().map(|p| p.file.as_str()).collect::<Vec<_>>(), ["a.tif"]);
}

proptest! {
    #[test]
    fn a_session_in_any_disorder_is_read_or_refused(parts in prop::collection::vec(prop::sample::select(vec![
        "<PVScan>", "</PVScan>", "<Sequence type=\"ZSeries\" cycle=\"1\">", "</Sequence>", "<Frame relativeTime=\"1\">", "</Frame>",
        "<File channel=\"1\" page=\"0\" filename=\"a\"/>", "<File channel=\"99999999999999999999\" filename=\"b\"/>",
        "<PVStateValue key=\"framePeriod\" value=\"nan\"/>", "<IndexedValue index=\"XAxis\" value=\"1\"/>", "<", "&", "\"",
    ]), 0..60)) {
        if let Ok(prairie) = Prairie::parse(&parts.concat(), &Limits::default()) {
            prop_assert!(prairie.pages.iter().all(|p| p.plane < prairie.planes && p.channel < prairie.channels));
        }
    }
}
