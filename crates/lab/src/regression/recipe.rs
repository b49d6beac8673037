use super::Features;
use crate::recipe::{check_name, in_file, read_table, recipe_json, recipe_toml};
use crate::{Cohort, LabError, Recipe, SplitName};
use boneage_classical::Link;
use boneage_core::Digest;
use boneage_vision::Preprocess;
use serde::{Deserialize, Serialize};
use std::path::Path;
use toml::{Table, Value};

/// One trained regression as data, read as [`Recipe`] is: unknown keys refused, `extends` followed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegressionRecipe {
    /// Its name, `paper-linear-male`.
    pub name: String,
    /// What it is for, in a sentence.
    #[serde(default)]
    pub description: String,
    /// Whose images are used.
    #[serde(default)]
    pub cohort: Cohort,
    /// How the images are split; the paper's two thirds where nothing is said.
    #[serde(default = "thirds")]
    pub split: SplitName,
    /// Train on so many of the training images; all where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subset: Option<usize>,
    /// From file to the square whose greys are the regression's numbers.
    #[serde(default)]
    pub preprocess: Preprocess,
    /// What is fitted to them.
    pub regression: Regression,
}

/// What is fitted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Regression {
    /// Which of the two.
    pub kind: RegressionKind,
    /// What its numbers are.
    #[serde(default, skip_serializing_if = "Features::are_pixels")]
    pub features: Features,
    /// Visual words that keypoints are told apart by; with SIFT and SURF alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<usize>,
    /// What it reads: coordinates along principal components, or the greys themselves.
    #[serde(default)]
    pub components: Components,
    /// Parts that the training images are cut into for cross-validation.
    #[serde(default = "five")]
    pub folds: usize,
    /// Numbers of components that are tried. Those that a fold has too few images for are left out.
    #[serde(default = "usual_candidates")]
    pub candidates: Vec<usize>,
    /// Whether the same regression on the greys themselves is fitted beside it.
    #[serde(default)]
    pub compare_without: bool,
    /// How the scores of a logistic regression become probabilities.
    #[serde(default)]
    pub link: Link,
    /// Lowest and highest age, in months, that a logistic regression has classes for; ages outside count as the
    /// nearer end. The paper's classes are 1 to 200; without the key every age counts as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip: Option<[f32; 2]>,
    /// Seed of the folds and of the search for components.
    #[serde(default = "one")]
    pub seed: u64,
}

impl Regression {
    /// What it reads where there are no components, for people.
    pub(super) fn numbers(&self) -> String {
        match self.words {
            Some(words) => format!("shares of {words} visual words"),
            None => "the greys themselves".to_owned(),
        }
    }
}

/// The paper's two regressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RegressionKind {
    /// Least squares (section IV.A.1).
    Linear,
    /// Every month of the training labels a class (section IV.A.2); the likeliest is the answer.
    Logistic,
}

/// How many principal components are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Components {
    /// As many as cross-validation on the training images finds best.
    #[default]
    CrossValidated,
    /// None: the regression reads the greys.
    None,
    /// So many.
    #[serde(untagged)]
    Count(usize),
}

fn thirds() -> SplitName {
    SplitName::Thirds
}

fn five() -> usize {
    5
}

/// Not in the paper, which names no number: from a blurred outline of the hand to nearly all of it.
fn usual_candidates() -> Vec<usize> {
    vec![10, 20, 50, 100, 150, 200, 300, 400]
}

fn one() -> u64 {
    1
}

impl RegressionRecipe {
    /// Reads a recipe and what it extends.
    ///
    /// # Errors
    /// When a file cannot be read, a key is unknown, or a value is impossible; the message names it.
    pub fn read(path: &Path) -> Result<Self, LabError> {
        RegressionRecipe::from_table(read_table(path, 0)?).map_err(in_file(path))
    }

    fn from_table(table: Table) -> Result<Self, String> {
        let recipe: RegressionRecipe = Value::Table(table).try_into().map_err(|e| e.to_string())?;
        recipe.check()?;
        Ok(recipe)
    }

