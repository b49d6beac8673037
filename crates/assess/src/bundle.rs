use crate::{AssessError, Manifest};
use boneage_core::Digest;
use boneage_nets::{Head, NamedTensor, VggTail};
use half::f16;
use safetensors::tensor::{Dtype, SafeTensorError, SafeTensors, TensorView};
use std::collections::{HashMap, HashSet};

/// Where the manifest stands in the metadata of the safetensors file.
const MANIFEST_KEY: &str = "manifest";

/// A trained head, and what was trained below it, with its manifest: one `.safetensors` file.
pub struct Bundle {
    /// Everything but the numbers.
    pub manifest: Manifest,
    /// The numbers, in place.
    pub head: Head,
    /// The backbone's convolutions that were trained with the head, as the manifest says how many; mostly
    /// none. [`Vgg16::open`](boneage_nets::Vgg16::open) takes them from the file.
    pub tuned: Vec<NamedTensor>,
}

impl Bundle {
    /// Reads the manifest alone; the weights are neither read nor checked.
    pub fn read_manifest(bytes: &[u8]) -> Result<Manifest, AssessError> {
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(not_safetensors)?;
        let manifest = metadata.metadata().as_ref().and_then(|pairs| pairs.get(MANIFEST_KEY));
        Manifest::from_json(manifest.ok_or(AssessError::NoManifest { key: MANIFEST_KEY })?)
    }

    /// Reads a bundle and checks that it is whole: the manifest's format, the digest of the weights,
    /// and that names and shapes of all tensors are those of the architecture.
    ///
    /// # Errors
    /// Names what differs, with both values.
    pub fn read(bytes: &[u8]) -> Result<Bundle, AssessError> {
        let tensors = SafeTensors::deserialize(bytes).map_err(not_safetensors)?;
        let (manifest, head) = Bundle::read_head(bytes, true)?;
        let tuned = VggTail::shapes(manifest.backbone.frozen).into_iter();
        let tuned = tuned.map(|(name, shape)| values(&name, &checked(&tensors, &name, &shape)?));
        Ok(Bundle { tuned: tuned.collect::<Result<_, _>>()?, manifest, head })
    }

    /// As [`read`](Self::read), but what was trained below the head stays in the file.
    ///
    /// Bytes that somebody vouches for are not to be `verified` by their digest.
    pub(crate) fn read_head(bytes: &[u8], verified: bool) -> Result<(Manifest, Head), AssessError> {
        let manifest = Bundle::read_manifest(bytes)?;
        let tensors = SafeTensors::deserialize(bytes).map_err(not_safetensors)?;
        let views: Vec<(String, TensorView<'_>)> = tensors.tensors();
        let digest = || digest_of(views.iter().map(|(name, view)| (name.as_str(), view.data())).collect());
        match &manifest.weights {
            Some(expected) if verified => {
                let found = digest();
                if *expected != found {
                    return Err(AssessError::Weights { expected: expected.clone(), found });
                }
            }
            Some(_) => {}
            None => {
                return Err(AssessError::Value {
                    field: "weights",
                    value: "nothing".into(),
                    allowed: "a SHA-256",
                });
            }
        }

        let mut head = Head::unloaded(manifest.head.clone());
        let mut state = Vec::with_capacity(views.len());
        for (name, shape) in head.shapes() {
            state.push(values(&name, &checked(&tensors, &name, &shape)?)?);
        }
        let tuned = VggTail::shapes(manifest.backbone.frozen);
        for (name, shape) in &tuned {
            checked(&tensors, name, shape)?;
        }
        let known = state.iter().map(|tensor| &tensor.name).chain(tuned.iter().map(|(name, _)| name));
        let known: HashSet<&String> = known.collect();
        if let Some((name, _)) = views.iter().find(|(name, _)| !known.contains(name)) {
            return Err(AssessError::Unexpected { name: name.clone() });
        }
        head.load_state(&state)?;
        Ok((manifest, head))
    }

    /// The file: the head's tensors as f32, those of the backbone as f16, which halves the file; the
    /// manifest with the digest of the weights filled in.
    /// The same bundle gives the same bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, AssessError> {
        let state = self.head.state();
        let full = |t: &NamedTensor| t.values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let half = |t: &NamedTensor| t.values.iter().flat_map(|&v| f16::from_f32(v).to_le_bytes()).collect();
        let mut data: Vec<(&NamedTensor, Dtype, Vec<u8>)> =
            state.iter().map(|tensor| (tensor, Dtype::F32, full(tensor))).collect();
        data.extend(self.tuned.iter().map(|tensor| (tensor, Dtype::F16, half(tensor))));
        let mut manifest = self.manifest.clone();
        let named = data.iter().map(|(tensor, _, bytes)| (tensor.name.as_str(), bytes.as_slice()));
        manifest.weights = Some(digest_of(named.collect()));

        let mut views = Vec::with_capacity(data.len());
        for (tensor, number, bytes) in &data {
            let view = TensorView::new(*number, tensor.shape.clone(), bytes).map_err(not_safetensors)?;
            views.push((tensor.name.clone(), view));
        }
        let metadata = HashMap::from([(MANIFEST_KEY.to_owned(), manifest.to_json()?)]);
        safetensors::serialize(views, Some(metadata)).map_err(not_safetensors)
    }
}

fn not_safetensors(error: SafeTensorError) -> AssessError {
    AssessError::NotSafetensors { reason: error.to_string() }
}

