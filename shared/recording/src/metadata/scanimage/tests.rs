use super::*;

fn read(text: &str) -> Metadata {
    parse(text).unwrap().plausible()
}

fn planes(metadata: &Metadata) -> (Option<usize>, usize) {
    (metadata.planes.as_ref().map(|p| p.value), metadata.flyback)
}

fn rate_of(metadata: &Metadata) -> Option<(f64, &str)> {
    metadata.frame_rate_hz.as_ref().map(|rate| (rate.value, rate.field.as_str()))
}

const VOLUMES: &str = "SI.hRoiManager.scanFrameRate = 30\nSI.hRoiManager.scanVolumeRate = 6\nSI.hFastZ.enable = true\n\
                       SI.hStackManager.numSlices = 4\nSI.hChannels.channelSave = [1;2]\n";

#[test]
fn volumes_have_their_own_rate_and_their_flyback() {
    let metadata = read(&format!("{VOLUMES}SI.hStackManager.numFramesPerVolumeWithFlyback = 5\n"));
    assert_eq!(planes(&metadata), (Some(4), 1));
    assert_eq!(rate_of(&metadata), Some((6.0, "ScanImage SI.hRoiManager.scanVolumeRate")));
    assert_eq!(metadata.planes.unwrap().field, "ScanImage SI.hStackManager.numSlices");
}

#[test]
fn flyback_is_found_in_every_version_s_words() {
    for flyback in [
        "SI.hFastZ.numFramesPerVolume = 6\n",
        "SI.hFastZ.numDiscardFlybackFrames = 2\n",
        "SI.hFastZ.numFramesPerVolume = []\nSI.hFastZ.numDiscardFlybackFrames = 2\n",
    ] {
        assert_eq!(planes(&read(&format!("{VOLUMES}{flyback}"))), (Some(4), 2), "{flyback}");
    }
    let four = "scanimage.SI4.scanFrameRate = 30\nscanimage.SI4.fastZEnable = 1\nscanimage.SI4.stackNumSlices = 4\n\
                scanimage.SI4.fastZNumDiscardFrames = 2\n";
    let metadata = read(four);
    assert_eq!(planes(&metadata), (Some(4), 2));
    // Without a volume rate: six frames are scanned for each volume.
    assert_eq!(rate_of(&metadata), Some((5.0, "ScanImage SI4.scanFrameRate")));
}

#[test]
fn slices_that_were_really_taken_win_over_those_asked_for() {
    let metadata = read(&format!("{VOLUMES}SI.hStackManager.actualNumSlices = 5\n"));
    assert_eq!(planes(&metadata), (Some(5), 0));
}

#[test]
fn a_stack_that_is_switched_off_is_no_volume() {
    let off = read(&format!("{VOLUMES}SI.hStackManager.enable = false\n"));
    assert_eq!((planes(&off), off.notes.len()), ((None, 0), 0));
    assert_eq!(rate_of(&off), Some((30.0, "ScanImage SI.hRoiManager.scanFrameRate")));
}

#[test]
fn a_slow_stack_is_noted_and_not_read_as_planes() {
    let by_mode = format!("{VOLUMES}SI.hStackManager.enable = true\nSI.hStackManager.stackMode = 'slow'\n");
    let by_fast_z = VOLUMES.replace("enable = true", "enable = 0");
    for text in [by_mode.as_str(), by_fast_z.as_str(), "state.acq.frameRate=3.9\rstate.acq.numberOfZSlices=4\r"] {
        let metadata = read(text);
        assert_eq!(planes(&metadata), (None, 0), "{text}");
        assert!(metadata.notes[0].contains("slowly"), "{:?}", metadata.notes);
    }
}

#[test]
fn averaged_frames_divide_the_rate() {
    let metadata = read("SI.hRoiManager.scanFrameRate = 30\nSI.hScan2D.logAverageFactor = 3\n");
    assert_eq!(rate_of(&metadata).unwrap().0, 10.0);
    assert!(metadata.notes[0].contains("averaged `3`"));
    let old = read("state.acq.frameRate=8\rstate.acq.numAvgFramesSave=2\r");
    assert_eq!(rate_of(&old), Some((4.0, "ScanImage state.acq.frameRate")));
}

#[test]
fn averaging_within_slices_leaves_the_volume_rate() {
    let metadata = read(&format!("{VOLUMES}SI.hStackManager.framesPerSlice = 3\nSI.hScan2D.logAverageFactor = 3\n"));
    assert_eq!((planes(&metadata), rate_of(&metadata).unwrap().0), ((Some(4), 0), 6.0));
}

#[test]
fn repeated_slices_are_planes_of_their_own() {
    let metadata = read(&format!("{VOLUMES}SI.hStackManager.framesPerSlice = 2\n"));
    assert_eq!(planes(&metadata), (Some(8), 0));
    assert!(metadata.notes[0].contains("`2` frames of each slice"));
}

#[test]
fn the_pixel_is_the_edge_of_the_field_over_the_pixels_of_a_line() {
    let um = "SI.hRoiManager.imagingFovUm = [-300 -150;300 -150;300 150;-300 150]\nSI.hRoiManager.pixelsPerLine = 512\n";
    assert_eq!(read(um).pixel_size_um.unwrap().value, 600.0 / 512.0);
    // A field turned by the angle of a 3-4-5 triangle.
    let turned = "SI.hRoiManager.imagingFovUm = [0 0;400 300;100 700;-300 400]\nSI.hRoiManager.pixelsPerLine = 500\n";
    assert_eq!(read(turned).pixel_size_um.unwrap().value, 1.0);
    let degrees = "SI.hRoiManager.imagingFovDeg = [-10 -10;10 -10;10 10;-10 10]\nSI.objectiveResolution = 15\n\
                   SI.hRoiManager.pixelsPerLine = 600\n";
    assert_eq!(read(degrees).pixel_size_um.unwrap().value, 0.5);
}

#[test]
fn regions_one_above_the_other_are_noted() {
    let metadata = read(
        "SI.hRoiManager.mroiEnable = 1\nSI.hRoiManager.imagingFovUm = [0 0;9 0;9 9;0 9]\nSI.hRoiManager.pixelsPerLine = 9\n",
    );
    assert!(metadata.notes[0].contains("mROI"));
    assert_eq!(metadata.pixel_size_um, None);
}

#[test]
fn old_headers_are_read_though_their_lines_end_otherwise() {
    let metadata =
        read("state.configName='a'\rstate.acq.frameRate=3.90625\rstate.acq.savingChannel1=1\rstate.acq.savingChannel2=1\r");
    assert_eq!(metadata.channels.as_ref().unwrap().value, 2);
    assert_eq!(rate_of(&metadata), Some((3.90625, "ScanImage state.acq.frameRate")));
}
