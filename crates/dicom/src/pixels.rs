//! The samples of the first frame, whatever they were stored as.

use crate::DicomError;
use crate::codec::{self, Codestream};
use crate::dataset::DataSet;
use crate::element::Value;
use crate::file::told;
use crate::layout::{Layout, Photometric};
use crate::tag::Tag;
use crate::transfer_syntax::{Storage, TransferSyntax};
use flate2::read::DeflateDecoder;
use std::borrow::Cow;
use std::io::Read;

/// The first frame.
pub(crate) struct Samples {
    /// `[height, width, channels]`, by the stored bits alone.
    pub(crate) values: Vec<i32>,
    /// A sentence where the pixels are not stored as their transfer syntax says.
    pub(crate) contradiction: Option<String>,
}

/// Decodes the first frame of a data set. `bytes` is the length of the file, for messages.
pub(crate) fn first_frame(
    set: &DataSet<'_>,
    layout: &Layout,
    syntax: Option<&TransferSyntax>,
    bytes: usize,
) -> Result<Samples, DicomError> {
    let Some(element) = set.find(Tag::PIXEL_DATA) else {
        return Err(match &set.fault {
            Some(fault) => told(fault, bytes),
            None => DicomError::Missing { name: "PixelData", tag: Tag::PIXEL_DATA.to_string() },
        });
    };
    let name = syntax.map_or("none", |syntax| syntax.name.as_str());
    let stated = syntax.map(|syntax| syntax.storage);
    match &element.value {
        _ if stated == Some(Storage::Other) => {
            Err(DicomError::Unsupported { what: format!("transfer syntax {name}") })
        }
        Value::Bytes(native) => {
            // Words are turned in the file even where a sample is a byte (PS3.5, 8.1.1).
            let turned = set.encoding.big_endian && layout.allocated == 8 && element.vr == Some(*b"OW");
            let native = if turned { Cow::Owned(swapped(native)) } else { Cow::Borrowed(*native) };
            let values = unpacked(&native, layout, set.encoding.big_endian)?;
            let told = !matches!(stated, None | Some(Storage::Native | Storage::Deflated));
            let contradiction =
                told.then(|| format!("the pixels are not compressed, against their transfer syntax {name}"));
            Ok(Samples { values, contradiction })
        }
        Value::Fragments(fragments) => encapsulated(fragments, layout, stated, name),
        Value::Items(..) => Err(DicomError::Damaged("its pixels are a sequence".to_owned())),
    }
}

fn encapsulated(
    fragments: &[&[u8]],
    layout: &Layout,
    stated: Option<Storage>,
    name: &str,
) -> Result<Samples, DicomError> {
    let frame = frame_of(fragments, layout.frames, stated)?;
    let found = Codestream::of(&frame);
    let agrees = |codestream: &Codestream| {
        matches!(
            (codestream, stated),
            (Codestream::Jpeg(_), Some(Storage::Jpeg))
                | (Codestream::JpegLs(_), Some(Storage::JpegLs))
                | (Codestream::Jpeg2000(_), Some(Storage::Jpeg2000))
        )
    };
    match (found, stated) {
        (_, Some(Storage::Rle)) if codec::is_rle(&frame) => {
            let bytes = codec::rle(&frame, layout)?;
            Ok(Samples { values: unpacked(&bytes, &interleaved(layout), false)?, contradiction: None })
        }
        (_, Some(Storage::Encapsulated)) => {
            Ok(Samples { values: unpacked(&frame, layout, false)?, contradiction: None })
        }
        (_, Some(Storage::DeflatedFrames)) => {
            let mut bytes = Vec::new();
            let most = layout.samples() as u64 * 4;
            let read = DeflateDecoder::new(&*frame).take(most).read_to_end(&mut bytes);
            read.map_err(|error| DicomError::Codec { codec: "deflated", reason: error.to_string() })?;
            Ok(Samples { values: unpacked(&bytes, layout, false)?, contradiction: None })
        }
        (Some(codestream), _) => {
            let contradiction = (!agrees(&codestream)).then(|| {
                format!(
                    "the pixels are {}, against their transfer syntax {name}; they were read as they are",
                    codestream.name()
                )
            });
            let decoded = codec::decode(&frame, &codestream, layout)?;
            let mut values: Vec<i32> = decoded.into_iter().map(|sample| layout.value(sample)).collect();
            // Two pixels that shared their colours have them each now.
            if layout.photometric == Photometric::Ybr422 || layout.photometric == Photometric::Ybr {
                // JPEG's decoder turns colour differences to colours; the others leave them.
                if !matches!(codestream, Codestream::Jpeg(_)) {
                    values = rgb_of_ybr(&values);
                }
            }
            Ok(Samples { values, contradiction })
        }
        (None, _) => Err(DicomError::Codec {
            codec: "compressed",
            reason: format!("nothing in it is what transfer syntax {name} announces"),
        }),
    }
}

