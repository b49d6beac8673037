use crate::NetsError;
use boneage_core::Digest;
use boneage_nn::StoredWeights;
use bytes::Bytes;
use safetensors::{Dtype, SafeTensors};
use std::sync::OnceLock;

/// A safetensors file in memory, known by its SHA-256. A copy shares the bytes.
#[derive(Clone, Debug)]
pub struct WeightsFile {
    bytes: Bytes,
    digest: OnceLock<Digest>,
    vouched: bool,
}

impl WeightsFile {
    /// Bytes from anywhere; the digest is computed when it is asked for first.
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        WeightsFile { bytes: bytes.into(), digest: OnceLock::new(), vouched: false }
    }

    /// Bytes for which whoever put them into the program vouches, and whose digest was computed then.
    pub fn vouched(bytes: &'static [u8], digest: Digest) -> Self {
        WeightsFile { bytes: bytes.into(), digest: OnceLock::from(digest), vouched: true }
    }

    /// All of them.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// SHA-256 of the bytes.
    pub fn digest(&self) -> &Digest {
        self.digest.get_or_init(|| Digest::of(&self.bytes))
    }

    /// Whether the digest need not be computed to know that the bytes are whole.
    pub fn is_vouched(&self) -> bool {
        self.vouched
    }

    /// Tensor `name` of `tensors`, which were read from these bytes; the shape is checked. Halves stay where
    /// they are.
    pub(crate) fn stored(
        &self,
        tensors: &SafeTensors<'_>,
        network: &'static str,
        name: &str,
        shape: &[usize],
    ) -> Result<StoredWeights<'static>, NetsError> {
        let view = tensors.tensor(name).map_err(|_| NetsError::Missing { name: name.to_owned(), network })?;
        if view.shape() != shape {
            return Err(NetsError::Shape {
                name: name.to_owned(),
                found: view.shape().to_vec(),
                expected: shape.to_vec(),
            });
        }
        let bytes = view.data();
        match view.dtype() {
            Dtype::F16 => Ok(StoredWeights::Half(self.bytes.slice_ref(bytes))),
            Dtype::F32 => {
                let (quads, _) = bytes.as_chunks::<4>();
                Ok(quads.iter().map(|&quad| f32::from_le_bytes(quad)).collect::<Vec<_>>().into())
            }
            other => Err(NetsError::Numbers { name: name.to_owned(), found: format!("{other:?}") }),
        }
    }
}
