//! Files of every kind, sound and broken, through the one door.

use boneage_core::{FlagCode, Plane};
use boneage_vision::{DecodeLimits, Decoded, Preprocess, VisionError, decode};
use image::{DynamicImage, GrayImage, ImageBuffer, ImageFormat, Luma, Rgb, Rgba};
use proptest::prelude::*;
use std::io::Cursor;

const WIDTH: u32 = 48;
const HEIGHT: u32 = 40;

/// The grey of every test image, of 255; see `fixtures/decode/make.py`.
fn grey(x: u32, y: u32) -> u8 {
    (4 * x + y) as u8
}

fn read(bytes: &[u8]) -> Decoded {
    decode(bytes, &DecodeLimits::default()).expect("a sound file")
}

fn encoded(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.into().write_to(&mut bytes, format).expect("an encoder of the image crate");
    bytes.into_inner()
}

fn grey_image() -> GrayImage {
    ImageBuffer::from_fn(WIDTH, HEIGHT, |x, y| Luma([grey(x, y)]))
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/../../fixtures/decode/{name}", env!("CARGO_MANIFEST_DIR")))
        .expect("a committed fixture")
}

/// Largest distance from the grey that was written, of 255.
fn error_of(plane: &Plane, written: impl Fn(u32, u32) -> u8) -> f32 {
    assert_eq!((plane.width(), plane.height()), (WIDTH as usize, HEIGHT as usize));
    let each = (0..HEIGHT).flat_map(|y| (0..WIDTH).map(move |x| (x, y)));
    each.map(|(x, y)| (255.0 * plane.at(x as usize, y as usize) - f32::from(written(x, y))).abs())
        .fold(0.0, f32::max)
}

#[test]
fn every_format_and_depth_is_read_without_loss() {
    let g16 = |x, y| 257 * u16::from(grey(x, y)) + 3;
    let rgb = ImageBuffer::from_fn(WIDTH, HEIGHT, |x, y| Rgb([grey(x, y); 3]));
    let rgba = ImageBuffer::from_fn(WIDTH, HEIGHT, |x, y| Rgba([grey(x, y), grey(x, y), grey(x, y), 255]));
    for format in [ImageFormat::Png, ImageFormat::Tiff, ImageFormat::Bmp] {
        for image in [DynamicImage::from(grey_image()), rgb.clone().into(), rgba.clone().into()] {
            let decoded = read(&encoded(image, format));
            assert!(error_of(&decoded.plane, grey) < 1e-4, "{format:?}");
            assert_eq!((decoded.bits, decoded.flags.len()), (8, 0));
        }
    }
    let deep: ImageBuffer<Luma<u16>, Vec<u16>> =
        ImageBuffer::from_fn(WIDTH, HEIGHT, |x, y| Luma([g16(x, y)]));
    let deep_rgb: ImageBuffer<Rgb<u16>, Vec<u16>> =
        ImageBuffer::from_fn(WIDTH, HEIGHT, |x, y| Rgb([g16(x, y); 3]));
    for format in [ImageFormat::Png, ImageFormat::Tiff] {
        for image in [DynamicImage::from(deep.clone()), deep_rgb.clone().into()] {
            let decoded = read(&encoded(image, format));
            assert_eq!(decoded.bits, 16);
            assert_eq!(decoded.plane.at(7, 5), f32::from(g16(7, 5)) / 65535.0, "all 16 bits of {format:?}");
        }
    }
    let jpeg = read(&encoded(grey_image(), ImageFormat::Jpeg));
    assert!(error_of(&jpeg.plane, grey) < 12.0);
}

#[test]
fn palettes_ink_and_white_is_zero_are_read() {
    for (name, tolerance) in
        [("palette.png", 1e-4), ("palette.tif", 1e-4), ("white-is-zero.tif", 1e-2), ("cmyk.jpg", 8.0)]
    {
        let decoded = read(&fixture(name));
        let error = error_of(&decoded.plane, grey);
        assert!(error < tolerance, "{name}: {error}");
        assert!(decoded.flags.is_empty(), "{name}: {:?}", decoded.flags);
    }
    assert_eq!(read(&fixture("white-is-zero.tif")).bits, 16);
    let two_bits = read(&fixture("palette-2-bit.png"));
    assert!(error_of(&two_bits.plane, |x, _| 85 * (x % 4) as u8) < 1e-4);
}

#[test]
fn exif_sets_the_image_upright_and_says_so() {
    let decoded = read(&fixture("exif-6.jpg"));
    assert!(error_of(&decoded.plane, grey) < 8.0);
    assert_eq!(decoded.flags[0].code, FlagCode::ExifTurned);
    // All eight orientations against the grey they were made from, by patching the one byte.
    let turned = fixture("exif-6.jpg");
    let at = turned
        .windows(4)
        .position(|w| w == [0, 0x12, 1, 3])
        .or_else(|| turned.windows(4).position(|w| w == [1, 0x12, 0, 3]))
        .unwrap();
    let value = (at + 8..at + 10).find(|&k| turned[k] == 6).unwrap();
    let stored = decode_with(&turned, value, 1);
    let (w, h) = (stored.width(), stored.height());
    for (orientation, corner) in [
        (2, (w - 1, 0)),
        (3, (w - 1, h - 1)),
        (4, (0, h - 1)),
        (5, (0, 0)),
        (6, (0, h - 1)),
        (7, (w - 1, h - 1)),
        (8, (w - 1, 0)),
    ] {
        let upright = decode_with(&turned, value, orientation);
        assert_eq!(upright.at(0, 0), stored.at(corner.0, corner.1), "orientation {orientation}");
        assert_eq!(upright.width() == w, orientation < 5);
    }
}

