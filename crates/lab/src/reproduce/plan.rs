use super::Reproduction;
use super::step::{Figures, Step, Work};
use crate::{KeypointFindings, LabError, Recipe, RegressionRecipe};
use boneage_core::Digest;

/// The networks of table I and beside it, as files of the recipes' folder. Those that read the same features
/// follow each other, and those of both sexes come first, as their features hold the others'.
const NETWORKS: [&str; 30] = [
    "fc-both",
    "fc-male",
    "fc-female",
    "fc-both-unaugmented",
    "attention-256-both",
    "choice-fc-relu",
    "choice-fc-no-dropout",
    "choice-attention-1x1",
    "choice-no-rescale",
    "choice-attention-relu",
    "choice-kernel-schedule",
    "fc-both-two-views",
    "fc-both-unmasked",
    "fc-male-unmasked",
    "fc-female-unmasked",
    "attention-256-both-unmasked",
    "transfer-new-head",
    "transfer-first-layers-frozen",
    "transfer-end-to-end",
    "attention-both",
    "attention-male",
    "attention-female",
    "attention-sex-both",
    "attention-averaged-both",
    "fc-500-both",
    "attention-both-unmasked",
    "attention-male-unmasked",
    "attention-female-unmasked",
    "attention-sex-both-unmasked",
    "fc-500-both-unmasked",
];

/// The regressions of table I on the paper's split and on the networks', then variants beside it, then those on the
/// words of SIFT and SURF.
const REGRESSIONS: [&str; 17] = [
    "linear-male",
    "linear-female",
    "linear-both",
    "logistic-male",
    "logistic-female",
    "logistic-both",
    "linear-male-holdout",
    "linear-female-holdout",
    "linear-both-holdout",
    "logistic-male-holdout",
    "logistic-female-holdout",
    "logistic-both-holdout",
    "choice-logistic-clip",
    "choice-logistic-softmax",
    "choice-linear-cropped-male",
    "sift-both",
    "surf-both",
];

/// The model whose attention is looked at: the paper's Model 2.
pub(super) const ATTENTION_MODEL: &str = "paper-attention-both";

/// Images that two cores bring through VGG16 in a minute, at 256 px: for the view of the whole alone.
const IMAGES_A_MINUTE: f64 = 2000.0;
/// Images that the data set has for each training view, and besides.
const IMAGES: [f64; 2] = [8104.0, 3565.0];

/// Every step, each after those that it needs.
pub(super) fn plan(reproduction: &Reproduction) -> Result<Vec<Step>, LabError> {
    let mut steps: Vec<Step> = Vec::new();
    let mut caches: Vec<(Digest, String)> = Vec::new();
    let mut regressions = Vec::new();
    for file in REGRESSIONS {
        let recipe = RegressionRecipe::read(&reproduction.recipes.join(format!("{file}.toml")))?;
        let recipe = if reproduction.quick { quick_regression(recipe) } else { recipe };
        let name = recipe.name.clone();
        regressions.push(name.clone());
        steps.push(Step { name, needs: Vec::new(), minutes: 3.0, work: Work::Regression(Box::new(recipe)) });
    }
    let mut networks = Vec::new();
    for file in NETWORKS {
        let recipe = Recipe::read(&reproduction.recipes.join(format!("{file}.toml")))?;
        let recipe = if reproduction.quick { quickened(recipe) } else { recipe };
        let features = features_of(&recipe);
        let cache = match caches.iter().find(|(known, _)| *known == features) {
            Some((_, name)) => name.clone(),
            None => {
                let name = format!("features-of-{file}");
                caches.push((features, name.clone()));
                let minutes = minutes_of_features(&recipe);
                let work = Work::Features(Box::new(recipe.clone()));
                steps.push(Step { name: name.clone(), needs: Vec::new(), minutes, work });
                name
            }
        };
        let name = recipe.name.clone();
        networks.push(name.clone());
        let minutes = minutes_of_training(&recipe);
        let work = Work::Network(Box::new(recipe));
        steps.push(Step { name, needs: vec![cache], minutes, work });
    }
    let mut add = |name: &str, needs: &[String], minutes: f64, work: Work| {
        steps.push(Step { name: name.to_owned(), needs: needs.to_vec(), minutes, work });
    };
    add("bands", &networks, 0.1, Work::Bands);
    let trained = [&regressions[..], &networks].concat();
    let mut shown = trained.clone();
    shown.push("bands".to_owned());
    if KeypointFindings::can_be_measured(&reproduction.data) {
        let work = Work::Regions(ATTENTION_MODEL.to_owned());
        add("regions", &[ATTENTION_MODEL.to_owned()], 7.0, work);
        add("keypoints", &[], 7.0, Work::Keypoints);
        shown.extend(["regions", "keypoints"].map(str::to_owned));
    }
    add("table", &trained, 0.1, Work::Table);
    shown.push("table".to_owned());
    let models = ["paper-fc-both".to_owned(), ATTENTION_MODEL.to_owned()];
    for (name, needs, group) in [
        ("figures-of-data", &models[..0], Figures::Data),
        ("figures-of-networks", &models[..0], Figures::Diagrams),
        ("figures-of-regressions", &regressions[..], Figures::Regressions),
        ("figures-of-errors", &models[..], Figures::Errors),
        ("figures-of-attention", &models[1..], Figures::Attention),
        ("figures-of-table", &["table".to_owned()], Figures::Table),
    ] {
        let pictures = reproduction.pictures.clone();
        let pictures = pictures.filter(|_| matches!(group, Figures::Data | Figures::Attention));
        add(name, needs, 0.1, Work::Figures(group, pictures));
        shown.push(name.to_owned());
    }
    add("report", &shown, 0.1, Work::Report);
    Ok(steps)
}

