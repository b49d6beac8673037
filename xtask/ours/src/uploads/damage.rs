use super::corpus::Seed;
use boneage_core::{Stream, stream};

/// Changes that one case has at most.
const CHANGES: usize = 4;

/// Half of the changes fall here, where headers lie.
const HEAD: usize = 600;

/// Longest piece that is dropped, doubled, overwritten or brought from another file.
const PIECE: usize = 3000;

/// Numbers that break sums.
const NUMBERS: [u32; 12] =
    [0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x1_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];

/// The file of a case: the same for the same number.
pub(crate) fn damaged(seeds: &[Seed], case: u64) -> Vec<u8> {
    let mut draws = stream(case, &["uploads"]);
    let seed = &seeds[draws.below(seeds.len())];
    let other = &seeds[draws.below(seeds.len())].bytes;
    if draws.below(500) == 0 {
        return Vec::new();
    }
    let bytes = broken(seed.bytes.clone(), other, &mut draws);
    // Almost every damaged PNG falls at its check sums: of half of them they are mended, to see what lies behind.
    if bytes.starts_with(PNG) && draws.below(2) == 0 { with_check_sums(bytes) } else { bytes }
}

/// Some bytes with a few changes.
pub(crate) fn broken(mut bytes: Vec<u8>, other: &[u8], draws: &mut Stream) -> Vec<u8> {
    for _ in 0..=draws.below(CHANGES) {
        let room = if draws.below(2) == 0 { bytes.len().min(HEAD) } else { bytes.len() };
        let at = draws.below(room.max(1)).min(bytes.len());
        let to = (at + 1 + draws.below(PIECE)).min(bytes.len());
        match draws.below(12) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..to)),
            2 => bytes.extend_from_within(at..to),
            3 => bytes[at..to].fill(0xff),
            4 => bytes[at..to].fill(0),
            5 => splice(&mut bytes, at, to, other, draws),
            6 => bytes.extend(std::iter::repeat_n(draws.below(256) as u8, draws.below(PIECE))),
            7 | 8 => number(&mut bytes, at, draws),
            9 => bytes
                .iter_mut()
                .skip(at)
                .take(1 + draws.below(16))
                .for_each(|byte| *byte = draws.below(256) as u8),
            _ => bytes
                .iter_mut()
                .skip(at)
                .take(1 + draws.below(3))
                .for_each(|byte| *byte ^= 1 << draws.below(8)),
        }
    }
    bytes
}

/// A piece of another file in place of one of this.
fn splice(bytes: &mut Vec<u8>, at: usize, to: usize, other: &[u8], draws: &mut Stream) {
    let from = draws.below(other.len().max(1)).min(other.len());
    let end = (from + 1 + draws.below(PIECE)).min(other.len());
    bytes.splice(at..to, other[from..end].iter().copied());
}

/// A length or a count that is not true, in 1, 2 or 4 bytes of either order.
fn number(bytes: &mut [u8], at: usize, draws: &mut Stream) {
    let near = bytes.len() as u32;
    let number = match draws.below(NUMBERS.len() + 2) {
        0 => near,
        1 => near.wrapping_sub(at as u32),
        drawn => NUMBERS[drawn - 2],
    };
    let width = [1, 2, 4][draws.below(3)];
    let little = number.to_le_bytes();
    let mut written = little[..width].to_vec();
    if draws.below(2) == 0 {
        written.reverse();
    }
    for (byte, value) in bytes.iter_mut().skip(at).zip(written) {
        *byte = value;
    }
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// A PNG whose chunks have the check sums of what they hold (PNG, 5.3).
fn with_check_sums(mut bytes: Vec<u8>) -> Vec<u8> {
    let mut at = PNG.len();
    while let Some(head) = bytes.get(at..at + 8) {
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let end = at.saturating_add(8).saturating_add(length);
        let Some(content) = bytes.get(at + 4..end) else { break };
        let sum = check_sum(content).to_be_bytes();
        let Some(place) = bytes.get_mut(end..end + 4) else { break };
        place.copy_from_slice(&sum);
        at = end + 4;
    }
    bytes
}

/// CRC-32 (ISO 3309), a bit at a time: the files are small.
fn check_sum(bytes: &[u8]) -> u32 {
    let step = |sum: u32| if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 };
    !bytes.iter().fold(!0, |sum, &byte| (0..8).fold(sum ^ u32::from(byte), |sum, _| step(sum)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_the_same_each_time_and_no_two_are_alike() {
        let seeds =
            ["one", "two"].map(|name| Seed { name: name.into(), bytes: name.repeat(500).into_bytes() });
        let cases: Vec<Vec<u8>> = (0..50).map(|case| damaged(&seeds, case)).collect();
        assert_eq!(cases, (0..50).map(|case| damaged(&seeds, case)).collect::<Vec<_>>());
        let different: std::collections::BTreeSet<_> = cases.iter().collect();
        assert!(different.len() > 45, "{}", different.len());
    }

    #[test]
    fn a_check_sum_is_that_of_the_standard() {
        assert_eq!(check_sum(b"123456789"), 0xcbf4_3926);
        let sound = [PNG, &[0, 0, 0, 0], b"IEND", &[0xae, 0x42, 0x60, 0x82]].concat();
        let mut wrong = sound.clone();
        wrong[17] = 0;
        assert_eq!(with_check_sums(wrong), sound);
    }
}
