//! JPEG Extended with 12 bits a sample: sequential DCT with Huffman codes, of one grey component.
//!
//! Radiographs of old archives are stored so, and no Rust decoder of JPEG goes beyond 8 bits. Clauses are those
//! of ISO 10918-1. The decoder is ours and small; colour, progression and arithmetic codes are refused.

use crate::DicomError;
use std::f32::consts::{FRAC_1_SQRT_2, PI};

/// Place of the k-th coefficient in its block of 8 x 8 (A.3.6).
const ZIGZAG: [usize; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7,
    14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39,
    46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// Half of full scale, which is taken off before the transform (A.3.1).
const LEVEL: f32 = 2048.0;
const FULL: f32 = 4095.0;

/// Grey samples `[height, width]`, 0..4095.
pub(super) fn decode(frame: &[u8]) -> Result<Vec<u32>, DicomError> {
    let mut decoder = Decoder::default();
    decoder.run(frame).map_err(|reason| DicomError::Codec { codec: "JPEG", reason })
}

/// What the segments before a scan have told.
#[derive(Default)]
struct Decoder {
    quantisation: [Option<[f32; 64]>; 4],
    dc: [Option<Codes>; 4],
    ac: [Option<Codes>; 4],
    /// Blocks between two restart markers; 0 for none.
    restart: usize,
    /// Width, height and quantisation table.
    size: Option<(usize, usize, usize)>,
}

impl Decoder {
    fn run(&mut self, frame: &[u8]) -> Result<Vec<u32>, String> {
        let mut at = 2;
        loop {
            let cut = || "it ends before its picture".to_owned();
            let &[marker, code] = frame.get(at..).and_then(|rest| rest.first_chunk::<2>()).ok_or_else(cut)?;
            if marker != 0xFF {
                return Err(format!("byte {at} should be a marker"));
            }
            if code == 0xFF {
                at += 1;
                continue;
            }
            let length = frame.get(at + 2..).and_then(|rest| rest.first_chunk::<2>()).ok_or_else(cut)?;
            let length = usize::from(u16::from_be_bytes(*length)).max(2);
            let body = frame.get(at + 4..at + 2 + length).ok_or_else(cut)?;
            at += 2 + length;
            match code {
                0xC1 => self.frame_header(body)?,
                0xC4 => self.huffman_tables(body)?,
                0xDB => self.quantisation_tables(body)?,
                0xDD => self.restart = usize::from(u16::from_be_bytes(*body.first_chunk().ok_or_else(cut)?)),
                0xDA => return self.scan(body, &frame[at..]),
                0xC0 | 0xC2..=0xCF => {
                    return Err(format!("frame marker {code:02x} is none of JPEG Extended"));
                }
                _ => {}
            }
        }
    }

    /// B.2.2.
    fn frame_header(&mut self, body: &[u8]) -> Result<(), String> {
        let &[12, h1, h0, w1, w0, 1, _, _, table, ..] = body else {
            return Err("it is not of one component of 12 bits".to_owned());
        };
        let (width, height) = (u16::from_be_bytes([w1, w0]), u16::from_be_bytes([h1, h0]));
        self.size = Some((usize::from(width), usize::from(height), usize::from(table & 3)));
        Ok(())
    }

    /// B.2.4.1.
    fn quantisation_tables(&mut self, mut body: &[u8]) -> Result<(), String> {
        while let Some((&kind, rest)) = body.split_first() {
            let wide = kind >> 4 == 1;
            let length = if wide { 128 } else { 64 };
            let (values, rest) = rest.split_at_checked(length).ok_or("a quantisation table is cut")?;
            let mut table = [0.0; 64];
            for (k, place) in ZIGZAG.into_iter().enumerate() {
                table[place] = if wide {
                    f32::from(u16::from_be_bytes([values[2 * k], values[2 * k + 1]]))
                } else {
                    f32::from(values[k])
                };
            }
            self.quantisation[usize::from(kind & 3)] = Some(table);
            body = rest;
        }
        Ok(())
    }

    /// B.2.4.2.
    fn huffman_tables(&mut self, mut body: &[u8]) -> Result<(), String> {
        while let Some((&kind, rest)) = body.split_first() {
            let (counts, rest) = rest.split_first_chunk::<16>().ok_or("a table of codes is cut")?;
            let total = counts.iter().map(|&count| usize::from(count)).sum();
            let (values, rest) = rest.split_at_checked(total).ok_or("a table of codes is cut")?;
            let table = if kind >> 4 == 0 { &mut self.dc } else { &mut self.ac };
            table[usize::from(kind & 3)] = Some(Codes::new(counts, values));
            body = rest;
        }
        Ok(())
    }

    /// B.2.3, then the entropy-coded blocks (F.2.2).
    fn scan(&self, body: &[u8], data: &[u8]) -> Result<Vec<u32>, String> {
        let &[1, _, tables, ..] = body else { return Err("its scan is not of one component".to_owned()) };
        let (width, height, quantisation) = self.size.ok_or("a scan comes before the frame")?;
        let missing = |what: &str| format!("its scan names a table of {what} that is not there");
        let quantisation = self.quantisation[quantisation].as_ref().ok_or_else(|| missing("quantisation"))?;
        let dc = self.dc[usize::from(tables >> 4 & 3)].as_ref().ok_or_else(|| missing("codes"))?;
        let ac = self.ac[usize::from(tables & 3)].as_ref().ok_or_else(|| missing("codes"))?;
        let transform = Transform::new();
        let mut bits = Bits { data, at: 0, word: 0, held: 0 };
        let mut pixels = vec![0; width * height];
        let mut before = 0;
        let columns = width.div_ceil(8);
        for block in 0..columns * height.div_ceil(8) {
            if self.restart > 0 && block > 0 && block % self.restart == 0 {
                bits.restart()?;
                before = 0;
            }
            let mut coefficients = [0.0; 64];
            let size = dc.next(&mut bits)?;
            // A sound picture stays within 16 bits.
            before = i32::wrapping_add(before, bits.signed(u32::from(size))?);
            coefficients[0] = before as f32 * quantisation[0];
            let mut k = 1;
            while k < 64 {
                let code = ac.next(&mut bits)?;
                let (zeros, size) = (usize::from(code >> 4), u32::from(code & 15));
                if size == 0 {
                    // Sixteen zeros, or nothing more in this block.
                    if zeros < 15 {
                        break;
                    }
                    k += 16;
                    continue;
                }
                k += zeros;
                let place = *ZIGZAG.get(k).ok_or("a block has more than 64 coefficients")?;
                coefficients[place] = bits.signed(size)? as f32 * quantisation[place];
                k += 1;
            }
            let samples = transform.back(&coefficients);
            let (x, y) = (block % columns * 8, block / columns * 8);
            for (row, samples) in samples.as_chunks::<8>().0.iter().enumerate().take(height - y) {
                for (column, &sample) in samples.iter().enumerate().take(width - x) {
                    let grey = (sample + LEVEL).round().clamp(0.0, FULL);
                    pixels[(y + row) * width + x + column] = grey as u32;
                }
            }
        }
        Ok(pixels)
    }
}

/// Huffman codes by their lengths (C.2, F.2.2.3).
struct Codes {
    /// Of each length: the first code, the place of its value, how many there are.
    lengths: [(u32, usize, u32); 16],
    values: Vec<u8>,
}

impl Codes {
    fn new(counts: &[u8; 16], values: &[u8]) -> Codes {
        let (mut code, mut place) = (0, 0);
        let lengths = counts.map(|count| {
            let length = (code, place, u32::from(count));
            code = (code + u32::from(count)) << 1;
            place += usize::from(count);
            length
        });
        Codes { lengths, values: values.to_vec() }
    }

    fn next(&self, bits: &mut Bits<'_>) -> Result<u8, String> {
        let mut code = 0;
        for (first, place, count) in self.lengths {
            code = code << 1 | bits.take(1)?;
            if let Some(beyond) = code.checked_sub(first).filter(|&beyond| beyond < count) {
                return Ok(self.values[place + beyond as usize]);
            }
        }
        Err("a code is none of its table".to_owned())
    }
}

/// Bits of the entropy-coded data, without the zeros stuffed behind 0xFF (B.1.1.5).
struct Bits<'a> {
    data: &'a [u8],
    at: usize,
    word: u32,
    held: u32,
}

