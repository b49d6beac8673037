use super::ModelReport;
use crate::{GroupScores, Scores};
use boneage_assess::{Manifest, ModelShape, NetworkShape};
use boneage_nets::VGG16_CONVOLUTIONS;
use boneage_vision::Crop;

const TEMPLATE: &str = include_str!("card.md");
/// A band of age whose readings lie this far off on average is named, in months.
const BIASED: f64 = 5.0;
/// Bands of fewer films are not named.
const LEAST: usize = 10;

/// The model card; `results` is the folder of the report as the card's reader finds it, `command` what made it.
pub fn model_card(report: &ModelReport, results: &str, command: &str) -> String {
    let ModelReport { manifest, evaluation, .. } = report;
    let [youngest, oldest] = manifest.trained_ages.map(|age| format!("{:.0}", age.0));
    let facts = [
        ("name", manifest.name.clone()),
        ("architecture", architecture(manifest)),
        ("description", description(manifest)),
        ("split", manifest.training.split.clone()),
        ("recipe", manifest.training.recipe_digest.short().to_owned()),
        ("data", manifest.training.data_digest.short().to_owned()),
        ("youngest", youngest),
        ("oldest", oldest),
        ("images", evaluation.all.images.to_string()),
        ("errors", errors(report)),
        ("intervals", intervals(report)),
        ("failures", failures(report)),
        ("refusals", refusals(manifest)),
        ("licence", manifest.licence.clone()),
        ("attribution", manifest.attribution.clone()),
        ("results", results.to_owned()),
        ("command", command.to_owned()),
    ];
    // Placeholders are looked for in the template alone: a licence with braces stays as it is.
    let mut card = String::new();
    let mut rest = TEMPLATE;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, behind) = after.split_once('}').expect("the template closes its braces");
        let fact = facts.iter().find(|(known, _)| *known == name).map(|(_, fact)| fact.as_str());
        card.push_str(before);
        card.push_str(fact.expect("the template names known facts"));
        rest = behind;
    }
    card + rest
}

fn architecture(manifest: &Manifest) -> String {
    let part = match manifest.preprocess.crop {
        Crop::None => "whole frame",
        Crop::Hand { .. } => "hand's box",
    };
    let size = manifest.preprocess.size;
    let what = match &manifest.model {
        ModelShape::Network(network) => of_network(network),
        ModelShape::Regression(_) => "one of the paper's regressions on greys".to_owned(),
    };
    let Manifest { name, version, .. } = manifest;
    format!("{name} version {version}: {what}. It reads the {part} as a square of {size} px.")
}

fn of_network(network: &NetworkShape) -> String {
    let trained = match VGG16_CONVOLUTIONS - network.backbone.frozen {
        0 => "none of its 13 convolutions trained".to_owned(),
        last => format!("the last {last} of its 13 convolutions trained with the head"),
    };
    let kind = serde_json::to_value(network.head.kind).unwrap_or_default();
    let kind = kind.as_str().unwrap_or("unnamed").replace('_', " ");
    let sex = if network.uses_sex() { "with the sex as an input" } else { "without the sex" };
    format!("a head of the kind \"{kind}\" on VGG16, {sex}, {trained}")
}

/// The recipe's own sentence.
fn description(manifest: &Manifest) -> String {
    let words = manifest.training.recipe.get("description").and_then(|words| words.as_str());
    match words.map(str::trim).filter(|words| !words.is_empty()) {
        Some(words) => format!("Its recipe says: {words}."),
        None => "Its recipe has no description.".to_owned(),
    }
}

fn errors(report: &ModelReport) -> String {
    let evaluation = &report.evaluation;
    let row = |name: &str, scores: &Scores| {
        let [low, high] = scores.mae.interval_95;
        format!(
            "| {name} | {} | {:.2} ({low:.2} to {high:.2}) | {:.2} | {:+.2} | {:.0} % |",
            scores.images,
            scores.mae.value,
            scores.rmse.value,
            scores.bias.value,
            100.0 * scores.within_12.value
        )
    };
    let mut rows = vec![row("all", &evaluation.all)];
    rows.extend(evaluation.by_sex.iter().map(|group| row(&group.group, &group.scores)));
    let always = format!("always {:.0} months", evaluation.baseline.months.0);
    rows.push(row(&always, &evaluation.baseline.scores));
    rows.join("\n")
}

