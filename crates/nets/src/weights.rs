use crate::NetsError;
use half::f16;
use safetensors::{Dtype, SafeTensors};

/// Tensor `name` of a safetensors file as f32, whatever float format it is stored in; the shape is checked.
pub(crate) fn read_tensor(
    file: &SafeTensors<'_>,
    network: &'static str,
    name: &str,
    shape: &[usize],
) -> Result<Vec<f32>, NetsError> {
    let view = file.tensor(name).map_err(|_| NetsError::Missing { name: name.to_owned(), network })?;
    if view.shape() != shape {
        return Err(NetsError::Shape {
            name: name.to_owned(),
            found: view.shape().to_vec(),
            expected: shape.to_vec(),
        });
    }
    let bytes = view.data();
    match view.dtype() {
        Dtype::F16 => Ok(bytes.chunks_exact(2).map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32()).collect()),
        Dtype::F32 => {
            Ok(bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
        }
        other => Err(NetsError::Numbers { name: name.to_owned(), found: format!("{other:?}") }),
    }
}
