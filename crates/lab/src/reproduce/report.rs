use super::Reproduction;
use super::bands::Discussion;
use super::keypoints;
use super::ledger::Ledger;
use super::networks::held_out;
use super::regions::{Division, Regions};
use super::regressions;
use super::table::{Cell, cells};
use crate::checkpoint::write_atomically;
use crate::{Dataset, Estimate, KeypointFindings, LabError};
use serde::de::DeserializeOwned;
use std::collections::HashMap;

/// The report with places `{name}` for what was measured.
const TEMPLATE: &str = include_str!("report.md");
/// What stands where nothing was measured.
const NOTHING: &str = "Not measured: the steps that it needs were not run.";

/// Writes `REPRODUCTION.md` from the results of the other steps.
pub(super) fn write(
    reproduction: &Reproduction,
    dataset: &Dataset,
    ledger: &Ledger,
) -> Result<Vec<String>, LabError> {
    let discussion: Option<Discussion> = read(reproduction, "discussion.json")?;
    let regions: Option<Regions> = read(reproduction, "regions.json")?;
    let looked: Option<KeypointFindings> = read(reproduction, keypoints::FILE)?;
    let cells = cells(reproduction)?;
    let compare = |pairs: &[(&str, &str, &str)]| comparisons(reproduction, pairs);
    let places = [
        ("command", command(reproduction)),
        ("data", data(reproduction, dataset)),
        ("table-1", table(&cells)),
        ("views", "six views (two at 500 pixels and of the whole film)".to_owned()),
        ("regressions", regressions::table(reproduction)?.unwrap_or_else(|| NOTHING.to_owned())),
        (
            "regression-choices",
            compare(&[
                ("ages above 200 months count as 200", "paper-logistic-male", "paper-choice-logistic-clip"),
                ("softmax over all months", "paper-logistic-male", "paper-choice-logistic-softmax"),
            ])?,
        ),
        (
            "attention",
            compare(&[
                ("at 256 pixels, 30 epochs, masked", "paper-fc-both", "paper-attention-256-both"),
                ("at 500 pixels, 50 epochs, masked", "paper-fc-500-both", "paper-attention-both"),
                ("at 256 pixels, whole film", "paper-fc-both-unmasked", "paper-attention-256-both-unmasked"),
                ("at 500 pixels, whole film", "paper-fc-500-both-unmasked", "paper-attention-both-unmasked"),
                ("500 pixels in place of 256, fully connected", "paper-fc-both", "paper-fc-500-both"),
                ("500 pixels in place of 256, attention", "paper-attention-256-both", "paper-attention-both"),
            ])?,
        ),
        (
            "nearest",
            compare(&[
                ("the running mean of the weights", "paper-attention-both", "paper-attention-averaged-both"),
                ("the sex as input", "paper-attention-both", "paper-attention-sex-both"),
                (
                    "linear regression on the hand's own square in place of the whole film",
                    "paper-linear-male-holdout",
                    "paper-choice-linear-cropped-male",
                ),
            ])?,
        ),
        (
            "mask",
            compare(&[
                ("Model 1", "paper-fc-both-unmasked", "paper-fc-both-two-views"),
                ("Model 2", "paper-attention-both-unmasked", "paper-attention-both"),
            ])?,
        ),
        (
            "choices",
            compare(&[
                ("Model 1: ReLU", "paper-fc-both", "paper-choice-fc-relu"),
                ("Model 1: no dropout", "paper-fc-both", "paper-choice-fc-no-dropout"),
                ("attention: 1 x 1 convolution", "paper-attention-256-both", "paper-choice-attention-1x1"),
                ("attention: no division", "paper-attention-256-both", "paper-choice-no-rescale"),
                ("attention: ReLU", "paper-attention-256-both", "paper-choice-attention-relu"),
                (
                    "attention: the kernels' schedule",
                    "paper-attention-256-both",
                    "paper-choice-kernel-schedule",
                ),
            ])?,
        ),
        ("augmentation", compare(&[("Model 1", "paper-fc-both-unaugmented", "paper-fc-both")])?),
        ("transfer", transfer(reproduction)?),
        ("ages", discussion.as_ref().map_or_else(|| NOTHING.to_owned(), ages)),
        ("sexes", discussion.as_ref().map_or_else(|| NOTHING.to_owned(), sexes)),
        ("regions", regions.as_ref().map_or_else(|| NOTHING.to_owned(), of_regions)),
        ("words", regressions::words(reproduction)?.unwrap_or_else(|| NOTHING.to_owned())),
        ("keypoints", looked.as_ref().map_or_else(|| NOTHING.to_owned(), KeypointFindings::tables)),
        ("times", times(ledger)),
    ];
    let mut text = TEMPLATE.to_owned();
    for (name, value) in places {
        text = text.replace(&format!("{{{name}}}"), &value);
    }
    write_atomically(&reproduction.out.join("REPRODUCTION.md"), text.as_bytes())?;
    Ok(vec!["REPRODUCTION.md".to_owned()])
}