/// SHA-256 over names and little-endian bytes of all tensors in the order of their names,
/// each preceded by its length.
fn digest_of(mut tensors: Vec<(&str, &[u8])>) -> Digest {
    tensors.sort_unstable();
    Digest::of_parts(tensors.iter().flat_map(|(name, bytes)| [name.as_bytes(), bytes]))
}

/// The file's tensor of this name, which must have this shape.
fn checked<'a>(
    tensors: &SafeTensors<'a>,
    name: &str,
    shape: &[usize],
) -> Result<TensorView<'a>, AssessError> {
    let (name, shape) = (name.to_owned(), shape.to_vec());
    match tensors.tensor(&name) {
        Err(_) => Err(AssessError::Missing { name, shape }),
        Ok(view) if view.shape() != shape => {
            Err(AssessError::Shape { name, expected: shape, found: view.shape().to_vec() })
        }
        Ok(view) => Ok(view),
    }
}

/// A tensor as f32.
fn values(name: &str, view: &TensorView<'_>) -> Result<NamedTensor, AssessError> {
    let (name, shape) = (name.to_owned(), view.shape().to_vec());
    let (pairs, _) = view.data().as_chunks::<2>();
    let (quads, _) = view.data().as_chunks::<4>();
    let values = match view.dtype() {
        Dtype::F32 => quads.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect(),
        Dtype::F16 => pairs.iter().map(|&bytes| f16::from_le_bytes(bytes).to_f32()).collect(),
        other => return Err(AssessError::NumberType { name, found: format!("{other:?}") }),
    };
    Ok(NamedTensor { name, shape, values })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::tests::manifest;

    fn bundle() -> Bundle {
        let manifest = manifest();
        Bundle { head: Head::new(manifest.head.clone(), 5), manifest, tuned: Vec::new() }
    }

    /// The file of `bundle` with its header replaced by that of another manifest.
    fn with_manifest(change: impl FnOnce(&mut Manifest)) -> Vec<u8> {
        let bytes = bundle().to_bytes().unwrap();
        let mut manifest = Bundle::read_manifest(&bytes).unwrap();
        change(&mut manifest);
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let metadata = HashMap::from([(MANIFEST_KEY.to_owned(), manifest.to_json().unwrap())]);
        safetensors::serialize(tensors.tensors(), Some(metadata)).unwrap()
    }

    fn message(bytes: &[u8]) -> String {
        Bundle::read(bytes).map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn what_is_written_is_read_and_written_the_same() {
        let bytes = bundle().to_bytes().unwrap();
        let read = Bundle::read(&bytes).unwrap();
        assert_eq!(read.head.state(), bundle().head.state());
        assert_eq!(read.manifest.name, "tiny");
        assert_eq!(read.to_bytes().unwrap(), bytes);
    }

    #[test]
    fn one_changed_bit_is_noticed() {
        let mut bytes = bundle().to_bytes().unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        assert!(message(&bytes).starts_with("the model's weights have digest"), "{}", message(&bytes));
    }

    #[test]
    fn every_cut_is_an_error_and_never_a_panic() {
        let bytes = bundle().to_bytes().unwrap();
        for length in (0..bytes.len()).step_by(97) {
            assert!(Bundle::read(&bytes[..length]).is_err());
        }
    }

    #[test]
    fn another_architecture_is_named_by_its_first_differing_tensor() {
        let wider = with_manifest(|manifest| manifest.head.hidden += 1);
        assert!(message(&wider).contains("has shape"), "{}", message(&wider));
        let sexed = with_manifest(|manifest| manifest.head.sex_units = Some(3));
        assert!(message(&sexed).contains("lacks the tensor") || message(&sexed).contains("has shape"));
        let unsigned = with_manifest(|manifest| manifest.weights = None);
        assert!(message(&unsigned).contains("weights = nothing"));
    }

    #[test]
    fn a_head_in_half_precision_is_read() {
        let bytes = bundle().to_bytes().unwrap();
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let halves: Vec<(String, Vec<usize>, Vec<u8>)> = tensors
            .tensors()
            .into_iter()
            .map(|(name, view)| {
                let (quads, _) = view.data().as_chunks::<4>();
                let bytes =
                    quads.iter().flat_map(|&q| f16::from_f32(f32::from_le_bytes(q)).to_le_bytes()).collect();
                (name, view.shape().to_vec(), bytes)
            })
            .collect();
        let mut manifest = manifest();
        manifest.weights =
            Some(digest_of(halves.iter().map(|(n, _, b)| (n.as_str(), b.as_slice())).collect()));
        let views = halves.iter().map(|(name, shape, bytes)| {
            (name.clone(), TensorView::new(Dtype::F16, shape.clone(), bytes).unwrap())
        });
        let metadata = HashMap::from([(MANIFEST_KEY.to_owned(), manifest.to_json().unwrap())]);
        let bytes = safetensors::serialize(views, Some(metadata)).unwrap();
        let read = Bundle::read(&bytes).unwrap();
        for (half, full) in read.head.state().iter().zip(bundle().head.state()) {
            for (h, f) in half.values.iter().zip(&full.values) {
                assert!((h - f).abs() <= 1e-3 * f.abs() + 1e-6, "{}: {h} {f}", half.name);
            }
        }
    }

    #[test]
    fn a_backbone_is_no_bundle() {
        let one = 1f32.to_le_bytes();
        let view = TensorView::new(Dtype::F32, vec![1], &one).unwrap();
        let bytes = safetensors::serialize([("block1_conv1.weight", view)], None).unwrap();
        assert!(message(&bytes).contains("is not a boneage model"));
    }
}
