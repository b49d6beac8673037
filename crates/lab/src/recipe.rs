use crate::{AugmentRanges, LabError, Part, View, part_of, third_part_of};
use boneage_core::{Digest, Sex};
use boneage_nets::{HeadConfig, VGG16_CONVOLUTIONS};
use boneage_nn::{Loss, PlateauConfig};
use boneage_vision::Preprocess;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// Files that extend each other in a circle must end somewhere.
const MOST_EXTENDS: usize = 8;

/// One trained model as data: a row of the paper's table, a better model, a smoke test.
///
/// Read from TOML; unknown keys are refused; `extends = "other.toml"` takes everything from another
/// file and says only what differs. The resolved recipe is saved in the run and in the bundle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The model's name, `attention-sex-256`.
    pub name: String,
    /// What it is for, in a sentence.
    #[serde(default)]
    pub description: String,
    /// Whose images are used.
    #[serde(default)]
    pub cohort: Cohort,
    /// How the images are split.
    #[serde(default)]
    pub split: SplitName,
    /// Train on so many of the training images: those whose digest comes first. For comparisons that would
    /// take too long on all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subset: Option<usize>,
    /// A model file to begin from, in place of the pretrained backbone and a new head; from the folder that
    /// the command runs in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<PathBuf>,
    /// From file to network image.
    #[serde(default)]
    pub preprocess: Preprocess,
    /// The views that training sees.
    #[serde(default)]
    pub augment: Augment,
    /// What of the backbone is trained with the head.
    #[serde(default, skip_serializing_if = "Transfer::freezes_all")]
    pub transfer: Transfer,
    /// The trained part; `height` and `width` follow from the image size and may be left out.
    pub head: HeadConfig,
    /// How it is trained.
    pub training: Training,
}

/// Whose images are used: the paper trains one network a sex and one on both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cohort {
    /// All.
    #[default]
    Both,
    /// Boys.
    Male,
    /// Girls.
    Female,
}

impl Cohort {
    /// Whether images read for `sex` belong to it.
    pub fn includes(self, sex: Sex) -> bool {
        match self {
            Cohort::Both => true,
            Cohort::Male => sex == Sex::Male,
            Cohort::Female => sex == Sex::Female,
        }
    }
}

/// How the images are split.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SplitName {
    /// A fifth held out, the rest in training, inner validation and calibration.
    #[default]
    #[serde(rename = "holdout-20")]
    Holdout20,
    /// Two thirds for training, one third held out: the paper's regressions.
    #[serde(rename = "thirds")]
    Thirds,
}

impl SplitName {
    /// The part of an id.
    pub fn part(self, id: &str) -> Part {
        match self {
            SplitName::Holdout20 => part_of(id),
            SplitName::Thirds => third_part_of(id),
        }
    }

    /// The rule in words, for the manifest.
    pub fn describe(self) -> &'static str {
        match self {
            SplitName::Holdout20 => {
                "boneage-holdout-1 mod 100 < 20 held out; boneage-inner-1 mod 100 < 10 inner validation, 10..19 calibration"
            }
            SplitName::Thirds => "boneage-third-1 mod 3 = 0 held out",
        }
    }
}

/// What of the backbone is trained with the head: the three ways of transfer of the paper's section IV.B.2.
///
/// With all 13 convolutions frozen under a new head, the default, it is the third, which the paper's table
/// reports; with none frozen the first; between them the second.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Transfer {
    /// How many convolutions, counted from the image, keep their pretrained weights. What they make of each
    /// view is computed once and kept.
    pub frozen: usize,
    /// Step length of the other convolutions as a share of the head's. Not in the paper; chosen because
    /// pretrained weights are near where they should be, and a new head is not.
    pub rate: f32,
}

impl Default for Transfer {
    fn default() -> Self {
        Transfer { frozen: VGG16_CONVOLUTIONS, rate: 0.1 }
    }
}

impl Transfer {
    fn freezes_all(&self) -> bool {
        *self == Transfer::default()
    }
}

/// The views that training sees.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Augment {
    /// Augmented views of each training image; each epoch sees one.
    pub views: u32,
    /// Draw a new view of each training image in every epoch, as the paper does. Nothing of it is kept, so
    /// that an epoch takes as long as the backbone does; `views` and `include_clean` are not used.
    pub fresh: bool,
    /// Whether the clean view takes its turn too.
    pub include_clean: bool,
    /// Seed of the draws: apart from the training's, so that runs with other seeds share the cache.
    pub seed: u64,
    /// What is drawn.
    pub ranges: AugmentRanges,
}

