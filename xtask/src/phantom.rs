use anyhow::{Context, Result, ensure};
use image::imageops::FilterType;
use image::{GrayImage, ImageFormat, Luma};
use std::io::Cursor;
use std::path::Path;
use std::process::Command;

/// Films drawn after one of `examples/`, of one size. Their grain makes them as hard to compress as a radiograph, and
/// differs from number to number: no two are the same file.
pub(crate) struct Phantom(GrayImage);

/// How the pixels of a DICOM file lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Syntax {
    /// Explicit VR Little Endian.
    Uncompressed,
    /// JPEG Lossless, by DCMTK's dcmcjpeg.
    JpegLossless,
    /// JPEG 2000 Lossless, by pydicom with pylibjpeg.
    Jpeg2000,
}

impl Phantom {
    /// Films of this size.
    pub(crate) fn new(width: u32, height: u32) -> Result<Self> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/girl-10-years.png");
        let drawn = image::open(&path).with_context(|| path.display().to_string())?.into_luma8();
        Ok(Phantom(image::imageops::resize(&drawn, width, height, FilterType::Triangle)))
    }

    /// A film as PNG of 8 bits.
    pub(crate) fn png(&self, number: u32) -> Result<Vec<u8>> {
        let film = GrayImage::from_fn(self.0.width(), self.0.height(), |x, y| {
            Luma([self.0.get_pixel(x, y).0[0].saturating_add(grain(x, y, number) % 7)])
        });
        let mut png = Cursor::new(Vec::new());
        film.write_to(&mut png, ImageFormat::Png)?;
        Ok(png.into_inner())
    }

    /// A film as DICOM (Digital X-Ray, 12 bits of 16, uncompressed) of a girl of ten.
    pub(crate) fn dicom(&self, number: u32) -> Vec<u8> {
        let (width, height) = self.0.dimensions();
        let instance = instance(number);
        let mut file = vec![0; 128];
        file.extend(b"DICM");
        let mut meta = Vec::new();
        element(&mut meta, 0x0002_0001, b"OB", &[0, 1]);
        text(&mut meta, 0x0002_0002, b"UI", "1.2.840.10008.5.1.4.1.1.1.1");
        text(&mut meta, 0x0002_0003, b"UI", &instance);
        text(&mut meta, 0x0002_0010, b"UI", "1.2.840.10008.1.2.1");
        element(&mut file, 0x0002_0000, b"UL", &(meta.len() as u32).to_le_bytes());
        file.extend(meta);
        for (tag, vr, value) in [
            (0x0008_0016, b"UI", "1.2.840.10008.5.1.4.1.1.1.1"),
            (0x0008_0018, b"UI", instance.as_str()),
            (0x0008_0020, b"DA", "20200115"),
            (0x0008_0050, b"SH", "P1"),
            (0x0008_0060, b"CS", "DX"),
            (0x0010_0010, b"PN", "Nobody^Drawn"),
            (0x0010_0020, b"LO", "P1"),
            (0x0010_0030, b"DA", "20100115"),
            (0x0010_0040, b"CS", "F"),
            (0x0018_0015, b"CS", "HAND"),
            (0x0020_000D, b"UI", "2.25.1"),
            (0x0020_000E, b"UI", "2.25.2"),
            (0x0028_0004, b"CS", "MONOCHROME2"),
        ] {
            if tag == 0x0028_0004 {
                element(&mut file, 0x0028_0002, b"US", &1u16.to_le_bytes());
            }
            text(&mut file, tag, vr, value);
        }
        for (tag, value) in [
            (0x0028_0010, height as u16),
            (0x0028_0011, width as u16),
            (0x0028_0100, 16),
            (0x0028_0101, 12),
            (0x0028_0102, 11),
            (0x0028_0103, 0),
        ] {
            element(&mut file, tag, b"US", &value.to_le_bytes());
        }
        let pixels = self.0.enumerate_pixels().flat_map(|(x, y, grey)| {
            (u16::from(grey.0[0]) * 15 + u16::from(grain(x, y, number) % 96)).to_le_bytes()
        });
        element(&mut file, 0x7FE0_0010, b"OW", &pixels.collect::<Vec<u8>>());
        file
    }

    /// Writes a film as DICOM in another transfer syntax.
    pub(crate) fn write(&self, number: u32, syntax: Syntax, to: &Path, python: &Path) -> Result<()> {
        let plain = to.with_extension("plain");
        std::fs::write(if syntax == Syntax::Uncompressed { to } else { &plain }, self.dicom(number))?;
        let mut command = match syntax {
            Syntax::Uncompressed => return Ok(()),
            Syntax::JpegLossless => {
                let mut command = Command::new("dcmcjpeg");
                command.args(["+e1", "+un"]);
                command
            }
            Syntax::Jpeg2000 => {
                let mut command = Command::new(python);
                command.arg("-c").arg(TO_JPEG_2000);
                command
            }
        };
        let done = command.arg(&plain).arg(to).output().context("a compressor could not be started")?;
        ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        Ok(std::fs::remove_file(plain)?)
    }
}

/// Compresses one file to another; the number of the film stays.
const TO_JPEG_2000: &str = "
import sys
from pydicom import dcmread
from pydicom.uid import JPEG2000Lossless
film = dcmread(sys.argv[1])
film.compress(JPEG2000Lossless, generate_instance_uid=False)
film.save_as(sys.argv[2])
";

/// The SOP instance UID of a film.
pub(crate) fn instance(number: u32) -> String {
    format!("2.25.{}", 1_000_000_000u64 + u64::from(number))
}

/// A hash of place and number; its low bits are as good as noise.
fn grain(x: u32, y: u32, number: u32) -> u8 {
    let mut hash =
        x.wrapping_mul(0x9e37_79b1) ^ y.wrapping_mul(0x85eb_ca77) ^ number.wrapping_mul(0xc2b2_ae3d);
    hash = (hash ^ (hash >> 15)).wrapping_mul(0x2c1b_3c6d);
    (hash >> 13) as u8
}

fn text(out: &mut Vec<u8>, tag: u32, vr: &[u8; 2], text: &str) {
    let mut value = text.as_bytes().to_vec();
    if value.len() % 2 == 1 {
        value.push(if vr == b"UI" { 0 } else { b' ' });
    }
    element(out, tag, vr, &value);
}

/// An element in Explicit VR Little Endian; of an even length.
fn element(out: &mut Vec<u8>, tag: u32, vr: &[u8; 2], value: &[u8]) {
    out.extend(((tag >> 16) as u16).to_le_bytes());
    out.extend((tag as u16).to_le_bytes());
    out.extend(vr);
    if matches!(vr, b"OB" | b"OW") {
        out.extend([0, 0]);
        out.extend((value.len() as u32).to_le_bytes());
    } else {
        out.extend((value.len() as u16).to_le_bytes());
    }
    out.extend(value);
}
