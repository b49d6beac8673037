use crate::{AssessError, Guard, IntervalTable, Recalibration, RegressionShape};
use boneage_core::{Digest, Months, Sex};
use boneage_nets::{HeadConfig, VGG16_CONVOLUTIONS};
use boneage_vision::Preprocess;
use serde::{Deserialize, Serialize};

/// Everything about a model but its numbers: the JSON in the metadata of its file.
///
/// A model that was trained with one recipe cannot be used with another by accident, because nothing
/// about its use stands anywhere else.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Layout of this manifest; [`Manifest::FORMAT`].
    pub format: u32,
    /// What people call the model: `attention-256`.
    pub name: String,
    /// The model's own version, raised when it is trained again under the same name.
    pub version: String,
    /// What reads the image.
    pub model: ModelShape,
    /// From a file to the model's square, alike in training and use.
    pub preprocess: Preprocess,
    /// Lowest and highest age that the training images cover well; a reading outside is flagged.
    pub trained_ages: [Months; 2],
    /// How the model was made.
    pub training: Training,
    /// What it was measured to do on images that it was not trained on.
    pub metrics: Vec<Metric>,
    /// Terms under which the weights may be used.
    pub licence: String,
    /// Whom to name when the weights are used or passed on.
    pub attribution: String,
    /// How to make intervals; absent until a model is calibrated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<IntervalTable>,
    /// How readings are brought to those of one site; absent but in a model that was fitted to a site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recalibration: Option<Recalibration>,
    /// How to tell hands from other images; absent from a model without a guard. Its numbers are tensors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guard: Option<Guard>,
    /// SHA-256 over the tensors, checked on load; `Bundle::to_bytes` writes it whatever stands here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<Digest>,
}

/// Architecture of what reads the image, by kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelShape {
    /// A head on a backbone.
    Network(NetworkShape),
    /// One of the paper's regressions; it needs no other file.
    Regression(RegressionShape),
}

/// A head on a backbone, and the scale of its answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkShape {
    /// Architecture of the head.
    pub head: HeadConfig,
    /// Mean age of the training images, in months: `months = value * age_sd + age_mean`.
    pub age_mean: f32,
    /// Standard deviation of the training images' ages, in months.
    pub age_sd: f32,
    /// The network below the head, stored apart because many heads share it.
    pub backbone: BackboneName,
}

impl NetworkShape {
    /// Whether the head reads the child's sex beside the image.
    pub fn uses_sex(&self) -> bool {
        self.head.sex_units.is_some()
    }

    fn check(&self) -> Result<(), AssessError> {
        let in_range = |field, value: f64, ok: bool, allowed| match ok {
            true => Ok(()),
            false => Err(AssessError::Value { field, value: value.to_string(), allowed }),
        };
        let sd = f64::from(self.age_sd);
        in_range("age_sd", sd, sd > 0.0 && sd.is_finite(), "a positive number of months")?;
        let frozen = self.backbone.frozen;
        in_range("backbone.frozen", frozen as f64, frozen <= VGG16_CONVOLUTIONS, "0 to 13 convolutions")?;
        in_range("age_mean", self.age_mean.into(), self.age_mean.is_finite(), "a number of months")
    }
}

/// A backbone by name and by content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackboneName {
    /// File name without ending: `vgg16-imagenet`.
    pub name: String,
    /// SHA-256 of the file.
    pub digest: Digest,
    /// How many of its convolutions, from the image on, this model uses as they are; it brings the others.
    #[serde(default = "all_frozen", skip_serializing_if = "is_all_frozen")]
    pub frozen: usize,
}

fn all_frozen() -> usize {
    VGG16_CONVOLUTIONS
}

fn is_all_frozen(frozen: &usize) -> bool {
    *frozen == VGG16_CONVOLUTIONS
}

