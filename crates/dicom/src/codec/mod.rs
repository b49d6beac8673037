//! Compressed frames: what they are by their own first bytes, and their samples.
//!
//! Each codestream states its size; it is compared with the header's before a decoder sets its buffers up.

mod codestream;
mod extended_jpeg;
mod jpeg;
mod jpeg2000;
mod jpeg_ls;
mod rle;

use crate::DicomError;
use crate::layout::Layout;
pub(crate) use codestream::{Codestream, Facts};
pub(crate) use rle::{is_rle, rle};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Samples `[height, width, channels]` as the codestream holds them, unsigned or in two's complement.
pub(crate) fn decode(frame: &[u8], codestream: &Codestream, layout: &Layout) -> Result<Vec<u32>, DicomError> {
    let codec = codestream.name();
    let facts = codestream.facts();
    let (width, height) = (facts.width as usize, facts.height as usize);
    if (width, height) != (layout.width, layout.height) {
        return Err(DicomError::Damaged(format!(
            "its {codec} picture is {width} x {height} pixels, its header says {} x {}",
            layout.width, layout.height
        )));
    }
    if facts.channels != layout.channels || facts.bits > 16 || facts.bits > layout.allocated {
        return Err(DicomError::Damaged(format!(
            "its {codec} picture has {} channels of {} bits, its header says {} of {}",
            facts.channels, facts.bits, layout.channels, layout.allocated
        )));
    }
    // The one place where a fault of a foreign decoder is stopped: its input is whatever anybody sends, and its
    // state is dropped with it.
    let decoded = catch_unwind(AssertUnwindSafe(|| match codestream {
        Codestream::Jpeg(facts) if facts.needs_extended() => extended_jpeg::decode(frame),
        Codestream::Jpeg(facts) => jpeg::decode(frame, facts, layout),
        Codestream::JpegLs(_) => jpeg_ls::decode(frame, layout),
        Codestream::Jpeg2000(facts) => jpeg2000::decode(frame, facts),
    }));
    let samples = decoded
        .unwrap_or_else(|_| Err(DicomError::Codec { codec, reason: "the decoder gave up".to_owned() }))?;
    if samples.len() != layout.samples() {
        let reason = format!("it has {} samples of {}", samples.len(), layout.samples());
        return Err(DicomError::Codec { codec, reason });
    }
    Ok(samples)
}
