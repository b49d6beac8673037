use crate::{AssessError, Guard, Manifest, ModelShape, NetworkShape, RegressionShape};
use boneage_classical::AgeRegression;
use boneage_core::Digest;
use boneage_nets::{Head, NamedTensor, VggTail};
use half::f16;
use safetensors::tensor::{Dtype, SafeTensorError, SafeTensors, TensorView};
use std::collections::{HashMap, HashSet};

/// Where the manifest stands in the metadata of the safetensors file.
const MANIFEST_KEY: &str = "manifest";

/// A trained model with its manifest: one `.safetensors` file.
pub struct Bundle {
    /// Everything but the numbers.
    pub manifest: Manifest,
    /// The numbers, of the kind and shape that the manifest tells of.
    pub weights: ModelWeights,
}

/// The numbers of a model, by kind.
pub enum ModelWeights {
    /// Those of a network but for its backbone.
    Network(Box<NetworkWeights>),
    /// All of a regression.
    Regression(AgeRegression),
}

/// A trained head, and what was trained below it.
pub struct NetworkWeights {
    /// The head, its numbers in place.
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
        let mut manifest = Bundle::read_manifest(bytes)?;
        let tensors = verified_tensors(&manifest, bytes, true)?;
        let weights = match &manifest.model {
            ModelShape::Network(shape) => {
                let head = read_head(shape, manifest.guard.as_ref(), &tensors)?;
                let tuned = read_named(&tensors, VggTail::shapes(shape.backbone.frozen))?;
                ModelWeights::Network(Box::new(NetworkWeights { head, tuned }))
            }
            ModelShape::Regression(shape) => {
                ModelWeights::Regression(read_regression(shape, manifest.preprocess.size, &tensors)?)
            }
        };
        if let Some(guard) = &mut manifest.guard {
            read_guard(guard, bytes)?;
        }
        Ok(Bundle { manifest, weights })
    }

    /// The file: tensors as f32, but those of a backbone as f16, which halves the file; the manifest with the
    /// digest of the weights filled in. The same bundle gives the same bytes.
    ///
    /// # Errors
    /// When the weights are not those that the manifest tells of.
    pub fn to_bytes(&self) -> Result<Vec<u8>, AssessError> {
        let size = self.manifest.preprocess.size;
        let (mut state, tuned): (Vec<NamedTensor>, &[NamedTensor]) =
            match (&self.weights, &self.manifest.model) {
                (ModelWeights::Network(weights), ModelShape::Network(_)) => {
                    (weights.head.state(), &weights.tuned)
                }
                (ModelWeights::Regression(regression), ModelShape::Regression(shape)) => {
                    (shape.state(regression, size)?, &[])
                }
                _ => return Err(AssessError::Architecture { size }),
            };
        state.extend(self.manifest.guard.iter().flat_map(Guard::state));
        let full = |t: &NamedTensor| t.values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let half = |t: &NamedTensor| t.values.iter().flat_map(|&v| f16::from_f32(v).to_le_bytes()).collect();
        let mut data: Vec<(&NamedTensor, Dtype, Vec<u8>)> =
            state.iter().map(|tensor| (tensor, Dtype::F32, full(tensor))).collect();
        data.extend(tuned.iter().map(|tensor| (tensor, Dtype::F16, half(tensor))));
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

/// The tensors of a bundle with this manifest. Bytes that somebody vouches for are not to be `verified` by their
/// digest.
pub(crate) fn verified_tensors<'a>(
    manifest: &Manifest,
    bytes: &'a [u8],
    verified: bool,
) -> Result<SafeTensors<'a>, AssessError> {
    let tensors = SafeTensors::deserialize(bytes).map_err(not_safetensors)?;
    let Some(expected) = &manifest.weights else {
        return Err(AssessError::Value { field: "weights", value: "nothing".into(), allowed: "a SHA-256" });
    };
    if verified {
        let views: Vec<(String, TensorView<'_>)> = tensors.tensors();
        let found = digest_of(views.iter().map(|(name, view)| (name.as_str(), view.data())).collect());
        if *expected != found {
            return Err(AssessError::Weights { expected: expected.clone(), found });
        }
    }
    Ok(tensors)
}

