//! Streams of other encoders, held against what went in and against `fdeflate`.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use proptest::prelude::*;

use super::{Inflate, InflateError};

fn encode(data: &[u8], level: u32, flush_every: usize) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::new(level));
    for piece in data.chunks(flush_every) {
        encoder.write_all(piece).unwrap();
        // Ends a block and adds an empty stored one.
        encoder.flush().unwrap();
    }
    encoder.finish().unwrap()
}

/// Noise of few or many bits, runs, and repeats of what came before.
fn images() -> impl Strategy<Value = Vec<u8>> {
    let noise = (0u32..9, prop::collection::vec(any::<u8>(), 0..4000))
        .prop_map(|(bits, bytes)| bytes.into_iter().map(|b| (u32::from(b) >> bits) as u8).collect::<Vec<_>>());
    let run = (any::<u8>(), 0usize..4000).prop_map(|(value, length)| vec![value; length]);
    let repeat = (prop::collection::vec(any::<u8>(), 1..40), 0usize..200).prop_map(|(piece, times)| piece.repeat(times));
    // Numbers whose frequency halves from one to the next have codes of every length.
    let rare = (0usize..30_000, any::<u64>()).prop_map(|(length, seed)| {
        let mut state = seed | 1;
        let next = |_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state | 1).leading_zeros() as u8
        };
        (0..length).map(next).collect()
    });
    prop::collection::vec(prop_oneof![noise, run, repeat, rare], 0..6).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_was_packed_comes_out(data in images(), level in 0u32..10, flush_every in 1usize..60_000) {
        let packed = encode(&data, level, flush_every.max(data.len() / 50 + 1));
        let mut inflate = Inflate::default();
        let mut out = vec![7; data.len()];
        inflate.decode(&packed, &mut out).unwrap();
        prop_assert_eq!(&out, &data);
        // The same tables again, for less than there is and for more.
        let mut less = vec![7; data.len() / 2];
        inflate.decode(&packed, &mut less).unwrap();
        prop_assert_eq!(&less, &data[..data.len() / 2]);
        let mut more = vec![7; data.len() + 1];
        prop_assert!(matches!(inflate.decode(&packed, &mut more), Err(InflateError::TooShort(_))));
    }

    #[test]
    fn damage_is_told_as_another_decoder_tells_it(
        data in images(), level in 0u32..10, changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(), cuts: bool,
    ) {
        let mut packed = encode(&data, level, 1 << 20);
        for (at, value) in changes {
            let at = at.index(packed.len());
            packed[at] = value;
        }
        if cuts {
            packed.truncate(cut.index(packed.len()));
        }
        let mut out = vec![0; data.len()];
        let ours = Inflate::default().decode(&packed, &mut out);
        if let Ok(theirs) = fdeflate::decompress_to_vec(&packed) && theirs.len() == out.len() {
            prop_assert!(ours.is_ok(), "{:?}", ours);
            prop_assert_eq!(out, theirs);
        }
    }
}

#[test]
fn a_wrong_checksum_is_damage() {
    let data = vec![3; 1000];
    let mut packed = encode(&data, 6, 2000);
    let last = packed.len() - 1;
    packed[last] ^= 1;
    let mut out = vec![0; 1000];
    assert!(matches!(Inflate::default().decode(&packed, &mut out), Err(InflateError::Damaged(_))));
}