fn decode_with(jpeg: &[u8], at: usize, orientation: u8) -> Plane {
    let mut patched = jpeg.to_vec();
    patched[at] = orientation;
    read(&patched).plane
}

#[test]
fn colour_is_flagged_where_it_is_and_transparency_is_black() {
    let red = ImageBuffer::from_pixel(WIDTH, HEIGHT, Rgb([200u8, 0, 0]));
    let decoded = read(&encoded(red, ImageFormat::Png));
    assert!((decoded.plane.at(3, 3) - 0.299 * 200.0 / 255.0).abs() < 1e-6);
    assert_eq!(decoded.flags.iter().map(|flag| flag.code).collect::<Vec<_>>(), [FlagCode::ColourPicture]);
    // A tint is a colour, but not that of a picture.
    let tinted = ImageBuffer::from_pixel(WIDTH, HEIGHT, Rgb([90u8, 110, 130]));
    let flags = read(&encoded(tinted, ImageFormat::Png)).flags;
    assert_eq!(flags.iter().map(|flag| flag.code).collect::<Vec<_>>(), [FlagCode::Colour]);
    // One coloured mark on a grey film is no colour image.
    let marked =
        ImageBuffer::from_fn(
            WIDTH,
            HEIGHT,
            |x, y| if (x, y) == (9, 9) { Rgb([255u8, 0, 0]) } else { Rgb([90; 3]) },
        );
    assert!(read(&encoded(marked, ImageFormat::Png)).flags.is_empty());
    let clear = ImageBuffer::from_pixel(WIDTH, HEIGHT, Rgba([200u8, 200, 200, 0]));
    assert_eq!(read(&encoded(clear, ImageFormat::Png)).plane.at(0, 0), 0.0);
}

#[test]
fn what_is_no_image_is_called_what_it_is() {
    let message = |bytes: &[u8]| decode(bytes, &DecodeLimits::default()).unwrap_err().to_string();
    assert!(message(b"").contains("empty"));
    assert!(message(b"age,sex\n120,f\n").contains("\"age,sex.120,\""));
    let pixel = GrayImage::new(1, 1);
    assert!(message(&encoded(pixel, ImageFormat::Png)).contains("1 x 1 pixels"));
    assert!(message(&encoded(GrayImage::new(500, 3), ImageFormat::Bmp)).contains("500 x 3 pixels"));
}

/// Cut anywhere past its header, a file is refused, and called truncated at least where only pixels miss.
#[test]
fn truncated_files_are_refused() {
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Tiff, ImageFormat::Bmp] {
        let whole = encoded(grey_image(), format);
        for length in [whole.len() / 2, whole.len() * 9 / 10] {
            let error = decode(&whole[..length], &DecodeLimits::default()).expect_err("half an image");
            println!("{format:?} cut to {length}: {error}");
            if format != ImageFormat::Tiff {
                assert!(matches!(error, VisionError::Truncated { .. }), "{format:?}: {error}");
            }
        }
    }
}

#[test]
fn a_bomb_is_refused_by_its_header() {
    let limits = DecodeLimits::pixels(1000);
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Tiff, ImageFormat::Bmp] {
        let error = decode(&encoded(grey_image(), format), &limits).unwrap_err();
        assert!(error.to_string().contains("48 x 40 pixels, more than the limit of 1000"), "{error}");
    }
    let mut png = encoded(grey_image(), ImageFormat::Png);
    png[16..24].copy_from_slice(&[0, 1, 0x86, 0xa0, 0, 1, 0x86, 0xa0]);
    let error = decode(&png[..60], &DecodeLimits::default()).unwrap_err();
    assert!(error.to_string().contains("100000 x 100000"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever happens to a file on its way, it is read or refused.
    #[test]
    fn mutated_files_never_panic(
        which in 0usize..8,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = match which {
            0 => encoded(grey_image(), ImageFormat::Png),
            1 => encoded(grey_image(), ImageFormat::Jpeg),
            2 => encoded(grey_image(), ImageFormat::Tiff),
            3 => encoded(grey_image(), ImageFormat::Bmp),
            4 => fixture("palette.tif"),
            5 => fixture("exif-6.jpg"),
            6 => fixture("cmyk.jpg"),
            _ => fixture("palette-2-bit.png"),
        };
        // Most of a header lies in the first bytes; half of the changes go there.
        for (k, (index, value)) in changes.iter().enumerate() {
            let reach = if k % 2 == 0 { bytes.len() } else { bytes.len().min(64) };
            bytes[index.index(reach)] = *value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(decoded) = decode(&bytes, &DecodeLimits::pixels(1_000_000)) {
            prop_assert!(decoded.plane.pixels().iter().all(|grey| (0.0..=1.001).contains(grey)));
        }
    }

    #[test]
    fn noise_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = decode(&bytes, &DecodeLimits::default());
    }
}

#[test]
fn the_sample_images_are_read_without_a_flag() {
    for name in ["girl-10-years", "boy-13-years"] {
        let path = format!("{}/../../examples/{name}.png", env!("CARGO_MANIFEST_DIR"));
        let decoded = read(&std::fs::read(path).expect("a committed sample"));
        assert_eq!((decoded.plane.width(), decoded.plane.height(), decoded.bits), (600, 800, 8));
        let frame = Preprocess::default().frame(&decoded.plane);
        assert!(decoded.flags.is_empty() && frame.flags().is_empty(), "{name}: {:?}", frame.flags());
    }
}
