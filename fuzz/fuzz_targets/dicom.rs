//! `cargo +nightly fuzz run dicom fuzz/corpus fixtures/dicom`: any bytes are read or refused, none panics.
//! New cases are written to the first folder; the second holds the seeds.

#![no_main]

use boneage_dicom::{DecodeLimits, directory, is_dicom, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = (is_dicom(bytes), directory(bytes));
    let _ = read(bytes, &DecodeLimits::pixels(1 << 18));
});
