use crate::{Recipe, RegressionRecipe};
use boneage_core::Digest;
use std::path::PathBuf;

/// Changes when the code of a step comes to mean something else, so that old results are made again.
const VERSION: &str = "1";

/// One piece of the reproduction.
pub(super) struct Step {
    /// Short and unique: `features-256-masked`, `paper-fc-male`.
    pub(super) name: String,
    /// Names of steps whose results it reads; all stand before it.
    pub(super) needs: Vec<String>,
    /// How long it takes on two cores, for the view of the whole.
    pub(super) minutes: f64,
    /// What is done.
    pub(super) work: Work,
}

/// Figures that are drawn from the same results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Figures {
    /// Samples, ages, extraction, augmentation: the paper's figures 1 to 3.
    Data,
    /// The networks: its figures 5 to 8.
    Diagrams,
    /// The regressions: its figure 4.
    Regressions,
    /// Predicted against true, residuals, learning curves: its figure 9.
    Errors,
    /// Attention maps: its figure 10.
    Attention,
    /// Table I as a figure.
    Table,
}

/// What a step does.
pub(super) enum Work {
    /// The frozen features of every radiograph and view that recipes like this one read.
    Features(Box<Recipe>),
    /// One trained network: a row of table I, or a variant beside it.
    Network(Box<Recipe>),
    /// One fitted regression.
    Regression(Box<RegressionRecipe>),
    /// Errors by age and sex, and models for both sexes against those for one.
    Bands,
    /// Attention and occlusion by region of the hand, of one trained model.
    Regions(String),
    /// Where the keypoints of SIFT and SURF lie on annotated films.
    Keypoints,
    /// A group of figures; of those that show radiographs, from this folder.
    Figures(Figures, Option<PathBuf>),
    /// Table I.
    Table,
    /// The report.
    Report,
}

impl Step {
    /// What decides the step's result: its settings, the data and the keys of the steps that it needs.
    pub(super) fn key(&self, data: &Digest, known: &[(String, Digest)]) -> Digest {
        let needed = known.iter().filter(|(name, _)| self.needs.contains(name)).map(|(_, key)| key);
        let settings = self.work.settings();
        let own = [VERSION, &self.name, &settings, &data.0].map(str::as_bytes);
        Digest::of_parts(own.into_iter().chain(needed.map(|key| key.0.as_bytes())))
    }
}

impl Work {
    fn settings(&self) -> String {
        match self {
            Work::Features(recipe) | Work::Network(recipe) => recipe.to_json().to_string(),
            Work::Regression(recipe) => recipe.to_json().to_string(),
            Work::Regions(model) => model.clone(),
            Work::Figures(group, pictures) => format!("{group:?} {pictures:?}"),
            Work::Bands | Work::Keypoints | Work::Table | Work::Report => String::new(),
        }
    }

    /// In a few words, for people.
    pub(super) fn describe(&self) -> String {
        match self {
            Work::Features(recipe) => {
                let views = recipe.augment.all().len();
                format!("frozen features at {} px, training views: {views}", recipe.preprocess.size)
            }
            Work::Network(recipe) => recipe.description.clone(),
            Work::Regression(recipe) => recipe.description.clone(),
            Work::Bands => "errors by age and sex; one model for both sexes against one for each".to_owned(),
            Work::Regions(model) => format!("attention and occlusion by region of the hand, {model}"),
            Work::Keypoints => "where the keypoints of SIFT and SURF lie on annotated films".to_owned(),
            Work::Figures(Figures::Data, _) => {
                "figures of samples, ages, extraction and augmentation".to_owned()
            }
            Work::Figures(Figures::Diagrams, _) => "diagrams of the networks".to_owned(),
            Work::Figures(Figures::Regressions, _) => "figures of the regressions' errors".to_owned(),
            Work::Figures(Figures::Errors, _) => {
                "figures of predicted against true, residuals, learning".to_owned()
            }
            Work::Figures(Figures::Attention, _) => "attention maps on a sheet".to_owned(),
            Work::Figures(Figures::Table, _) => "table I as a figure".to_owned(),
            Work::Table => "table I: the paper, ours, a constant".to_owned(),
            Work::Report => "the report".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_follows_from_settings_data_and_needs() {
        let step = |name: &str, model: &str| Step {
            name: name.into(),
            needs: vec!["a".into()],
            minutes: 1.0,
            work: Work::Regions(model.into()),
        };
        let (data, other) = (Digest::of(b"data"), Digest::of(b"other"));
        let needed =
            |digest: &Digest| vec![("a".to_owned(), digest.clone()), ("b".to_owned(), other.clone())];
        let key = step("x", "m").key(&data, &needed(&data));
        assert_eq!(key, step("x", "m").key(&data, &[("a".into(), data.clone())]));
        assert_ne!(key, step("x", "n").key(&data, &needed(&data)));
        assert_ne!(key, step("y", "m").key(&data, &needed(&data)));
        assert_ne!(key, step("x", "m").key(&other, &needed(&data)));
        assert_ne!(key, step("x", "m").key(&data, &needed(&other)));
    }
}
