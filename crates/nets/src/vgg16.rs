use crate::NetsError;
use crate::layer::{Branch, Layer, LayerKind};
use crate::weights::WeightsFile;
use boneage_core::{Digest, Plane};
use boneage_nn::{Blocked, Conv3x3, DirectConv3x3, Finish, Weights3x3};
use bytes::Bytes;
use safetensors::SafeTensors;

/// Channels of the convolutions of each block; every block ends in a 2x2 maximum.
///
/// Configuration D of Simonyan and Zisserman, "Very Deep Convolutional Networks", 2014.
pub const VGG16_BLOCKS: [&[usize]; 5] =
    [&[64, 64], &[128, 128], &[256, 256, 256], &[512, 512, 512], &[512, 512, 512]];

/// Convolutions of VGG16 up to its features.
pub const VGG16_CONVOLUTIONS: usize = 13;

/// One convolution of VGG16: 3x3, ReLU, and at the end of a block the 2x2 maximum.
#[derive(Clone, Debug)]
pub(crate) struct VggLayer {
    /// `block4_conv2`, as Keras counts.
    pub(crate) name: String,
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    pub(crate) finish: Finish,
}

impl VggLayer {
    /// All of them, from the image on.
    pub(crate) fn all() -> Vec<VggLayer> {
        let mut layers = Vec::with_capacity(VGG16_CONVOLUTIONS);
        let mut inputs = 3;
        for (block, convolutions) in VGG16_BLOCKS.iter().enumerate() {
            for (index, &outputs) in convolutions.iter().enumerate() {
                let name = format!("block{}_conv{}", block + 1, index + 1);
                let finish = Finish { relu: true, pool: index + 1 == convolutions.len() };
                layers.push(VggLayer { name, inputs, outputs, finish });
                inputs = outputs;
            }
        }
        layers
    }

    /// Weights and bias from a file whose tensors were read.
    pub(crate) fn read(
        &self,
        file: &WeightsFile,
        tensors: &SafeTensors<'_>,
    ) -> Result<Weights3x3<'static>, NetsError> {
        let [weight, bias] = self.shapes().map(|(name, shape)| file.stored(tensors, "VGG16", &name, &shape));
        Ok(Weights3x3::new(weight?, bias?.widened(), [self.inputs, self.outputs])?)
    }

    /// Whether the tensors have a weight or a bias of this convolution.
    fn is_in(&self, tensors: &SafeTensors<'_>) -> bool {
        self.shapes().iter().any(|(name, _)| tensors.tensor(name).is_ok())
    }

    /// Names and shapes of weights and bias.
    pub(crate) fn shapes(&self) -> [(String, Vec<usize>); 2] {
        let weight = (format!("{}.weight", self.name), vec![self.outputs, self.inputs, 3, 3]);
        [weight, (format!("{}.bias", self.name), vec![self.outputs])]
    }
}

/// The layers of VGG16 up to its features, for images of `side` x `side` pixels, the image itself first; the
/// first `frozen` convolutions are not trained.
pub fn vgg16_layers(side: usize, frozen: usize) -> Vec<Layer> {
    let mut layers =
        vec![Layer::fixed("image", LayerKind::Image, Branch::Trunk, vec![side, side, MEANS.len()])];
    let mut side = side;
    for (index, layer) in VggLayer::all().into_iter().enumerate() {
        let parameters = layer.shapes().iter().map(|(_, shape)| shape.iter().product::<usize>()).sum();
        let shape = vec![side, side, layer.outputs];
        let block = layer.name.split('_').next().unwrap_or_default().to_owned();
        let (kind, branch, trainable) = (LayerKind::Convolution3x3, Branch::Trunk, index >= frozen);
        layers.push(Layer { name: layer.name, kind, branch, shape, parameters, trainable });
        if layer.finish.pool {
            side /= 2;
            let (name, shape) = (format!("{block}_pool"), vec![side, side, layer.outputs]);
            layers.push(Layer::fixed(&name, LayerKind::Maximum, Branch::Trunk, shape));
        }
    }
    layers
}

/// Mean of each colour over ImageNet in the order of the weights, blue first, on a scale of 0..255.
const MEANS: [f32; 3] = [103.939, 116.779, 123.68];

/// Smallest side that leaves a pixel after five halvings.
const SMALLEST_SIDE: usize = 32;

/// How convolutions are computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Arithmetic {
    /// By Winograd's algorithm, within 5e-6 of exact arithmetic over the whole network.
    #[default]
    Winograd,
    /// The same with weights that are transformed in each pass, where they are used: for one image, which they
    /// spare 250 MB. Results have the same bits.
    Streamed,
    /// As they are defined, several times slower: for holding the fast way against.
    Direct,
}

/// The convolutional part of VGG16: images in, feature maps out.
pub struct Vgg16 {
    first: DirectConv3x3,
    /// The twelve convolutions after the first, each with what follows it.
    rest: Vec<(Conv3x3, Finish)>,
    digest: Digest,
}

/// Feature maps `[batch, height, width, channels]`: after all convolutions a fifth halving of the image and
/// 512 channels.
#[derive(Clone, Debug, PartialEq)]
pub struct Features {
    /// Images.
    pub batch: usize,
    /// Rows: after all convolutions the image's side / 32, rounded down.
    pub height: usize,
    /// Columns, likewise.
    pub width: usize,
    /// After all convolutions 512.
    pub channels: usize,
    /// All values, channels last.
    pub values: Vec<f32>,
}

impl Vgg16 {
    /// From a safetensors file with `blockB_convN.weight` `[out, in, 3, 3]` and `.bias` `[out]`.
    ///
    /// # Errors
    /// When a tensor is missing or has another shape.
    pub fn from_safetensors(bytes: &[u8]) -> Result<Self, NetsError> {
        Vgg16::open(&WeightsFile::new(Bytes::copy_from_slice(bytes)), None, Arithmetic::default())
    }

