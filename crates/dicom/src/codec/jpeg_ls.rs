use crate::DicomError;
use crate::layout::Layout;

/// JPEG-LS, lossless and near-lossless (ISO 14495-1), by the library CharLS.
#[cfg(feature = "jpeg-ls")]
pub(super) fn decode(frame: &[u8], layout: &Layout) -> Result<Vec<u32>, DicomError> {
    let fault = |reason: String| DicomError::Codec { codec: "JPEG-LS", reason };
    if layout.channels != 1 {
        return Err(DicomError::Unsupported { what: "JPEG-LS in colour".to_owned() });
    }
    let bytes = charls::CharLS::default().decode(frame).map_err(|error| fault(error.to_string()))?;
    if bytes.len() == layout.samples() {
        return Ok(bytes.into_iter().map(u32::from).collect());
    }
    let (twos, _) = bytes.as_chunks::<2>();
    Ok(twos.iter().map(|&two| u32::from(u16::from_ne_bytes(two))).collect())
}

/// Without the library.
#[cfg(not(feature = "jpeg-ls"))]
pub(super) fn decode(_frame: &[u8], _layout: &Layout) -> Result<Vec<u32>, DicomError> {
    Err(DicomError::Unsupported {
        what: "JPEG-LS (this program was built without the feature jpeg-ls)".to_owned(),
    })
}