/// The head of a bundle; what was trained below it, and its guard, are looked at and stay in the file.
pub(crate) fn read_head(
    shape: &NetworkShape,
    guard: Option<&Guard>,
    tensors: &SafeTensors<'_>,
) -> Result<Head, AssessError> {
    let mut head = Head::unloaded(shape.head.clone());
    let state = read_named(tensors, head.shapes())?;
    let mut beside = VggTail::shapes(shape.backbone.frozen);
    beside.extend(guard.iter().flat_map(|guard| Guard::shapes(guard.components)));
    for (name, shape) in &beside {
        checked(tensors, name, shape)?;
    }
    refuse_others(
        tensors,
        state.iter().map(|tensor| &tensor.name).chain(beside.iter().map(|(name, _)| name)),
    )?;
    head.load_state(&state)?;
    Ok(head)
}

/// Gives a manifest's guard its numbers, from the file, which is verified by then.
pub(crate) fn read_guard(guard: &mut Guard, bytes: &[u8]) -> Result<(), AssessError> {
    let tensors = SafeTensors::deserialize(bytes).map_err(not_safetensors)?;
    guard.load(read_named(&tensors, Guard::shapes(guard.components))?);
    Ok(())
}

/// The regression of a bundle, on images of `size` x `size` pixels.
pub(crate) fn read_regression(
    shape: &RegressionShape,
    size: usize,
    tensors: &SafeTensors<'_>,
) -> Result<AgeRegression, AssessError> {
    let state = read_named(tensors, shape.tensors(size))?;
    refuse_others(tensors, state.iter().map(|tensor| &tensor.name))?;
    shape.load(state)
}

/// The tensors of these names and shapes, in their order.
fn read_named(
    tensors: &SafeTensors<'_>,
    named: impl IntoIterator<Item = (String, Vec<usize>)>,
) -> Result<Vec<NamedTensor>, AssessError> {
    named.into_iter().map(|(name, shape)| values(&name, &checked(tensors, &name, &shape)?)).collect()
}

