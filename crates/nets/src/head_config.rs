use boneage_nn::Activation;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::NetsError;

/// Channels of the two 1x1 convolutions that lead to the attention map.
pub(crate) const ATTENTION_CHANNELS: [usize; 2] = [64, 16];
/// No head of the paper comes near it; a file that asks for more is damaged or hostile.
const MOST_PARAMETERS: u64 = 100_000_000;

/// How features become one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeadKind {
    /// The paper's Model 2: a locally connected layer draws the attention map.
    Attention,
    /// The same with a 1x1 convolution in its place: works at any image size, and a mirrored image has
    /// the mirrored map. Not in the paper.
    #[serde(rename = "attention_1x1")]
    Attention1x1,
    /// The paper's Model 1: average pooling and dense layers, no attention.
    FullyConnected,
}

/// What follows the hidden dense layers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeadActivation {
    /// As in the kernels that the paper's code stems from.
    #[default]
    Elu,
    /// As in its first author's later script.
    Relu,
}

impl HeadActivation {
    /// Its name in listings.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Elu => "ELU",
            Self::Relu => "ReLU",
        }
    }

    pub(crate) fn layer(self) -> Activation {
        match self {
            Self::Elu => Activation::Elu,
            Self::Relu => Activation::Relu,
        }
    }
}

/// Everything that the shape of a [`Head`](crate::Head) depends on.
///
/// A configuration that was read (from a recipe, from a bundle) has passed [`HeadConfig::check`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct HeadConfig {
    /// Attention or not.
    pub kind: HeadKind,
    /// Rows of the feature map: 8 for images of 256 pixels, 15 for 500.
    pub height: usize,
    /// Columns of the feature map.
    pub width: usize,
    /// Channels of the feature map: 512 for VGG16.
    #[serde(default = "vgg16_channels")]
    pub channels: usize,
    /// Units of the branch that takes the sex; none: the head does not know the sex, as in the paper.
    #[serde(default)]
    pub sex_units: Option<usize>,
    /// Divide the pooled features by the attention's sum (else by the number of positions).
    #[serde(default = "yes")]
    pub rescale: bool,
    /// What follows the hidden dense layers.
    #[serde(default)]
    pub activation: HeadActivation,
    /// Rates of dropout, on the pooled features and before the last layer.
    #[serde(default = "paper_dropout")]
    pub dropout: [f32; 2],
    /// Units of a hidden dense layer.
    #[serde(default = "paper_hidden")]
    pub hidden: usize,
}

fn vgg16_channels() -> usize {
    512
}

fn yes() -> bool {
    true
}

fn paper_dropout() -> [f32; 2] {
    [0.5, 0.25]
}

fn paper_hidden() -> usize {
    1024
}

impl HeadConfig {
    /// The defaults of a kind, for VGG16's feature map of `height` x `width`: no sex, the divisor,
    /// ELU, dropout 0.5 and 0.25, 1024 hidden units.
    pub fn new(kind: HeadKind, height: usize, width: usize) -> Self {
        Self {
            kind,
            height,
            width,
            channels: vgg16_channels(),
            sex_units: None,
            rescale: yes(),
            activation: HeadActivation::default(),
            dropout: paper_dropout(),
            hidden: paper_hidden(),
        }
    }

    /// Positions of the feature map.
    pub fn positions(&self) -> usize {
        self.height * self.width
    }

    /// Numbers that training changes.
    pub fn parameter_count(&self) -> u64 {
        let size = |n: usize| n as u64;
        // Saturating: a configuration is counted before it is believed.
        let dense = |inputs: u64, outputs: u64| inputs.saturating_add(1).saturating_mul(outputs);
        let [first, second] = ATTENTION_CHANNELS.map(size);
        let (channels, hidden) = (size(self.channels), size(self.hidden));
        let positions = size(self.height).saturating_mul(size(self.width));
        let chain = dense(channels, first).saturating_add(dense(first, second));
        let attention = match self.kind {
            HeadKind::Attention => chain.saturating_add(dense(second, positions)),
            HeadKind::Attention1x1 => chain.saturating_add(dense(second, 1)),
            HeadKind::FullyConnected => dense(hidden, hidden),
        };
        let sex = self.sex_units.map_or(0, size);
        let joined = dense(channels.saturating_add(sex), hidden);
        [channels.saturating_mul(2), attention, sex.saturating_mul(2), joined, dense(hidden, 1)]
            .into_iter()
            .fold(0, u64::saturating_add)
    }

    /// Whether a head can be built from this.
    ///
    /// # Errors
    /// When a size is 0, a dropout rate lies outside 0..1, or the head would be absurdly large.
    pub fn check(&self) -> Result<(), NetsError> {
        let wrong = |what, found: String, hint| Err(NetsError::HeadConfig { what, found, hint });
        let sizes = [
            ("height", self.height),
            ("width", self.width),
            ("channels", self.channels),
            ("hidden", self.hidden),
            ("sex_units", self.sex_units.unwrap_or(1)),
        ];
        for (what, size) in sizes {
            if size == 0 || size > 1 << 20 {
                return wrong(what, size.to_string(), "take 1 to 1048576");
            }
        }
        if self.dropout.iter().any(|rate| !(0.0..1.0).contains(rate)) {
            let found = format!("{:?}", self.dropout);
            return wrong("dropout", found, "take rates from 0 up to, not including, 1");
        }
        if self.parameter_count() > MOST_PARAMETERS {
            let found = self.parameter_count().to_string();
            return wrong("parameters", found, "take 100 million at most");
        }
        Ok(())
    }
}

impl Serialize for HeadConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for HeadConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let config = Self::deserialize(deserializer)?;
        config.check().map_err(serde::de::Error::custom)?;
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_papers_parameter_counts_come_out() {
        let count = |kind, side| HeadConfig::new(kind, side, side).parameter_count();
        assert_eq!(count(HeadKind::Attention, 15), 565_058);
        assert_eq!(count(HeadKind::Attention1x1, 15), 561_250);
        assert_eq!(count(HeadKind::FullyConnected, 8), 1_576_961);
    }

    #[test]
    fn a_short_configuration_has_the_papers_defaults_and_comes_back() {
        let text = r#"{"kind": "attention_1x1", "height": 15, "width": 15}"#;
        let config: HeadConfig = serde_json::from_str(text).unwrap();
        assert_eq!(config, HeadConfig::new(HeadKind::Attention1x1, 15, 15));
        let again: HeadConfig = serde_json::from_str(&serde_json::to_string(&config).unwrap()).unwrap();
        assert_eq!(again, config);
    }

    #[test]
    fn wrong_configurations_are_refused_on_reading() {
        for (change, named) in [
            (r#""height": 0, "width": 8"#, "height = 0"),
            (r#""height": 8, "width": 8, "dropout": [1.0, 0.1]"#, "dropout = [1.0, 0.1]"),
            (r#""height": 8, "width": 8, "sex_units": 0"#, "sex_units = 0"),
            (r#""height": 1000000, "width": 1000000"#, "parameters = "),
            (r#""height": 8, "width": 8, "hiden": 3"#, "hiden"),
        ] {
            let text = format!(r#"{{"kind": "attention", {change}}}"#);
            let error = serde_json::from_str::<HeadConfig>(&text).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
    }
}