impl Bits<'_> {
    fn take(&mut self, count: u32) -> Result<u32, String> {
        while self.held < count {
            let byte = *self.data.get(self.at).ok_or("it ends within its picture")?;
            if byte == 0xFF {
                if self.data.get(self.at + 1) != Some(&0) {
                    return Err("a marker stands within its picture".to_owned());
                }
                self.at += 1;
            }
            self.at += 1;
            self.word = self.word << 8 | u32::from(byte);
            self.held += 8;
        }
        self.held -= count;
        Ok(self.word >> self.held & ((1 << count) - 1))
    }

    /// A number of `size` bits; those that begin with 0 are negative (F.2.2.1).
    fn signed(&mut self, size: u32) -> Result<i32, String> {
        if size > 16 {
            return Err(format!("a coefficient claims {size} bits"));
        }
        if size == 0 {
            return Ok(0);
        }
        let value = self.take(size)? as i32;
        Ok(if value >> (size - 1) == 0 { value - (1 << size) + 1 } else { value })
    }

    /// Goes beyond a restart marker (F.2.2.5).
    fn restart(&mut self) -> Result<(), String> {
        self.held = 0;
        while self.data.get(self.at) == Some(&0xFF) && self.data.get(self.at + 1) == Some(&0xFF) {
            self.at += 1;
        }
        match self.data.get(self.at..self.at + 2) {
            Some(&[0xFF, 0xD0..=0xD7]) => self.at += 2,
            _ => return Err("a restart marker is missing".to_owned()),
        }
        Ok(())
    }
}

