use super::{Item, Kind, Occasion, code};

/// A page as Encapsulated PDF (PS3.3, A.45.1).
pub fn encapsulated_pdf(occasion: &Occasion<'_>, pdf: &[u8]) -> Vec<u8> {
    let content = Item::new()
        .text(0x0008_0023, b"DA", &occasion.day())
        .text(0x0008_0033, b"TM", &occasion.clock())
        .text(0x0008_002A, b"DT", "")
        .text(0x0008_0064, b"CS", "WSD")
        .text(0x0028_0301, b"CS", "NO")
        .items(0x0042_0013, vec![occasion.film()])
        .text(0x0042_0010, b"ST", "Bone age")
        .items(0x0040_A043, vec![code("37362-1", "LN", "XR Bone age")])
        .text(0x0042_0012, b"LO", "application/pdf")
        .long(0x0042_0015, pdf.len() as u32)
        .bytes(0x0042_0011, b"OB", pdf.to_vec());
    occasion.file(Kind::EncapsulatedPdf, content)
}
