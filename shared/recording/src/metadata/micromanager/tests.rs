use super::*;

fn pages(texts: &[&str]) -> Metadata {
    let pages: Vec<Page> = texts.iter().map(|text| Page::parse(text).unwrap()).collect();
    describe(None, &pages)
}

fn of_summary(text: &str) -> Metadata {
    describe(Some(&Summary::parse(text).unwrap()), &[])
}

#[test]
fn a_summary_states_axes_interval_and_pixel() {
    let metadata = of_summary(
        r#"{"Slices":3,"Frames":100,"Channels":"2","SlicesFirst":false,"TimeFirst":false,"Interval_ms":50.0,"PixelSize_um":0.65,
           "BitDepth":12,"Positions":1,"ChNames":["a","b"],"UserName":"x"}"#,
    );
    let axes = [&metadata.frames, &metadata.planes, &metadata.channels].map(|a| a.as_ref().unwrap().value);
    assert_eq!((axes, metadata.order), ([100, 3, 2], super::super::CHANNEL_PLANE_TIME));
    assert_eq!((metadata.frame_rate_hz.unwrap().value, metadata.pixel_size_um.unwrap().value), (20.0, 0.65));
    assert_eq!(metadata.notes, ["Micro-Manager says that the camera delivered `12` bits a sample"]);
}

#[test]
fn slices_first_and_axis_order_say_what_is_fastest() {
    let plane_first = [Axis::Plane, Axis::Channel, Axis::Time];
    assert_eq!(of_summary(r#"{"SlicesFirst":true}"#).order, plane_first);
    assert_eq!(of_summary(r#"{"AxisOrder":["position","time","channel","z"]}"#).order, plane_first);
    let contradicted = of_summary(r#"{"SlicesFirst":true,"AxisOrder":["position","time","z","channel"]}"#);
    assert_eq!(contradicted.order, super::super::CHANNEL_PLANE_TIME);
    assert_eq!(of_summary(r#"{"SlicesFirst":true,"AxisOrder":["time"]}"#).order, plane_first);
}

#[test]
fn several_positions_are_noted() {
    assert!(of_summary(r#"{"Positions":4}"#).notes[0].contains("`4` positions"));
}

#[test]
fn pages_tell_the_rate_where_frames_came_as_fast_as_possible() {
    let texts: Vec<String> = (0..20).map(|i| format!(r#"{{"FrameIndex":{i},"ElapsedTime-ms":{}}}"#, i * 100 / 3)).collect();
    let metadata = pages(&texts.iter().map(String::as_str).collect::<Vec<_>>());
    let rate = metadata.frame_rate_hz.unwrap();
    assert!((rate.value - 30.0).abs() < 0.1, "{}", rate.value);
    assert_eq!(rate.field, "Micro-Manager ElapsedTime-ms of the first pages");
}

#[test]
fn pages_tell_their_axes_where_no_summary_does() {
    let mut texts = Vec::new();
    for time in 0..3 {
        for z in 0..2 {
            for channel in ["\"DAPI\"", "\"GFP\""] {
                texts.push(format!(
                    r#"{{"Axes":{{"time":{time},"z":{z},"channel":{channel}}},"FrameIndex":0,"ElapsedTime-ms":{}}}"#,
                    time * 500 + z * 7
                ));
            }
        }
    }
    let metadata = pages(&texts.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!((metadata.planes.unwrap().value, metadata.channels.unwrap().value), (2, 2));
    assert_eq!(metadata.order, super::super::CHANNEL_PLANE_TIME);
    assert_eq!(metadata.frame_rate_hz.unwrap().value, 2.0);
}

#[test]
fn values_of_other_types_are_passed_over() {
    let metadata =
        of_summary(r#"{"Slices":{"a":1},"Frames":-3,"Channels":1.5,"Interval_ms":null,"PixelSize_um":[0],"AxisOrder":7}"#);
    assert_eq!(metadata, Metadata::default());
    let page = pages(&[r#"{"Axes":3,"FrameIndex":"x","ElapsedTime-ms":true,"TimeReceivedByCore":"soon","PixelSizeUm":0}"#]);
    assert_eq!(page, Metadata::default());
}
