use super::{Item, Kind, Occasion};

/// A picture as Secondary Capture Image (PS3.3, A.8.1): for every viewer. `rgb` is `[height, width, 3]`.
///
/// # Panics
/// If the number of bytes is not that of the size: a fault of the caller.
pub fn secondary_capture(occasion: &Occasion<'_>, width: u16, height: u16, rgb: &[u8]) -> Vec<u8> {
    let bytes = usize::from(width) * usize::from(height) * 3;
    assert_eq!(rgb.len(), bytes, "bytes of a picture of {width} x {height}");
    let content = Item::new()
        .text(0x0008_0008, b"CS", "DERIVED\\SECONDARY\\OTHER")
        .text(0x0008_0023, b"DA", &occasion.day())
        .text(0x0008_0033, b"TM", &occasion.clock())
        // Made by a program, not digitised.
        .text(0x0008_0064, b"CS", "WSD")
        .text(0x0008_2111, b"ST", "Film with bone age, attention map and contour of the hand")
        .items(0x0008_2112, vec![occasion.film()])
        .text(0x0020_0020, b"CS", "")
        // Of the series: asked for, and not known of a drawing.
        .text(0x0020_0060, b"CS", "")
        .numbers(0x0028_0002, &[3])
        .text(0x0028_0004, b"CS", "RGB")
        .numbers(0x0028_0006, &[0])
        .numbers(0x0028_0010, &[height])
        .numbers(0x0028_0011, &[width])
        .numbers(0x0028_0100, &[8])
        .numbers(0x0028_0101, &[8])
        .numbers(0x0028_0102, &[7])
        .numbers(0x0028_0103, &[0])
        // No name is drawn on it.
        .text(0x0028_0301, b"CS", "NO")
        .bytes(0x7FE0_0010, b"OB", rgb.to_vec());
    occasion.file(Kind::SecondaryCapture, content)
}
