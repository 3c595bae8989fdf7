//! PackBits (TIFF 6.0, section 9): runs of bytes as they are, and of one byte repeated.

/// Unpacks until `out` is full. Returns how many bytes there were.
pub(super) fn decode(packed: &[u8], out: &mut [u8]) -> usize {
    let (mut from, mut to) = (packed, 0);
    while to < out.len() {
        let Some((head, rest)) = from.split_first() else { break };
        let count = match *head {
            // No operation.
            128 => {
                from = rest;
                continue;
            }
            literal @ 0..128 => usize::from(literal) + 1,
            repeat => 257 - usize::from(repeat),
        };
        let room = count.min(out.len() - to);
        if *head < 128 {
            let present = room.min(rest.len());
            out[to..to + present].copy_from_slice(&rest[..present]);
            from = &rest[count.min(rest.len())..];
            to += present;
        } else {
            let Some((value, after)) = rest.split_first() else { break };
            out[to..to + room].fill(*value);
            from = after;
            to += room;
        }
    }
    to
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn the_example_of_the_specification_unpacks() {
        let packed = [0xfe, 0xaa, 0x02, 0x80, 0x00, 0x2a, 0xfd, 0xaa, 0x03, 0x80, 0x00, 0x2a, 0x22, 0xf7, 0xaa];
        let mut out = [0; 24];
        assert_eq!(decode(&packed, &mut out), 24);
        let head = [0xaa, 0xaa, 0xaa, 0x80, 0x00, 0x2a, 0xaa, 0xaa, 0xaa, 0xaa, 0x80, 0x00, 0x2a, 0x22];
        assert_eq!(out[..14], head);
        assert_eq!(out[14..], [0xaa; 10]);
    }

    #[test]
    fn too_little_is_told_and_too_much_is_left() {
        for (packed, count) in [(&[5u8, 1, 2][..], 2), (&[200], 0), (&[128, 128], 0), (&[129, 7, 129, 7], 10)] {
            assert_eq!(decode(packed, &mut [0; 10]), count, "{packed:?}");
        }
    }
}