/// How a model was made, well enough to make it again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// The resolved recipe.
    pub recipe: serde_json::Value,
    /// Digest of the recipe.
    pub recipe_digest: Digest,
    /// Digest of the images and labels.
    pub data_digest: Digest,
    /// Which images were held out, in words: `boneage-holdout-1 mod 100 < 20`.
    pub split: String,
}

/// One measured number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    /// `MAE`, `RMSE`, `within 12 months`.
    pub name: String,
    /// On which images: `holdout-20`, `holdout-20 male`.
    pub set: String,
    /// How many images.
    pub images: usize,
    /// The number.
    pub value: f64,
    /// Lower and upper end of its 95 % bootstrap interval.
    pub interval_95: Option<[f64; 2]>,
    /// `months` or `share`.
    pub unit: String,
}

impl Manifest {
    /// The layout that this program reads and writes.
    pub const FORMAT: u32 = 2;

    /// Reads a manifest, of format 1 as well, and checks the numbers that the predictor multiplies with.
    pub fn from_json(json: &str) -> Result<Self, AssessError> {
        // The format is looked at first: a manifest of tomorrow fails for that and not for a field it has.
        #[derive(Deserialize)]
        struct Format {
            format: Option<u32>,
        }
        let unreadable = |error: serde_json::Error| AssessError::Manifest { reason: error.to_string() };
        let Format { format } = serde_json::from_str(json).map_err(unreadable)?;
        // A backbone has a manifest of its own, without a format.
        let format = format.ok_or(AssessError::NotAModel)?;
        let manifest = match format {
            Manifest::FORMAT => serde_json::from_str::<Manifest>(json),
            1 => serde_json::from_str(json).and_then(|fields| serde_json::from_value(of_format_1(fields))),
            _ => return Err(AssessError::Format { found: format, known: Manifest::FORMAT }),
        };
        let manifest = manifest.map_err(unreadable)?;
        manifest.check()?;
        Ok(manifest)
    }

    /// The sex of the children that the model was trained on, where it was one alone: the recipe's cohort.
    pub fn trained_sex(&self) -> Option<Sex> {
        // "both", and a recipe without the word, are of no sex.
        self.training.recipe.get("cohort")?.as_str()?.parse().ok()
    }

    /// The backbone that the model stands on; none of a regression.
    pub fn backbone(&self) -> Option<&BackboneName> {
        self.network().map(|network| &network.backbone)
    }

    /// Whether the model reads the child's sex beside the image.
    pub fn uses_sex(&self) -> bool {
        self.network().is_some_and(NetworkShape::uses_sex)
    }

    fn network(&self) -> Option<&NetworkShape> {
        match &self.model {
            ModelShape::Network(network) => Some(network),
            ModelShape::Regression(_) => None,
        }
    }

    /// The manifest as indented JSON.
    pub fn to_json(&self) -> Result<String, AssessError> {
        serde_json::to_string_pretty(self)
            .map_err(|error| AssessError::Manifest { reason: error.to_string() })
    }

    fn check(&self) -> Result<(), AssessError> {
        match (&self.model, &self.guard) {
            (ModelShape::Network(network), guard) => {
                network.check()?;
                guard.as_ref().map_or(Ok(()), Guard::check)?;
            }
            (ModelShape::Regression(regression), None) => regression.check()?,
            (ModelShape::Regression(_), Some(_)) => {
                let (value, allowed) =
                    ("there".into(), "what a regression has: it leaves no maps to look at");
                return Err(AssessError::Value { field: "guard", value, allowed });
            }
        }
        self.recalibration.as_ref().map_or(Ok(()), Recalibration::check)?;
        self.interval.as_ref().map_or(Ok(()), IntervalTable::check)
    }
}

