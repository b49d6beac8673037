use crate::NetsError;
use crate::weights::read_tensor;
use boneage_core::{Digest, Plane};
use boneage_nn::{Blocked, Conv3x3, DirectConv3x3, Finish};
use safetensors::SafeTensors;

/// Channels of the convolutions of each block; every block ends in a 2x2 maximum.
///
/// Configuration D of Simonyan and Zisserman, "Very Deep Convolutional Networks", 2014.
pub const VGG16_BLOCKS: [&[usize]; 5] =
    [&[64, 64], &[128, 128], &[256, 256, 256], &[512, 512, 512], &[512, 512, 512]];

/// Mean of each colour over ImageNet in the order of the weights, blue first, on a scale of 0..255.
const MEANS: [f32; 3] = [103.939, 116.779, 123.68];

/// Smallest side that leaves a pixel after five halvings.
const SMALLEST_SIDE: usize = 32;

/// The convolutional part of VGG16: images in, feature maps out.
pub struct Vgg16 {
    first: DirectConv3x3,
    /// The twelve convolutions after the first, each with what follows it.
    rest: Vec<(Conv3x3, Finish)>,
    digest: Digest,
}

/// Feature maps `[batch, height, width, channels]`: a fifth halving of the image, 512 channels.
#[derive(Clone, Debug, PartialEq)]
pub struct Features {
    /// Images.
    pub batch: usize,
    /// Rows: the image's side / 32, rounded down.
    pub height: usize,
    /// Columns, likewise.
    pub width: usize,
    /// 512.
    pub channels: usize,
    /// All values, channels last.
    pub values: Vec<f32>,
}

impl Vgg16 {
    /// From a safetensors file with `blockB_convN.weight` `[out, in, 3, 3]` and `.bias` `[out]`.
    pub fn from_safetensors(bytes: &[u8]) -> Result<Self, NetsError> {
        let file = SafeTensors::deserialize(bytes)?;
        let mut first = None;
        let mut rest = Vec::new();
        let mut in_channels = 3;
        for (block, convolutions) in VGG16_BLOCKS.iter().enumerate() {
            for (index, &out) in convolutions.iter().enumerate() {
                let name = format!("block{}_conv{}", block + 1, index + 1);
                let tensor = |part: &str, shape: &[usize]| {
                    read_tensor(&file, "VGG16", &format!("{name}.{part}"), shape)
                };
                let weight = tensor("weight", &[out, in_channels, 3, 3])?;
                let bias = tensor("bias", &[out])?;
                if first.is_none() {
                    first = Some(DirectConv3x3::new(&weight, &bias, in_channels, out)?);
                } else {
                    let finish = Finish { relu: true, pool: index + 1 == convolutions.len() };
                    rest.push((Conv3x3::new(&weight, &bias, in_channels, out)?, finish));
                }
                in_channels = out;
            }
        }
        let first = first.expect("the first block has convolutions");
        Ok(Vgg16 { first, rest, digest: Digest::of(bytes) })
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

    /// As [`Vgg16::features`]; `seen` gets each block's output, blocks counted from 1.
    pub fn features_by_block(
        &self,
        images: &[&Plane],
        mut seen: impl FnMut(usize, &Blocked),
    ) -> Result<Features, NetsError> {
        let side = images.first().map_or(SMALLEST_SIDE, |image| image.width());
        let mut input = Vec::with_capacity(images.len() * 3 * side * side);
        for image in images {
            let (width, height) = (image.width(), image.height());
            if width != side || height != side || side < SMALLEST_SIDE {
                return Err(NetsError::ImageSize { width, height, side });
            }
            for mean in MEANS {
                input.extend(image.pixels().iter().map(|grey| grey - mean));
            }
        }
        let mut maps = self.first.forward(&input, images.len(), side, side, true)?;
        drop(input);
        let mut block = 0;
        for (convolution, finish) in &self.rest {
            maps = convolution.forward(&maps, *finish)?;
            if finish.pool {
                block += 1;
                seen(block, &maps);
            }
        }
        Ok(Features {
            batch: maps.batch(),
            height: maps.height(),
            width: maps.width(),
            channels: maps.channels(),
            values: maps.to_nhwc(),
        })
    }
}