fn command(reproduction: &Reproduction) -> String {
    let quick = if reproduction.quick { " --quick" } else { "" };
    format!("boneage reproduce --data DIR --out DIR{quick}")
}

fn data(reproduction: &Reproduction, dataset: &Dataset) -> String {
    let (all, cores) =
        (dataset.radiographs.len(), std::thread::available_parallelism().map_or(1, usize::from));
    let warning = if reproduction.quick {
        " This is a quick run on a few radiographs and two epochs, which shows that every step works. Its numbers say nothing about accuracy."
    } else {
        ""
    };
    format!("Run on {all} radiographs and {cores} cores, {}.{warning}", std::env::consts::ARCH)
}

/// A value with its interval, `9.82 (9.5 to 10.1)`.
fn told(estimate: &Estimate) -> String {
    let Estimate { value, interval_95: [low, high] } = estimate;
    format!("{value:.2} ({low:.2} to {high:.2})")
}

fn table(cells: &[Cell]) -> String {
    let mut text = String::from(
        "| model | cohort | paper | ours: MAE in months (95 %) | RMSE | a constant | films |\n\
         |---|---|---:|---:|---:|---:|---:|\n",
    );
    for Cell { model, cohort, mae: [mae, low, high], rmse, images, paper, constant, .. } in cells {
        let paper = paper.map_or_else(String::new, |months| format!("{months:.2}"));
        text.push_str(&format!(
            "| {model} | {cohort} | {paper} | {mae:.2} ({low:.2} to {high:.2}) | {rmse:.2} | {constant:.2} | {images} |\n"
        ));
    }
    text
}

/// The change of MAE from one run to another on the same held-out films, for pairs `(what, from, to)`.
fn comparisons(reproduction: &Reproduction, pairs: &[(&str, &str, &str)]) -> Result<String, LabError> {
    let mut text = String::from("| | MAE before | after | change (95 %) |\n|---|---:|---:|---:|\n");
    let mut any = false;
    for &(what, from, to) in pairs {
        let errors = |name| -> Result<Option<HashMap<String, f64>>, LabError> {
            let scored = held_out(reproduction, name)?;
            Ok(scored.map(|scored| scored.into_iter().map(|s| (s.id.clone(), s.error().abs())).collect()))
        };
        let (Some(before), Some(after)) = (errors(from)?, errors(to)?) else { continue };
        let mut shared: Vec<&String> = before.keys().filter(|id| after.contains_key(*id)).collect();
        shared.sort();
        let differences: Vec<f64> = shared.iter().map(|id| after[*id] - before[*id]).collect();
        let mean = |of: &HashMap<String, f64>| {
            shared.iter().map(|id| of[*id]).sum::<f64>() / shared.len().max(1) as f64
        };
        if let Some(change) = Estimate::of_mean(what, &differences) {
            any = true;
            let (before, after) = (mean(&before), mean(&after));
            text.push_str(&format!("| {what} | {before:.2} | {after:.2} | {} |\n", told(&change)));
        }
    }
    Ok(if any { text } else { NOTHING.to_owned() })
}