    /// The same, computed as `arithmetic` says, with convolutions that were trained in the place of the file's:
    /// those of which `tuned` holds a tensor. Other tensors of it are not looked at. The digest stays that of
    /// `file`.
    ///
    /// # Errors
    /// When a tensor of either has another shape or lacks its companion.
    pub fn open(
        file: &WeightsFile,
        tuned: Option<&WeightsFile>,
        arithmetic: Arithmetic,
    ) -> Result<Self, NetsError> {
        let (digest, network) =
            rayon::join(|| file.digest().clone(), || Vgg16::build(file, tuned, arithmetic));
        let (first, rest) = network?;
        Ok(Vgg16 { first, rest, digest })
    }

    fn build(
        file: &WeightsFile,
        tuned: Option<&WeightsFile>,
        arithmetic: Arithmetic,
    ) -> Result<(DirectConv3x3, Vec<(Conv3x3, Finish)>), NetsError> {
        let tensors = SafeTensors::deserialize(file.bytes())?;
        let tuned = match tuned {
            Some(tuned) => Some((tuned, SafeTensors::deserialize(tuned.bytes())?)),
            None => None,
        };
        let mut first = None;
        let mut rest = Vec::with_capacity(VGG16_CONVOLUTIONS - 1);
        for layer in VggLayer::all() {
            let weights = match &tuned {
                Some((tuned, tensors)) if layer.is_in(tensors) => layer.read(tuned, tensors)?,
                _ => layer.read(file, &tensors)?,
            };
            if first.is_none() {
                first = Some(weights.direct());
                continue;
            }
            let convolution = match arithmetic {
                Arithmetic::Winograd => weights.prepared(),
                Arithmetic::Streamed => weights.streamed(),
                Arithmetic::Direct => weights.exact(),
            };
            rest.push((convolution, layer.finish));
        }
        Ok((first.expect("the first block has convolutions"), rest))
    }

    /// SHA-256 of the file that the weights came from.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Features of square grey images of one size, `[side, side]` with values 0..255.
    ///
    /// The grey goes into all three colours, less the mean of each, as Keras prepares it.
    pub fn features(&self, images: &[&Plane]) -> Result<Features, NetsError> {
        self.features_by_block(images, |_, _| ())
    }

    /// What the first `convolutions` give, the 2x2 maximum that follows the last of them included; with
    /// none the greys themselves, as one channel. `map_after` has the shape.
    pub fn features_after(&self, images: &[&Plane], convolutions: usize) -> Result<Features, NetsError> {
        if convolutions == 0 {
            let side = check_sides(images)?;
            let values = images.iter().flat_map(|image| image.pixels().iter().copied()).collect();
            return Ok(Features { batch: images.len(), height: side, width: side, channels: 1, values });
        }
        Ok(features_of(&self.run(images, convolutions, |_, _| ())?))
    }

    /// `[height, width, channels]` of what the first `convolutions` give for an image of `side` x `side`.
    pub fn map_after(convolutions: usize, side: usize) -> [usize; 3] {
        let layers = VggLayer::all();
        let done = &layers[..convolutions.min(layers.len())];
        let halvings = done.iter().filter(|layer| layer.finish.pool).count();
        let side = side >> halvings;
        [side, side, done.last().map_or(1, |layer| layer.outputs)]
    }

    /// As [`Vgg16::features`]; `seen` gets each block's output, blocks counted from 1.
    pub fn features_by_block(
        &self,
        images: &[&Plane],
        seen: impl FnMut(usize, &Blocked),
    ) -> Result<Features, NetsError> {
        Ok(features_of(&self.run(images, VGG16_CONVOLUTIONS, seen)?))
    }

    fn run(
        &self,
        images: &[&Plane],
        convolutions: usize,
        mut seen: impl FnMut(usize, &Blocked),
    ) -> Result<Blocked, NetsError> {
        let side = check_sides(images)?;
        let greys = images.iter().flat_map(|image| image.pixels().iter().copied());
        let input = colours(greys.collect(), side * side);
        let mut maps = self.first.forward(&input, [images.len(), side, side], true)?;
        drop(input);
        let mut block = 0;
        for (convolution, finish) in self.rest.iter().take(convolutions.saturating_sub(1)) {
            maps = convolution.forward(&maps, *finish)?;
            if finish.pool {
                block += 1;
                seen(block, &maps);
            }
        }
        Ok(maps)
    }
}

/// Greys 0..255 of whole images of so many `pixels` into all three colours, less the mean of each:
/// `[batch, 3, pixels]`, as Keras prepares it.
pub(crate) fn colours(greys: Vec<f32>, pixels: usize) -> Vec<f32> {
    let mut input = Vec::with_capacity(3 * greys.len());
    for image in greys.chunks_exact(pixels.max(1)) {
        for mean in MEANS {
            input.extend(image.iter().map(|grey| grey - mean));
        }
    }
    input
}

/// Blocked maps in the order of the heads.
pub(crate) fn features_of(maps: &Blocked) -> Features {
    Features {
        batch: maps.batch(),
        height: maps.height(),
        width: maps.width(),
        channels: maps.channels(),
        values: maps.to_nhwc(),
    }
}

/// The side that all images share.
fn check_sides(images: &[&Plane]) -> Result<usize, NetsError> {
    let side = images.first().map_or(SMALLEST_SIDE, |image| image.width());
    for image in images {
        let (width, height) = (image.width(), image.height());
        if width != side || height != side || side < SMALLEST_SIDE {
            return Err(NetsError::ImageSize { width, height, side });
        }
    }
    Ok(side)
}
