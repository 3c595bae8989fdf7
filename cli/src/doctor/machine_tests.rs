use super::super::report::Status::{Missing, Ok as Fine, Warning};
use super::*;
use proptest::prelude::*;

fn gib(gib: f64) -> u64 {
    (gib * GIB) as u64
}

#[test]
fn memory_and_room_are_judged_by_the_model_that_picks_an_instance() {
    let (usual, small) = (needs(USUAL), needs(SMALL));
    for (mib, status) in [
        (usual.memory_mib, Fine),
        (usual.memory_mib - 1, Warning),
        (small.memory_mib, Warning),
        (small.memory_mib - 1, Missing),
        (0, Missing),
    ] {
        assert_eq!(memory(Some(mib << 20)).status, status, "{mib} MiB");
    }
    // Results are small: what is usual may need no more whole GiB than the least.
    let between = if usual.scratch_gib > small.scratch_gib { Warning } else { Missing };
    for (gib, status) in [(usual.scratch_gib, Fine), (usual.scratch_gib - 1, between), (small.scratch_gib - 1, Missing)] {
        assert_eq!(room_of(gib << 30, None).status, status, "{gib} GiB");
    }
    assert_eq!(memory(None).status, Warning);
}

#[test]
fn a_disk_without_inodes_has_no_room() {
    let room = |inodes| room_of(gib(1000.0), inodes).status;
    assert_eq!([room(None), room(Some(1 << 20)), room(Some(5000)), room(Some(0))], [Fine, Fine, Warning, Missing]);
}

#[test]
fn free_memory_is_what_the_kernel_calls_available() {
    let text = "MemTotal:       24683744 kB\nMemFree:          123456 kB\nMemAvailable:   24201000 kB\n";
    assert_eq!(available(text), Some(24_201_000 * 1024));
    assert_eq!(available("MemTotal: 1 kB\n"), None);
}

#[test]
fn a_low_limit_of_open_files_is_raised_by_whoever_may() {
    let remedy = |most| open_files(Some(20), Some(most)).remedy.unwrap();
    assert!(remedy(4096).contains("ulimit -n") && remedy(20).contains("administrator"));
    let status = |limit| open_files(limit, None).status;
    assert_eq!([status(None), status(Some(1024)), status(Some(64)), status(Some(20))], [Fine, Fine, Warning, Missing]);
}

#[test]
fn a_clock_without_a_battery_is_absurd() {
    assert_eq!(clock(Timestamp::from_millis(0)).status, Missing);
    assert_eq!(clock(Timestamp::from_millis(1_790_000_000_000)).status, Fine);
    assert_eq!(clock(Timestamp::from_millis(i64::MAX)).status, Missing);
}

#[test]
fn a_taken_port_is_no_hindrance_and_a_dead_loopback_is() {
    let error = || Err(io::ErrorKind::AddrInUse.into());
    assert_eq!([port(error()).status, loopback(error()).status], [Warning, Missing]);
    assert_eq!(loopback(connect()).status, Fine);
}

proptest! {
    #[test]
    fn the_longest_recording_fits_and_one_frame_more_does_not(mib in 0u64..1 << 21) {
        let met = |needs: &Needs| needs.memory_mib <= mib;
        let most = longest(met);
        prop_assert!(most == 0 || met(&needs((USUAL.0, most))));
        prop_assert!(most == MOST_FRAMES || !met(&needs((USUAL.0, most + 1))));
    }
}