/// Refuses a file with other tensors than those `known`.
fn refuse_others<'a>(
    tensors: &SafeTensors<'_>,
    known: impl Iterator<Item = &'a String>,
) -> Result<(), AssessError> {
    let known: HashSet<&String> = known.collect();
    match tensors.names().into_iter().find(|name| !known.contains(&(*name).to_owned())) {
        Some(name) => Err(AssessError::Unexpected { name: name.to_owned() }),
        None => Ok(()),
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
    use boneage_classical::{AgeClasses, LinearRegression, Link, LogisticRegression, Pca, Samples};
    use boneage_nets::HeadConfig;

    fn bundle() -> Bundle {
        let manifest = manifest();
        let ModelShape::Network(shape) = &manifest.model else { panic!("a network") };
        let head = Head::new(shape.head.clone(), 5);
        Bundle {
            manifest,
            weights: ModelWeights::Network(Box::new(NetworkWeights { head, tuned: Vec::new() })),
        }
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

    fn with_head(change: impl FnOnce(&mut HeadConfig)) -> Vec<u8> {
        with_manifest(|manifest| {
            if let ModelShape::Network(shape) = &mut manifest.model {
                change(&mut shape.head);
            }
        })
    }

    fn head_of(bundle: &Bundle) -> &Head {
        match &bundle.weights {
            ModelWeights::Network(weights) => &weights.head,
            ModelWeights::Regression(_) => panic!("a network"),
        }
    }

    fn message(bytes: &[u8]) -> String {
        Bundle::read(bytes).map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn what_is_written_is_read_and_written_the_same() {
        let bytes = bundle().to_bytes().unwrap();
        let read = Bundle::read(&bytes).unwrap();
        assert_eq!(head_of(&read).state(), head_of(&bundle()).state());
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
        let wider = with_head(|head| head.hidden += 1);
        assert!(message(&wider).contains("has shape"), "{}", message(&wider));
        let sexed = with_head(|head| head.sex_units = Some(3));
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
        for (half, full) in head_of(&read).state().iter().zip(head_of(&bundle()).state()) {
            for (h, f) in half.values.iter().zip(&full.values) {
                assert!((h - f).abs() <= 1e-3 * f.abs() + 1e-6, "{}: {h} {f}", half.name);
            }
        }
    }

    /// A bundle of a regression on images of 2 x 2 pixels.
    fn regression(regression: AgeRegression) -> Bundle {
        let mut manifest = manifest();
        manifest.preprocess.size = 2;
        manifest.model = ModelShape::Regression(RegressionShape::of(&regression));
        Bundle { manifest, weights: ModelWeights::Regression(regression) }
    }

    fn logistic(components: bool) -> AgeRegression {
        let row = |scale: f32| (0..4).map(|i| scale * i as f32).collect::<Vec<f32>>();
        let pca = Pca::from_parts(row(0.1), Samples::new([row(0.5), row(-0.25)].concat(), 4).unwrap());
        let width = if components { 2 } else { 4 };
        let weights = Samples::new((0..3 * width).map(|i| 0.3 - i as f32).collect(), width).unwrap();
        AgeRegression::Logistic(AgeClasses {
            pca: components.then(|| pca.unwrap()),
            classifier: LogisticRegression::from_parts(Link::Softmax, weights, vec![1.0, 2.0, -1.0]).unwrap(),
            ages: vec![12.0, 24.5, 200.0],
        })
    }

    #[test]
    fn regressions_of_every_kind_are_written_and_read_the_same() {
        let linear = LinearRegression::from_parts(vec![1.5, -2.0, 0.0, 4.0], 120.25);
        for written in [AgeRegression::Linear(linear), logistic(true), logistic(false)] {
            let bytes = regression(written.clone()).to_bytes().unwrap();
            let read = Bundle::read(&bytes).unwrap();
            assert_eq!(read.to_bytes().unwrap(), bytes);
            let ModelWeights::Regression(read) = read.weights else { panic!("a regression") };
            for image in [[0.0, 0.5, 1.0, 0.25], [1.0, 0.0, 0.125, 0.0]] {
                assert_eq!(read.predict(&image), written.predict(&image));
            }
        }
    }

    #[test]
    fn a_regression_that_is_not_its_manifests_is_named() {
        let mut other = regression(logistic(true));
        other.manifest.preprocess.size = 3;
        assert!(other.to_bytes().unwrap_err().to_string().contains("3 x 3 pixels"));
        let network = Bundle { weights: bundle().weights, ..regression(logistic(true)) };
        assert!(network.to_bytes().is_err());
        let bytes = regression(logistic(true)).to_bytes().unwrap();
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let mut manifest = Bundle::read_manifest(&bytes).unwrap();
        manifest.model = ModelShape::Regression(RegressionShape::Linear {});
        let metadata = HashMap::from([(MANIFEST_KEY.to_owned(), manifest.to_json().unwrap())]);
        let changed = safetensors::serialize(tensors.tensors(), Some(metadata)).unwrap();
        assert!(message(&changed).contains("\"weights\" has shape [3, 2]"), "{}", message(&changed));
    }

    #[test]
    fn a_backbone_is_no_bundle() {
        let one = 1f32.to_le_bytes();
        let view = TensorView::new(Dtype::F32, vec![1], &one).unwrap();
        let bytes = safetensors::serialize([("block1_conv1.weight", view)], None).unwrap();
        assert!(message(&bytes).contains("is not a boneage model"));
    }
}