impl Default for Augment {
    /// Six views: not in the paper, which draws anew in every epoch; chosen because the features of
    /// six views fit on a disk (4.8 GB at 256 px).
    fn default() -> Self {
        Augment { views: 6, fresh: false, include_clean: false, seed: 1, ranges: AugmentRanges::default() }
    }
}

impl Augment {
    /// Every view that is kept for training; the clean one alone where there are no others, and none where
    /// views are fresh.
    pub fn all(&self) -> Vec<View> {
        if self.fresh {
            return Vec::new();
        }
        let augmented = (1..=self.views).map(|index| self.view(index));
        let clean = (self.include_clean || self.views == 0).then_some(View::Clean);
        clean.into_iter().chain(augmented).collect()
    }

    /// Which of [`all`](Self::all) image `id` shows in epoch `epoch` (from 0): they take turns, each
    /// image beginning at another one, so that an epoch holds all views in equal parts.
    pub fn turn(&self, epoch: u32, id: &str) -> usize {
        let digest = Digest::of(format!("boneage-view-1:{id}").as_bytes());
        let start = u64::from_str_radix(&digest.0[..8], 16).expect("a digest is hexadecimal");
        ((u64::from(epoch) + start) % self.all().len() as u64) as usize
    }

    /// The fresh view of epoch `epoch` (from 0); `None` where views are kept.
    pub(crate) fn fresh_view(&self, epoch: u32) -> Option<View> {
        self.fresh.then(|| self.view(epoch + 1))
    }

    fn view(&self, index: u32) -> View {
        View::Augmented { ranges: self.ranges, seed: self.seed, index }
    }
}

/// How the head is trained.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// Seed of initial weights, order and dropout.
    #[serde(default = "one")]
    pub seed: u64,
    /// Passes over the training images: 30 and 50 in the paper.
    pub epochs: u32,
    /// Images a step: 32 in the paper.
    #[serde(default = "paper_batch")]
    pub batch: usize,
    /// What is made small.
    #[serde(default)]
    pub loss: LossName,
    /// Step length of Adam at the beginning: 1e-3 in the paper.
    #[serde(default = "paper_rate")]
    pub learning_rate: f32,
    /// How the step length falls.
    #[serde(default)]
    pub schedule: Schedule,
    /// What of the inner validation decides on schedule, best checkpoint and early stopping.
    #[serde(default)]
    pub monitor: Monitor,
    /// Decay a step of the running mean of the weights that is evaluated and kept instead of the
    /// weights themselves; 0.999 remembers about a thousand steps. Not in the paper.
    #[serde(default)]
    pub averaging: Option<f32>,
    /// Shift all readings by one number of months, so that the inner validation's median error is zero: what
    /// augmentation and dropout move the readings by is gone in use. Not in the paper.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub centred: bool,
    /// Stop after so many epochs without improvement.
    #[serde(default)]
    pub early_stopping: Option<u32>,
}

fn one() -> u64 {
    1
}

fn paper_batch() -> usize {
    32
}

fn paper_rate() -> f32 {
    1e-3
}

/// What training makes small, on the standardised age.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum LossName {
    /// Mean squared error, the paper's.
    #[default]
    Mse,
    /// Mean absolute error.
    Mae,
    /// Squared up to `delta` standard deviations, absolute beyond.
    Huber {
        /// In standard deviations of the training ages.
        delta: f32,
    },
}

impl From<LossName> for Loss {
    fn from(name: LossName) -> Loss {
        match name {
            LossName::Mse => Loss::Mse,
            LossName::Mae => Loss::Mae,
            LossName::Huber { delta } => Loss::Huber { delta },
        }
    }
}

/// How the step length falls.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Schedule {
    /// It does not.
    Constant,
    /// Multiplied by `factor` when the inner validation has not improved for `patience` epochs.
    Plateau {
        /// Multiplier.
        factor: f32,
        /// Epochs.
        patience: u32,
        /// Epochs after a reduction in which nothing is counted.
        cooldown: u32,
        /// Never below this.
        min: f32,
    },
    /// Half a cosine from the first epoch to `min` in the last. Not in the paper.
    Cosine {
        /// Where it ends.
        min: f32,
    },
}

impl Default for Schedule {
    /// The author's later script.
    fn default() -> Self {
        Schedule::Plateau { factor: 0.5, patience: 5, cooldown: 5, min: 1e-4 }
    }
}