/// The inverse cosine transform (A.3.3): rows, then columns.
struct Transform {
    /// `[x][u]`: C(u)/2 cos((2x + 1) u pi / 16).
    cosines: [[f32; 8]; 8],
}

impl Transform {
    fn new() -> Transform {
        let cosine = |x: usize, u: usize| {
            let weight = if u == 0 { FRAC_1_SQRT_2 } else { 1.0 };
            0.5 * weight * ((2 * x + 1) as f32 * u as f32 * PI / 16.0).cos()
        };
        Transform { cosines: std::array::from_fn(|x| std::array::from_fn(|u| cosine(x, u))) }
    }

    fn back(&self, coefficients: &[f32; 64]) -> [f32; 64] {
        let sum = |x: usize, read: &dyn Fn(usize) -> f32| -> f32 {
            (0..8).map(|u| self.cosines[x][u] * read(u)).sum()
        };
        let rows: [f32; 64] = std::array::from_fn(|i| sum(i % 8, &|u| coefficients[i / 8 * 8 + u]));
        std::array::from_fn(|i| sum(i / 8, &|v| rows[v * 8 + i % 8]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_first_coefficient_is_an_even_block() {
        let mut coefficients = [0.0; 64];
        coefficients[0] = 80.0;
        assert!(Transform::new().back(&coefficients).iter().all(|sample| (sample - 10.0).abs() < 1e-4));
    }

    #[test]
    fn numbers_that_begin_with_0_are_negative() {
        let mut bits = Bits { data: &[0b1010_0111, 0xFF, 0], at: 0, word: 0, held: 0 };
        assert_eq!((bits.signed(3), bits.signed(3)), (Ok(5), Ok(-6)));
        assert_eq!((bits.signed(0), bits.signed(10)), (Ok(0), Ok(1023)));
        assert!(bits.take(1).is_err());
    }
}