fn intervals(report: &ModelReport) -> String {
    let table = report.manifest.interval.as_ref();
    let (Some(table), Some(coverage)) = (table, &report.evaluation.coverage) else {
        return "It has no intervals.".to_owned();
    };
    let mut text = format!(
        "{:.0} % of the children of each age and sex lie in the interval that is told: \
         [how](docs/explanation/intervals.md). Calibrated on {} films that trained nothing. On the held-out films \
         (`boneage evaluate --data DIR --verify-coverage`; by cross-calibration on more of them: \
         [results/coverage.md](results/coverage.md)):\n\n| films | n | held | by chance | mean width, months |\n|---|---|---|---|---|\n",
        table.level * 100.0,
        table.images
    );
    // All and each sex; the bands are in the report.
    for cell in coverage.cells.iter().filter(|cell| !cell.group.contains(',')) {
        let share = |count: usize| 100.0 * count as f64 / cell.images as f64;
        let [low, high] = cell.expected.map(share);
        text.push_str(&format!(
            "| {} | {} | {:.1} % | {low:.1} to {high:.1} % | {:.1} |\n",
            cell.group,
            cell.images,
            100.0 * cell.share(),
            cell.mean_width
        ));
    }
    let failing: Vec<&str> =
        coverage.cells.iter().filter(|cell| cell.fails()).map(|c| c.group.as_str()).collect();
    text.push_str(&match failing.as_slice() {
        [] => "\nNo sex and band of 24 months lies beyond what chance does in 99 of 100.".to_owned(),
        cells => format!("\nBeyond what chance does in 99 of 100: {}.", cells.join("; ")),
    });
    text
}

/// What becomes of images that are no hand.
fn refusals(manifest: &Manifest) -> String {
    match &manifest.guard {
        Some(guard) => format!(
            "What is no hand is refused, and turned and right hands are laid like the others first, by a guard that \
             saw {} films and {} views of other images. What it lets through: [results/refusal.md](results/refusal.md).",
            guard.hands, guard.others
        ),
        None => "It has no guard: a radiograph or photograph of something else gets an age.".to_owned(),
    }
}

/// Bands of age that are told too old or too young, and how many are far off.
fn failures(report: &ModelReport) -> String {
    let evaluation = &report.evaluation;
    let told = |group: &&GroupScores| group.scores.images >= LEAST && group.scores.bias.value.abs() >= BIASED;
    let sentence = |group: &GroupScores| {
        let bias = group.scores.bias.value;
        let way = if bias > 0.0 { "too old" } else { "too young" };
        format!("- Children of {} are read {:.0} months {way} on average.", group.group, bias.abs())
    };
    let mut lines: Vec<String> = evaluation.by_age.iter().filter(told).map(sentence).collect();
    let far = 100.0 * (1.0 - evaluation.all.within_24.value);
    lines.push(format!("- {far:.1} % of the held-out films are read more than 24 months off."));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::super::tests::report;
    use super::*;

    #[test]
    fn a_card_states_the_facts_and_leaves_no_placeholder() {
        let card = model_card(&report(), "results/tiny", "boneage report-model --model tiny");
        assert!(!card.contains(['{', '}']), "{card}");
        for fact in [
            "# Model card: tiny",
            "version 3",
            "the last 3 of its 13 convolutions",
            "with the sex as an input",
            "a model of the tests",
            "| all | 300 |",
            "a licence Attribution: somebody.",
            "boneage report-model --model tiny",
            "Calibrated on 400 films",
        ] {
            assert!(card.contains(fact), "{fact} is not in\n{card}");
        }
    }

    /// Who changes the template generates the card again.
    #[test]
    fn the_committed_card_has_every_fixed_line_of_the_template() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../MODEL_CARD.md");
        let committed = std::fs::read_to_string(path).unwrap();
        for line in TEMPLATE.lines().filter(|line| !line.contains(['{', '}'])) {
            assert!(committed.lines().any(|own| own == line), "MODEL_CARD.md lacks {line:?}");
        }
    }
}
