use std::fmt;

use boneage_nn::Param;

/// What a layer does.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum LayerKind {
    /// The image, one grey in three colours.
    Image,
    /// The sex as a number.
    Sex,
    /// 3x3 convolution with ReLU.
    Convolution3x3,
    /// Maximum of 2x2 positions.
    Maximum,
    /// Batch normalisation.
    BatchNorm,
    /// 1x1 convolution with ReLU.
    Convolution1x1,
    /// 1x1 convolution with a sigmoid, which draws the attention map.
    ConvolutionMap,
    /// The same with weights of its own for each position.
    LocallyConnectedMap,
    /// Features times map.
    Multiply,
    /// Average over all positions.
    Average,
    /// The same divided by the average of the map.
    RescaledAverage,
    /// Dropout of this share in training.
    Dropout(f32),
    /// Dense layer; what follows it.
    Dense(&'static str),
}

impl fmt::Display for LayerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LayerKind::Image => f.write_str("grey in three colours"),
            LayerKind::Sex => f.write_str("male 1, female -1"),
            LayerKind::Convolution3x3 => f.write_str("3x3 convolution, ReLU"),
            LayerKind::Maximum => f.write_str("2x2 maximum"),
            LayerKind::BatchNorm => f.write_str("batch normalisation"),
            LayerKind::Convolution1x1 => f.write_str("1x1 convolution, ReLU"),
            LayerKind::ConvolutionMap => f.write_str("1x1 convolution, sigmoid"),
            LayerKind::LocallyConnectedMap => f.write_str("locally connected, sigmoid"),
            LayerKind::Multiply => f.write_str("features x map"),
            LayerKind::Average => f.write_str("average over positions"),
            LayerKind::RescaledAverage => f.write_str("average / average of the map"),
            LayerKind::Dropout(rate) => write!(f, "dropout {rate}"),
            LayerKind::Dense(then) => write!(f, "dense, {then}"),
        }
    }
}

/// The line of layers that a layer stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Branch {
    /// From the image to the age.
    Trunk,
    /// From the normalised features to the attention map.
    Attention,
    /// From the sex to what is joined with the pooled features.
    Sex,
}

/// One layer of a network, for listings and diagrams.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// `block1_conv1`, `attention_1`.
    pub name: String,
    /// What it does.
    pub kind: LayerKind,
    /// Where it stands.
    pub branch: Branch,
    /// Extents of its output for one sample: `[height, width, channels]`, `[height, width]` or `[units]`.
    pub shape: Vec<usize>,
    /// Numbers that training may change: weights and biases, without running statistics.
    pub parameters: usize,
    /// Whether training changes them.
    pub trainable: bool,
}

impl Layer {
    /// A layer without numbers of its own.
    pub(crate) fn fixed(name: &str, kind: LayerKind, branch: Branch, shape: Vec<usize>) -> Self {
        Layer { name: name.to_owned(), kind, branch, shape, parameters: 0, trainable: false }
    }

    /// A layer of a head, named and counted by its parameters.
    pub(crate) fn trained(params: &[&Param], kind: LayerKind, branch: Branch, shape: Vec<usize>) -> Self {
        let name = params.first().map_or("", |param| param.name.as_str());
        let name = name.rsplit_once('.').map_or(name, |(layer, _)| layer);
        let name = name.strip_prefix("head.").unwrap_or(name).to_owned();
        let parameters = params.iter().map(|param| param.value.len()).sum();
        Layer { name, kind, branch, shape, parameters, trainable: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Head, HeadConfig, HeadKind, Network, VGG16_CONVOLUTIONS, vgg16_layers};

    fn trained(layers: &[Layer]) -> usize {
        layers.iter().filter(|layer| layer.trainable).map(|layer| layer.parameters).sum()
    }

    #[test]
    fn the_lists_sum_to_the_papers_numbers_and_to_the_heads_own() {
        for (kind, side, count) in [
            (HeadKind::FullyConnected, 8, 1_576_961),
            (HeadKind::Attention, 15, 565_058),
            (HeadKind::Attention1x1, 15, 561_250),
        ] {
            let mut config = HeadConfig::new(kind, side, side);
            assert_eq!(trained(&Head::new(config.clone(), 0).layers()), count, "{kind:?}");
            config.sex_units = Some(32);
            let head = Head::new(config, 0);
            assert_eq!(trained(&head.layers()), head.parameter_count(), "{kind:?} with sex");
        }
    }

    #[test]
    fn vgg16_has_its_published_size_and_freezes_from_the_image_on() {
        let layers = vgg16_layers(500, VGG16_CONVOLUTIONS);
        // Simonyan and Zisserman, configuration D without its three dense layers.
        assert_eq!(layers.iter().map(|layer| layer.parameters).sum::<usize>(), 14_714_688);
        assert_eq!((trained(&layers), layers[0].shape.as_slice()), (0, [500, 500, 3].as_slice()));
        assert_eq!(layers.last().expect("a last layer").shape, [15, 15, 512]);
        let tuned = vgg16_layers(256, 10);
        let names: Vec<&str> = tuned.iter().filter(|l| l.trainable).map(|l| l.name.as_str()).collect();
        assert_eq!(names, ["block5_conv1", "block5_conv2", "block5_conv3"]);
        assert_eq!(trained(&vgg16_layers(256, 0)), 14_714_688);
    }

    #[test]
    fn a_network_lists_the_backbone_below_its_head() {
        let head = Head::new(HeadConfig::new(HeadKind::Attention, 15, 15), 0);
        let layers = Network::new(None, head).layers(500);
        assert_eq!(trained(&layers), 565_058);
        assert_eq!(layers.iter().filter(|layer| layer.kind == LayerKind::Convolution3x3).count(), 13);
        let map = layers.iter().find(|layer| layer.name == "attention_map").expect("a map");
        assert_eq!((map.shape.as_slice(), map.parameters), ([15, 15].as_slice(), 225 * 17));
        assert_eq!(map.kind.to_string(), "locally connected, sigmoid");
    }
}