impl Schedule {
    /// The plateau rule, where this is one.
    pub fn plateau(self) -> Option<PlateauConfig> {
        match self {
            Schedule::Plateau { factor, patience, cooldown, min } => {
                Some(PlateauConfig { factor, patience, cooldown, min, ..PlateauConfig::default() })
            }
            _ => None,
        }
    }
}

/// What of the inner validation decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Monitor {
    /// The loss that is trained on, as in the paper's kernels.
    #[default]
    Loss,
    /// The mean absolute error in months.
    Mae,
}

impl Recipe {
    /// Reads a recipe and what it extends.
    ///
    /// # Errors
    /// When a file cannot be read, a key is unknown, or a value is impossible; the message names it.
    pub fn read(path: &Path) -> Result<Self, LabError> {
        let table = read_table(path, 0)?;
        Recipe::from_table(table).map_err(in_file(path))
    }

    pub(crate) fn from_table(mut table: Table) -> Result<Self, String> {
        let preprocess = table.get("preprocess").cloned().unwrap_or(Value::Table(Table::new()));
        let preprocess: Preprocess = preprocess.try_into().map_err(|e| format!("preprocess: {e}"))?;
        // VGG16 halves five times; the head of an image size needs no counting by hand.
        let side = Value::Integer((preprocess.size / 32) as i64);
        if let Some(Value::Table(head)) = table.get_mut("head") {
            for axis in ["height", "width"] {
                head.entry(axis).or_insert_with(|| side.clone());
            }
        }
        let recipe: Recipe = Value::Table(table).try_into().map_err(|e| e.to_string())?;
        recipe.check()?;
        Ok(recipe)
    }

    fn check(&self) -> Result<(), String> {
        let training = &self.training;
        check_name(&self.name)?;
        // Batch normalisation needs two images to have a variance.
        if training.batch < 2 {
            return Err(format!("batch = {}; hint: at least 2", training.batch));
        }
        if !(training.learning_rate > 0.0 && training.learning_rate.is_finite()) {
            return Err(format!("learning_rate = {}; hint: a positive number", training.learning_rate));
        }
        let Transfer { frozen, rate } = self.transfer;
        if frozen > VGG16_CONVOLUTIONS {
            return Err(format!(
                "transfer.frozen = {frozen}; hint: VGG16 has {VGG16_CONVOLUTIONS} convolutions"
            ));
        }
        if !(rate > 0.0 && rate.is_finite()) {
            return Err(format!("transfer.rate = {rate}; hint: a positive number"));
        }
        if let Some(decay) = training.averaging.filter(|decay| !(0.0..1.0).contains(decay)) {
            return Err(format!("averaging = {decay}; hint: from 0 up to, not including, 1"));
        }
        Ok(())
    }

    /// The resolved recipe as TOML.
    pub fn to_toml(&self) -> String {
        recipe_toml(self)
    }

    /// The resolved recipe as JSON, for the bundle's manifest.
    pub fn to_json(&self) -> serde_json::Value {
        recipe_json(self)
    }

    /// SHA-256 of the resolved recipe as JSON with sorted keys.
    pub fn digest(&self) -> Digest {
        Digest::of(self.to_json().to_string().as_bytes())
    }
}

/// For `map_err`: what is wrong with a recipe, with its file.
pub(crate) fn in_file(path: &Path) -> impl Fn(String) -> LabError {
    move |reason| LabError::Recipe(format!("{}: {reason}", path.display()))
}

/// A resolved recipe of any sort as TOML.
pub(crate) fn recipe_toml(recipe: &impl Serialize) -> String {
    toml::to_string_pretty(recipe).expect("a recipe is tables, words and numbers")
}

/// A resolved recipe of any sort as JSON with sorted keys.
pub(crate) fn recipe_json(recipe: &impl Serialize) -> serde_json::Value {
    serde_json::to_value(recipe).expect("a recipe is tables, words and numbers")
}

/// A recipe's name is that of files and folders too.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    let safe = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.is_empty() || !name.chars().all(safe) {
        return Err(format!("name {name:?}; hint: letters, digits, - _ and . only"));
    }
    Ok(())
}