/// What recipes must share to share their features.
fn features_of(recipe: &Recipe) -> Digest {
    let views = serde_json::to_string(&recipe.augment).expect("words and numbers");
    let parts = [&recipe.preprocess.digest().0, &views, &recipe.transfer.frozen.to_string()];
    Digest::of_parts(parts.map(|part| part.as_bytes()))
}

/// The same in minutes on a few hundred images; what it gives says nothing about accuracy.
fn quickened(mut recipe: Recipe) -> Recipe {
    recipe.training.epochs = recipe.training.epochs.min(2);
    recipe.training.batch = 8;
    recipe.augment.views = recipe.augment.views.min(1);
    let [height, width] = [recipe.head.height, recipe.head.width].map(|cells| cells / 2);
    recipe.preprocess.size /= 2;
    (recipe.head.height, recipe.head.width) = (height, width);
    recipe
}

/// A regression's recipe for a few hundred images.
fn quick_regression(mut recipe: RegressionRecipe) -> RegressionRecipe {
    recipe.preprocess.size /= if recipe.regression.features.are_pixels() { 4 } else { 2 };
    recipe.regression.words = recipe.regression.words.map(|words| words.min(8));
    recipe.regression.folds = 2;
    recipe.regression.candidates = vec![2, 5];
    recipe
}

fn minutes_of_features(recipe: &Recipe) -> f64 {
    let views = recipe.augment.all().len() as f64;
    let pixels = (recipe.preprocess.size as f64 / 256.0).powi(2);
    let [training, others] = IMAGES;
    let training = recipe.subset.map_or(training, |subset| subset as f64);
    (training * views + others) * pixels / IMAGES_A_MINUTE
}

fn minutes_of_training(recipe: &Recipe) -> f64 {
    let cells = (recipe.preprocess.size as f64 / 256.0).powi(2);
    // A step through all of VGG16 and back takes three times a forward pass; of its last block, little.
    let trained = match recipe.transfer.frozen {
        13.. => 0.01,
        10.. => 0.4,
        _ => 3.0,
    };
    let images = recipe.subset.map_or(IMAGES[0], |subset| subset as f64);
    f64::from(recipe.training.epochs) * images * cells * trained / IMAGES_A_MINUTE
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::{Path, PathBuf};

    fn reproduction(quick: bool) -> Reproduction {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        Reproduction {
            data: PathBuf::from("no-such-folder"),
            out: PathBuf::new(),
            cache: PathBuf::new(),
            backbone: PathBuf::new(),
            recipes: root.join("recipes/paper"),
            pictures: None,
            quick,
        }
    }

    #[test]
    fn every_step_stands_after_those_it_needs_and_features_are_shared() {
        for quick in [false, true] {
            let steps = plan(&reproduction(quick)).unwrap();
            for (index, step) in steps.iter().enumerate() {
                let before: Vec<&str> = steps[..index].iter().map(|step| step.name.as_str()).collect();
                assert!(step.needs.iter().all(|need| before.contains(&need.as_str())), "{}", step.name);
                assert!(!before.contains(&step.name.as_str()), "{} twice", step.name);
            }
            let caches = steps.iter().filter(|step| matches!(step.work, Work::Features(_))).count();
            // Masked at 256 pixels with many views and with two, at 500 with two, whole at both, one without
            // augmentation, and the three of the transfers; of a quick run all views are one.
            assert_eq!(caches, if quick { 7 } else { 9 });
        }
        let minutes: f64 = plan(&reproduction(false)).unwrap().iter().map(|step| step.minutes).sum();
        assert!(minutes < 12.0 * 60.0, "{minutes}");
    }

    #[test]
    fn the_recipes_are_the_papers() {
        let recipe = |file: &str| Recipe::read(&reproduction(false).recipes.join(file)).unwrap();
        let (fc, attention) = (recipe("fc-male.toml"), recipe("attention-female.toml"));
        assert_eq!((fc.preprocess.size, fc.training.epochs, fc.augment.views), (256, 30, 6));
        assert_eq!(
            (attention.preprocess.size, attention.training.epochs, attention.augment.views),
            (500, 50, 2)
        );
        assert_eq!((attention.head.height, attention.head.sex_units), (15, None));
        assert!(fc.preprocess.mask && attention.preprocess.mask);
    }
}