fn transfer(reproduction: &Reproduction) -> Result<String, LabError> {
    let mut text = String::from("| way | MAE in months (95 %) |\n|---|---:|\n");
    let mut any = false;
    for (way, name) in [
        ("end to end from the pretrained weights", "paper-transfer-end-to-end"),
        ("the first ten of thirteen convolutions frozen", "paper-transfer-first-layers-frozen"),
        ("a new head on frozen features", "paper-transfer-new-head"),
    ] {
        let Some(scored) = held_out(reproduction, name)? else { continue };
        let errors: Vec<f64> = scored.iter().map(|s| s.error().abs()).collect();
        if let Some(mae) = Estimate::of_mean(name, &errors) {
            any = true;
            text.push_str(&format!("| {way} | {} |\n", told(&mae)));
        }
    }
    Ok(if any { text } else { NOTHING.to_owned() })
}

fn ages(discussion: &Discussion) -> String {
    let mut text = String::new();
    for model in &discussion.models {
        text.push_str(&format!(
            "**{}**: MAE between 100 and 175 months minus MAE elsewhere: {} months. Below 100 months minus above 175: {} months.\n\n\
             | age in months | films | MAE (95 %) | bias (95 %) |\n|---|---:|---:|---:|\n",
            model.model,
            told(&model.hardest_minus_others),
            told(&model.younger_minus_older)
        ));
        for band in &model.bands {
            let [low, high] = band.band;
            text.push_str(&format!(
                "| {low} to {high} | {} | {} | {} |\n",
                band.images,
                told(&band.mae),
                told(&band.bias)
            ));
        }
        text.push('\n');
    }
    text
}

fn sexes(discussion: &Discussion) -> String {
    let mut text = String::from(
        "| model | films of | trained on both | trained on one | difference (95 %) |\n|---|---|---:|---:|---:|\n",
    );
    for gain in &discussion.cohorts {
        text.push_str(&format!(
            "| {} | {} | {:.2} | {:.2} | {} |\n",
            gain.model,
            gain.sex,
            gain.mae_of_both,
            gain.mae_of_one,
            told(&gain.difference)
        ));
    }
    text
}

fn of_regions(found: &Regions) -> String {
    let divisions = [("annotated by keypoints", &found.hands), ("with boxes of ossification", &found.boxes)];
    let tables =
        divisions.into_iter().filter_map(|(what, division)| Some(of_division(what, division.as_ref()?)));
    let text = tables.collect::<Vec<_>>().join("\n");
    if text.is_empty() { NOTHING.to_owned() } else { text }
}

fn of_division(what: &str, found: &Division) -> String {
    let mut text = format!(
        "{} films {what}, MAE {:.2} months as they are.\n\n\
         | region | share of the area | share of the attention | change of MAE when painted over (95 %) | shift of the prediction |\n\
         |---|---:|---:|---:|---:|\n",
        found.images, found.mae
    );
    for r in &found.regions {
        text.push_str(&format!(
            "| {} | {} | {} | {} | {} |\n",
            r.region,
            r.area.percent(),
            r.attention.percent(),
            told(&r.occluded),
            told(&r.shift)
        ));
    }
    text
}

fn times(ledger: &Ledger) -> String {
    let mut text = String::from("| step | minutes |\n|---|---:|\n");
    let mut whole = 0.0;
    for (name, seconds) in ledger.seconds() {
        whole += seconds;
        // Quick steps, and runs and features that were there before `reproduce` came.
        let waited = if seconds < 1.0 { "at once".to_owned() } else { format!("{:.1}", seconds / 60.0) };
        text.push_str(&format!("| {name} | {waited} |\n"));
    }
    text.push_str(&format!("| **together** | **{:.0}** |\n", whole / 60.0));
    text
}

/// What another step wrote; `None` where it has not run.
fn read<T: DeserializeOwned>(reproduction: &Reproduction, file: &str) -> Result<Option<T>, LabError> {
    let path = reproduction.out.join(file);
    if !path.exists() {
        return Ok(None);
    }
    let bytes = std::fs::read(&path).map_err(LabError::io(&path))?;
    let read = serde_json::from_slice(&bytes);
    read.map(Some).map_err(|error| LabError::Data(format!("{}: {error}", path.display())))
}