/// The first frame's bytes: PS3.5, A.4. The first item is the table of offsets, and may be empty.
fn frame_of<'a>(
    fragments: &[&'a [u8]],
    frames: u32,
    stated: Option<Storage>,
) -> Result<Cow<'a, [u8]>, DicomError> {
    let Some((offsets, fragments)) = fragments.split_first().filter(|(_, rest)| !rest.is_empty()) else {
        return Err(DicomError::Damaged("its pixel data hold no fragment".to_owned()));
    };
    // RLE frames are one fragment each; so is every frame where their numbers agree.
    if fragments.len() == 1 || stated == Some(Storage::Rle) || fragments.len() == frames as usize {
        return Ok(Cow::Borrowed(fragments[0]));
    }
    let second =
        offsets.get(4..8).map(|four| u32::from_le_bytes(four.try_into().expect("four bytes")) as usize);
    let mut frame = Vec::new();
    let mut offset = 0;
    for (i, fragment) in fragments.iter().enumerate() {
        // Without a table, a frame ends where the next picture begins.
        let next = match second {
            Some(second) => offset >= second,
            None => frames > 1 && Codestream::of(fragment).is_some(),
        };
        if i > 0 && next {
            break;
        }
        frame.extend_from_slice(fragment);
        offset += fragment.len() + 8;
    }
    Ok(Cow::Owned(frame))
}

/// RLE's output lies pixel by pixel whatever the header says of planes.
fn interleaved(layout: &Layout) -> Layout {
    Layout { planar: false, ..layout.clone() }
}

fn swapped(bytes: &[u8]) -> Vec<u8> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let mut swapped: Vec<u8> = pairs.iter().flat_map(|&[a, b]| [b, a]).collect();
    swapped.extend(rest);
    swapped
}

/// Native samples (PS3.5, 8.1.1) as values, pixel by pixel.
fn unpacked(bytes: &[u8], layout: &Layout, big_endian: bool) -> Result<Vec<i32>, DicomError> {
    let shared = layout.photometric == Photometric::Ybr422;
    let samples = if shared { 2 * layout.pixels() } else { layout.samples() };
    let needed = (samples as u64 * u64::from(layout.allocated)).div_ceil(8) as usize;
    let Some(bytes) = bytes.get(..needed) else {
        let (width, height) = (layout.width, layout.height);
        return Err(DicomError::Damaged(format!(
            "{width} x {height} pixels need {needed} bytes, it holds {}",
            bytes.len()
        )));
    };
    let mut values: Vec<i32> = match layout.allocated {
        1 => (0..samples).map(|i| i32::from(bytes[i / 8] >> (i % 8) & 1)).collect(),
        8 => bytes.iter().map(|&byte| layout.value(u32::from(byte))).collect(),
        16 => {
            let (twos, _) = bytes.as_chunks::<2>();
            let read = if big_endian { u16::from_be_bytes } else { u16::from_le_bytes };
            twos.iter().map(|&two| layout.value(u32::from(read(two)))).collect()
        }
        _ => {
            let (fours, _) = bytes.as_chunks::<4>();
            let read = if big_endian { u32::from_be_bytes } else { u32::from_le_bytes };
            fours.iter().map(|&four| layout.value(read(four))).collect()
        }
    };
    if layout.planar && !shared {
        let plane = layout.pixels();
        values = (0..samples).map(|i| values[i % 3 * plane + i / 3]).collect();
    }
    Ok(match layout.photometric {
        Photometric::Ybr => rgb_of_ybr(&values),
        Photometric::Ybr422 => {
            let (fours, _) = values.as_chunks::<4>();
            rgb_of_ybr(&fours.iter().flat_map(|&[a, b, cb, cr]| [a, cb, cr, b, cb, cr]).collect::<Vec<_>>())
        }
        _ => values,
    })
}

/// PS3.3, C.7.6.3.1.2 for YBR_FULL, of 8 bits: as JPEG's.
fn rgb_of_ybr(values: &[i32]) -> Vec<i32> {
    let (threes, _) = values.as_chunks::<3>();
    let colour = |&[y, cb, cr]: &[i32; 3]| {
        let (y, cb, cr) = (f64::from(y), f64::from(cb) - 128.0, f64::from(cr) - 128.0);
        [y + 1.402 * cr, y - 0.344_136 * cb - 0.714_136 * cr, y + 1.772 * cb]
            .map(|value| value.round().clamp(0.0, 255.0) as i32)
    };
    threes.iter().flat_map(colour).collect()
}