    fn check(&self) -> Result<(), String> {
        check_name(&self.name)?;
        let Regression { kind, components, folds, candidates, clip, features, words, .. } = &self.regression;
        if features.are_pixels() != words.is_none() || *words == Some(0) {
            return Err("words: a number above 0 with features = \"sift\" or \"surf\", else none".to_owned());
        }
        if *folds < 2 {
            return Err(format!("folds = {folds}; hint: at least 2"));
        }
        if *components == Components::Count(0) {
            return Err("components = 0; hint: \"none\" reads the greys themselves".to_owned());
        }
        if candidates.contains(&0) || !candidates.is_sorted_by(|a, b| a < b) {
            return Err(format!("candidates = {candidates:?}; hint: numbers above 0 that grow"));
        }
        match clip {
            Some([low, high]) if *kind == RegressionKind::Linear || !(*low >= 0.0 && high > low) => {
                Err(format!("clip = [{low}, {high}]; hint: two ages that grow, of a logistic regression"))
            }
            _ => Ok(()),
        }
    }

    /// The resolved recipe as TOML.
    pub fn to_toml(&self) -> String {
        recipe_toml(self)
    }

    /// The resolved recipe as JSON.
    pub fn to_json(&self) -> serde_json::Value {
        recipe_json(self)
    }

    /// SHA-256 of the resolved recipe as JSON with sorted keys.
    pub fn digest(&self) -> Digest {
        Digest::of(self.to_json().to_string().as_bytes())
    }
}

/// A recipe of either sort.
#[derive(Clone, Debug, PartialEq)]
pub enum AnyRecipe {
    /// A network's.
    Network(Box<Recipe>),
    /// A regression's: its file, or one that it extends, has a table `[regression]`.
    Regression(Box<RegressionRecipe>),
}

impl AnyRecipe {
    /// Reads a recipe and what it extends.
    ///
    /// # Errors
    /// As [`Recipe::read`] and [`RegressionRecipe::read`].
    pub fn read(path: &Path) -> Result<Self, LabError> {
        let table = read_table(path, 0)?;
        let read = match table.contains_key("regression") {
            true => RegressionRecipe::from_table(table).map(|read| AnyRecipe::Regression(Box::new(read))),
            false => Recipe::from_table(table).map(|read| AnyRecipe::Network(Box::new(read))),
        };
        read.map_err(in_file(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<RegressionRecipe, LabError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.toml");
        std::fs::write(&path, text).unwrap();
        RegressionRecipe::read(&path)
    }

    #[test]
    fn components_are_a_word_or_a_number_and_come_back_from_the_saved_recipe() {
        for (line, expected) in [
            ("", Components::CrossValidated),
            ("components = \"cross_validated\"", Components::CrossValidated),
            ("components = \"none\"", Components::None),
            ("components = 30", Components::Count(30)),
        ] {
            let text =
                format!("name = \"a\"\n[regression]\nkind = \"logistic\"\nlink = \"softmax\"\n{line}\n");
            let recipe = read(&text).unwrap();
            assert_eq!((recipe.regression.components, recipe.split), (expected, SplitName::Thirds));
            assert_eq!(read(&recipe.to_toml()).unwrap(), recipe);
        }
    }

    #[test]
    fn unknown_keys_and_impossible_values_are_named() {
        for (line, named) in [
            ("colour = 1", "colour"),
            ("folds = 1", "folds = 1"),
            ("components = 0", "components = 0"),
            ("components = \"many\"", "components"),
            ("candidates = [20, 10]", "candidates = [20, 10]"),
            ("link = \"probit\"", "probit"),
            ("clip = [1, 200]", "clip = [1, 200]"),
            ("features = \"orb\"", "orb"),
            ("features = \"sift\"", "words"),
            ("features = \"surf\"\nwords = 0", "words"),
            ("words = 100", "words"),
        ] {
            let text = format!("name = \"a\"\n[regression]\nkind = \"linear\"\n{line}\n");
            let message = read(&text).unwrap_err().to_string();
            assert!(message.contains(named), "{message}");
        }
        assert!(read("name = \"a/b\"\n[regression]\nkind = \"linear\"\n").is_err());
        assert!(read("name = \"a\"\nepochs = 3\n[regression]\nkind = \"linear\"\n").is_err());
    }

    #[test]
    fn a_table_tells_a_regression_from_a_network() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recipes");
        assert!(matches!(AnyRecipe::read(&root.join("smoke.toml")), Ok(AnyRecipe::Network(_))));
        let linear = AnyRecipe::read(&root.join("paper/linear-male-holdout.toml")).unwrap();
        let AnyRecipe::Regression(linear) = linear else { panic!("a regression") };
        assert_eq!((linear.cohort, linear.split), (Cohort::Male, SplitName::Holdout20));
    }
}