/// The fields of format 1, which knew networks alone and had their fields among the others, as format 2 has them.
fn of_format_1(mut fields: serde_json::Map<String, serde_json::Value>) -> serde_json::Value {
    let network: serde_json::Map<String, serde_json::Value> = ["head", "age_mean", "age_sd", "backbone"]
        .into_iter()
        .filter_map(|name| fields.remove_entry(name))
        .collect();
    fields.insert("model".to_owned(), serde_json::json!({ "network": network }));
    fields.insert("format".to_owned(), Manifest::FORMAT.into());
    fields.into()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use boneage_nets::HeadKind;

    /// A manifest of a head that is as small as a head can be.
    pub(crate) fn manifest() -> Manifest {
        let mut head = HeadConfig::new(HeadKind::Attention, 2, 2);
        (head.channels, head.hidden) = (4, 3);
        let digest = Digest::of(b"");
        Manifest {
            format: Manifest::FORMAT,
            name: "tiny".into(),
            version: "1".into(),
            model: ModelShape::Network(NetworkShape {
                head,
                age_mean: 127.3,
                age_sd: 41.2,
                backbone: BackboneName {
                    name: "vgg16-imagenet".into(),
                    digest: digest.clone(),
                    frozen: VGG16_CONVOLUTIONS,
                },
            }),
            preprocess: Preprocess::default(),
            trained_ages: [Months(12.0), Months(216.0)],
            training: Training {
                recipe: serde_json::json!({ "epochs": 1 }),
                recipe_digest: digest.clone(),
                data_digest: digest,
                split: "none".into(),
            },
            metrics: Vec::new(),
            licence: "none".into(),
            attribution: "nobody".into(),
            interval: None,
            recalibration: None,
            guard: None,
            weights: None,
        }
    }

    #[test]
    fn unknown_fields_other_formats_and_impossible_numbers_are_refused() {
        let json = manifest().to_json().unwrap();
        assert!(Manifest::from_json(&json).is_ok());
        let message = |from: &str, to: &str| {
            let changed = json.replace(from, to);
            assert_ne!(changed, json, "{from} stands in the manifest");
            Manifest::from_json(&changed).unwrap_err().to_string()
        };
        assert!(message("\"format\": 2", "\"format\": 3").contains("has format 3, this program knows 2"));
        assert!(message("\"format\": 2,", "").contains("is not that of a model"));
        assert!(message("\"name\"", "\"nom\": 1, \"name\"").contains("nom"));
        assert!(message("41.2", "0.0").contains("age_sd = 0"));
        assert!(message("\"hidden\": 3", "\"hidden\": 3000000000").contains("hidden"));
    }

    #[test]
    fn a_manifest_of_format_1_is_read_as_one_of_today() {
        let mut fields = serde_json::to_value(manifest()).unwrap();
        let network = fields["model"]["network"].take();
        let fields = fields.as_object_mut().unwrap();
        fields.remove("model");
        fields.insert("format".into(), 1.into());
        let unmoved = serde_json::to_string(&fields).unwrap();
        assert!(Manifest::from_json(&unmoved).unwrap_err().to_string().contains("head"));
        fields.extend(network.as_object().unwrap().clone());
        let read = Manifest::from_json(&serde_json::to_string(&fields).unwrap()).unwrap();
        assert_eq!(read.to_json().unwrap(), manifest().to_json().unwrap());
    }

    #[test]
    fn classes_of_a_regression_have_ages() {
        let with = |ages: &str| {
            let json = manifest().to_json().unwrap();
            let mut fields: serde_json::Value = serde_json::from_str(&json).unwrap();
            let shape = format!(r#"{{"regression":{{"logistic":{{"link":"one-vs-rest","ages":{ages}}}}}}}"#);
            fields["model"] = serde_json::from_str(&shape).unwrap();
            Manifest::from_json(&fields.to_string())
        };
        let read = with("[12.0, 24.0]").unwrap();
        assert!(read.backbone().is_none() && !read.uses_sex());
        assert!(with("[]").unwrap_err().to_string().contains("0 ages"));
        assert!(with("[1e39]").is_err());
    }
}
