use super::ModelReport;
use crate::Scored;
use std::cmp::Reverse;

/// How many of the worst cases are listed.
const WORST: usize = 20;

/// What stands under a figure.
fn caption(figure: &str) -> &'static str {
    match figure {
        "errors-by-age" => "Mean absolute error by age and sex",
        "bland-altman" => "Readings against labels, after Bland and Altman",
        "reliability" => "How many labels intervals hold, against how many they promise",
        "attention-maps" => "Where the network looks, on films that anyone may share",
        _ => "Figure",
    }
}

pub(super) fn report(report: &ModelReport, figures: &[&str], command: &str) -> String {
    let ModelReport { manifest, held_out, evaluation, .. } = report;
    let mut text = format!(
        "# {} {}\n\nOn {} held-out radiographs. Made by\n\n```sh\n{command}\n```\n\n## Errors\n\n```text\n{}```\n",
        manifest.name,
        manifest.version,
        held_out.len(),
        evaluation.to_text()
    );
    if evaluation.coverage.is_none() {
        text.push_str("\nThe model has no intervals.\n");
    }
    text.push_str("\n## Figures\n");
    for figure in figures {
        text.push_str(&format!("\n![{}](figures/{figure}.png)\n", caption(figure)));
    }
    text.push_str(&format!(
        "\n## The {WORST} worst cases\n\nBy id; the films themselves are not passed on.\n\n\
         | id | sex | label | reading | error | interval |\n|---|---|---|---|---|---|\n"
    ));
    worst(held_out).iter().for_each(|s| text.push_str(&row(s)));
    text
}

/// The largest errors first; of equal ones the first by id.
fn worst(scored: &[Scored]) -> Vec<&Scored> {
    let mut sorted: Vec<&Scored> = scored.iter().collect();
    sorted.sort_by_key(|s| (Reverse((s.error().abs() * 1000.0).round() as i64), s.id.clone()));
    sorted.truncate(WORST);
    sorted
}

fn row(s: &Scored) -> String {
    let interval = s.interval.map_or_else(String::new, |interval| {
        let mark = if interval.holds(s.truth) { "" } else { ", missed" };
        format!("{:.0} to {:.0}{mark}", interval.lower.0, interval.upper.0)
    });
    let (id, sex, truth, predicted) = (&s.id, s.sex, s.truth.0, s.predicted.0);
    format!("| {id} | {sex} | {truth:.0} | {predicted:.1} | {:+.1} | {interval} |\n", s.error())
}