/// The table of a file, laid over that of the file it extends, which is `depth` files away from the first.
pub(crate) fn read_table(path: &Path, depth: usize) -> Result<Table, LabError> {
    let named = in_file(path);
    if depth > MOST_EXTENDS {
        return Err(named(format!(
            "extends more than {MOST_EXTENDS} files deep; hint: do they extend each other?"
        )));
    }
    let text = std::fs::read_to_string(path).map_err(LabError::io(path))?;
    let mut table: Table = text.parse().map_err(|e: toml::de::Error| named(e.to_string()))?;
    match table.remove("extends") {
        None => Ok(table),
        Some(Value::String(other)) => {
            let mut base = read_table(&path.with_file_name(other), depth + 1)?;
            lay_over(&mut base, table);
            Ok(base)
        }
        Some(other) => Err(named(format!("extends = {other}; hint: a file name in quotes"))),
    }
}

/// Tables are merged key by key; everything else is replaced.
fn lay_over(base: &mut Table, over: Table) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(Value::Table(base)), Value::Table(over)) => lay_over(base, over),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = "name = \"a\"\n[head]\nkind = \"attention\"\nsex_units = 8\n[training]\nepochs = 3\n";

    fn read(files: &[(&str, &str)]) -> Result<Recipe, LabError> {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        Recipe::read(&dir.path().join(files[0].0))
    }

    #[test]
    fn defaults_are_the_papers_and_the_map_follows_from_the_size() {
        let recipe = read(&[("a.toml", SMALL)]).unwrap();
        assert_eq!((recipe.head.height, recipe.head.width), (8, 8));
        assert_eq!((recipe.training.batch, recipe.training.learning_rate), (32, 1e-3));
        assert_eq!(recipe.augment.ranges, AugmentRanges::default());
        let again = read(&[("b.toml", &recipe.to_toml())]).unwrap();
        assert_eq!((again.digest(), &again), (recipe.digest(), &recipe));
    }

    #[test]
    fn extends_says_only_what_differs() {
        let over = "extends = \"a.toml\"\nname = \"b\"\n[preprocess]\nsize = 500\n[training]\nepochs = 50\n\
                    schedule = \"constant\"\n";
        let recipe = read(&[("b.toml", over), ("a.toml", SMALL)]).unwrap();
        assert_eq!((recipe.name.as_str(), recipe.head.height, recipe.head.sex_units), ("b", 15, Some(8)));
        assert_eq!((recipe.training.epochs, recipe.training.schedule), (50, Schedule::Constant));
        let circle = read(&[("a.toml", "extends = \"a.toml\"\n")]).unwrap_err().to_string();
        assert!(circle.contains("extend each other"), "{circle}");
    }

    #[test]
    fn unknown_keys_and_impossible_values_are_named() {
        for (line, named) in [
            ("colour = 1\n", "colour"),
            ("[preprocess]\nsise = 3\n", "sise"),
            ("[augment]\nview = 3\n", "view"),
            ("[augment.ranges]\nspin = 3\n", "spin"),
        ] {
            // Keys of the root must come before the first table.
            let text =
                if line.starts_with('[') { format!("{SMALL}{line}") } else { format!("{line}{SMALL}") };
            let message = read(&[("a.toml", &text)]).unwrap_err().to_string();
            assert!(message.contains(named), "{message}");
        }
        for (line, named) in [
            ("momentum = 1\n", "momentum"),
            ("batch = 1\n", "batch = 1"),
            ("learning_rate = -1.0\n", "learning_rate = -1"),
            ("averaging = 1.0\n", "averaging = 1"),
            ("loss = { huber = { delta = 1.0, x = 2 } }\n", "x"),
        ] {
            let message = read(&[("a.toml", &format!("{SMALL}{line}"))]).unwrap_err().to_string();
            assert!(message.contains(named), "{message}");
        }
    }

    #[test]
    fn views_take_turns_and_an_epoch_holds_all_of_them() {
        let augment = Augment { views: 3, include_clean: true, ..Augment::default() };
        assert_eq!(augment.all().len(), 4);
        assert_eq!(Augment { views: 0, ..augment }.all(), [View::Clean]);
        let fresh = Augment { fresh: true, ..augment };
        assert!(fresh.all().is_empty() && fresh.fresh_view(0) != fresh.fresh_view(1));
        assert_eq!((fresh.fresh_view(2), augment.fresh_view(2)), (Some(augment.view(3)), None));
        let turns: Vec<usize> = (0..8).map(|epoch| augment.turn(epoch, "1377")).collect();
        assert_eq!(turns[..4], turns[4..]);
        assert!((0..4).all(|view| turns.contains(&view)));
        let mut count = [0; 4];
        (0..4000).for_each(|id: u32| count[augment.turn(5, &id.to_string())] += 1);
        assert!(count.iter().all(|n| (900..1100).contains(n)), "{count:?}");
    }
}
