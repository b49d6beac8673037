use super::Reproduction;
use super::bands::MODELS;
use super::networks::{folder_of, held_out};
use super::plan::ATTENTION_MODEL;
use super::regressions::{REGRESSIONS, curves};
use super::step::Figures;
use crate::figures::{
    ATTENTION_FILMS, ComparedCell, Film, LearningCurve, MODEL_PIXELS, SAMPLE_COLUMNS, Series,
    age_distribution, agreement, attention_maps, augmentation, comparison, connections_diagram,
    errors_by_age, learning_curves, model_1_diagram, model_2_diagram, regression_errors, residuals, samples,
    stages, transfer_diagram, vgg16_diagram,
};
use crate::{AugmentRanges, Dataset, DatasetAnalysis, LabError, Part, RunFolder};
use boneage_assess::Predictor;
use boneage_draw::Drawing;
use boneage_vision::{HandRecipe, Preprocess, extract_hand};

/// Where figures lie, below the folder of results.
const FOLDER: &str = "figures";

/// Draws one group of figures and names the files.
pub(super) fn write(
    reproduction: &Reproduction,
    group: Figures,
    dataset: &Dataset,
) -> Result<Vec<String>, LabError> {
    let drawn: Vec<(&str, Drawing)> = match group {
        Figures::Diagrams => vec![
            ("connections", connections_diagram(MODEL_PIXELS[0])?),
            ("vgg16", vgg16_diagram(MODEL_PIXELS[0])),
            ("transfer", transfer_diagram(MODEL_PIXELS[0])?),
            ("model-1", model_1_diagram(MODEL_PIXELS[0])?),
            ("model-2", model_2_diagram(MODEL_PIXELS[1])?),
        ],
        Figures::Data => {
            let films = films(reproduction, dataset)?;
            let none = || LabError::Data("no film to show in the figures; hint: --pictures DIR".to_owned());
            let film = Film::typical(&films).ok_or_else(none)?;
            let found = extract_hand(&film.plane, &HandRecipe::default());
            let ranges = AugmentRanges::default();
            vec![
                ("samples", samples(&films)?),
                ("age-distribution", age_distribution(&DatasetAnalysis::of(dataset))?),
                ("extraction", stages(&film.plane, &found, &[])),
                ("augmentation", augmentation(film, &Preprocess::default(), &ranges, 1)),
            ]
        }
        Figures::Regressions => of_regressions(reproduction)?,
        Figures::Errors => of_errors(reproduction)?,
        Figures::Attention => {
            let films = films(reproduction, dataset)?;
            let films = Film::few(&films, ATTENTION_FILMS);
            vec![("attention-maps", attention_maps(&predictor(reproduction, ATTENTION_MODEL)?, &films)?)]
        }
        Figures::Table => {
            let cells = ComparedCell::read(&reproduction.out.join("table1.csv"))?;
            vec![("table-1", comparison("The paper's table I, reproduced", &cells)?)]
        }
    };
    let folder = reproduction.out.join(FOLDER);
    std::fs::create_dir_all(&folder).map_err(LabError::io(&folder))?;
    let mut files = Vec::new();
    for (name, drawing) in drawn {
        drawing.write(&folder, name)?;
        files.extend(["svg", "png"].map(|end| format!("{FOLDER}/{name}.{end}")));
    }
    Ok(files)
}

/// A trained network of this reproduction, ready to read.
pub(super) fn predictor(reproduction: &Reproduction, model: &str) -> Result<Predictor, LabError> {
    let read = |path: std::path::PathBuf| std::fs::read(&path).map_err(LabError::io(path));
    let bundle = read(reproduction.out.join(folder_of(model)).join("model.safetensors"))?;
    Ok(Predictor::new(&bundle, &read(reproduction.backbone.clone())?)?)
}

fn films(reproduction: &Reproduction, dataset: &Dataset) -> Result<Vec<Film>, LabError> {
    match &reproduction.pictures {
        Some(folder) => Film::folder(folder),
        None => Film::spread(dataset, SAMPLE_COLUMNS),
    }
}

/// The regressions on both sexes predict test films; all of them by the number of components.
fn of_regressions(reproduction: &Reproduction) -> Result<Vec<(&'static str, Drawing)>, LabError> {
    let mut series = Vec::new();
    for (begin, kind) in REGRESSIONS {
        if let Some(scored) = held_out(reproduction, &format!("{begin}-both"))? {
            series.push(Series { name: format!("{kind} regression"), scored });
        }
    }
    Ok(vec![
        ("regressions", agreement("Linear and logistic regression, predicted against true", &series)?),
        (
            "regression-errors",
            regression_errors("Error by the number of components", &curves(reproduction)?)?,
        ),
    ])
}

fn of_errors(reproduction: &Reproduction) -> Result<Vec<(&'static str, Drawing)>, LabError> {
    let (mut series, mut curves) = (Vec::new(), Vec::new());
    for (name, run) in MODELS {
        let run = RunFolder::existing(&reproduction.out.join(folder_of(&format!("{run}-both"))))?;
        series.push(Series { name: name.to_owned(), scored: run.predictions(Part::Holdout)? });
        curves.push(LearningCurve { name: name.to_owned(), epochs: run.epochs()? });
    }
    Ok(vec![
        ("agreement", agreement("Predicted against true bone age", &series)?),
        ("residuals", residuals("Errors by age", &series)?),
        ("errors-by-age", errors_by_age("Mean absolute error by age", &series)?),
        ("learning-curves", learning_curves("Learning curves", &curves)?),
    ])
}
