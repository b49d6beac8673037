use super::{Change, ChangeKind};
use crate::metrics::percentile;
use crate::{Estimate, Progress, Radiograph};
use boneage_assess::{Predictor, Radiograph as Film};
use boneage_core::{Decision, FlagCode, Plane, SexGiven, SexSource};
use serde::Serialize;
use std::collections::BTreeMap;

/// How far readings move when films are changed in ways that leave the child's age alone.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StressTable {
    /// The model.
    pub model: String,
    /// Films that were read.
    pub films: usize,
    /// MAE of the unchanged films, in months.
    pub mae: Estimate,
    /// Unchanged films that are refused.
    pub refused: usize,
    /// A change each.
    pub rows: Vec<StressRow>,
    /// `file: reason` of those that could not be read.
    pub unreadable: Vec<String>,
}

/// What one change did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StressRow {
    /// The change's name.
    pub change: String,
    /// Median over the films of how far the reading moved, in months.
    pub median_shift: f64,
    /// 95th percentile of the same.
    pub p95_shift: f64,
    /// Mean of the reading of the changed film minus that of the film.
    pub mean_shift: Estimate,
    /// What the MAE rose by, film by film.
    pub mae_change: Estimate,
    /// Films that are refused.
    pub refused: usize,
    /// Flags that the change brought, with the number of films, the most frequent first.
    pub new_flags: Vec<(String, usize)>,
    /// The most that the median shift should be, where there is a bar.
    pub bar: Option<f64>,
}

/// One reading, whatever is decided about it.
#[derive(Clone)]
struct Read {
    months: f64,
    refused: bool,
    flags: Vec<FlagCode>,
}

/// Reads every film as it is and with each of `changes`.
///
/// Every readable film counts, whether or not it would be refused. `None` when none can be read.
pub fn stress(predictor: &Predictor, radiographs: &[&Radiograph], changes: &[Change]) -> Option<StressTable> {
    let (mut before, mut after, mut unreadable) = (Vec::new(), vec![Vec::new(); changes.len()], Vec::new());
    let mut truths = Vec::new();
    let mut progress = Progress::new("changed films", radiographs.len() * (changes.len() + 1));
    for radiograph in radiographs {
        let plane = match radiograph.decoded() {
            Ok(decoded) => decoded.plane,
            Err(reason) => {
                unreadable.push(format!("{}: {reason}", radiograph.path.display()));
                continue;
            }
        };
        truths.push(f64::from(radiograph.months.0));
        before.push(read(predictor, radiograph, &plane));
        progress.advance(1);
        for (change, read_changed) in changes.iter().zip(&mut after) {
            read_changed.push(read(predictor, radiograph, &change.apply(&plane, &radiograph.id)));
            progress.advance(1);
        }
    }
    let errors: Vec<f64> =
        before.iter().zip(&truths).map(|(read, truth)| (read.months - truth).abs()).collect();
    let rows = changes.iter().zip(&after).filter_map(|(change, after)| row(change, &before, after, &truths));
    Some(StressTable {
        model: predictor.name().name.clone(),
        films: before.len(),
        mae: Estimate::of_mean("unchanged", &errors)?,
        refused: before.iter().filter(|read| read.refused).count(),
        rows: rows.collect(),
        unreadable,
    })
}

fn read(predictor: &Predictor, radiograph: &Radiograph, plane: &Plane) -> Read {
    let sex = SexGiven { value: Some(radiograph.sex), source: SexSource::Table };
    let film = Film { plane, flags: &[], sex, input: None, placing: None };
    let reading = predictor.read(plane, sex.value);
    let assessment = predictor.judge(&film, &reading);
    Read {
        months: assessment.months.unwrap_or(reading.months).0.into(),
        refused: assessment.decision == Decision::Refused,
        flags: assessment.flags.iter().map(|flag| flag.code).collect(),
    }
}

fn row(change: &Change, before: &[Read], after: &[Read], truths: &[f64]) -> Option<StressRow> {
    let shifts: Vec<f64> = before.iter().zip(after).map(|(old, new)| new.months - old.months).collect();
    let mut sizes: Vec<f64> = shifts.iter().map(|shift| shift.abs()).collect();
    sizes.sort_by(f64::total_cmp);
    let rises = before.iter().zip(after).zip(truths);
    let rises: Vec<f64> =
        rises.map(|((old, new), truth)| (new.months - truth).abs() - (old.months - truth).abs()).collect();
    let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
    for (old, new) in before.iter().zip(after) {
        for flag in new.flags.iter().filter(|flag| !old.flags.contains(flag)) {
            *counts.entry(flag.as_str()).or_default() += 1;
        }
    }
    let mut new_flags: Vec<(String, usize)> =
        counts.into_iter().map(|(code, count)| (code.to_owned(), count)).collect();
    new_flags.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    Some(StressRow {
        change: change.name.to_owned(),
        mean_shift: Estimate::of_mean(change.name, &shifts)?,
        mae_change: Estimate::of_mean(change.name, &rises)?,
        median_shift: percentile(&sizes, 0.5),
        p95_shift: percentile(&sizes, 0.95),
        refused: after.iter().filter(|read| read.refused).count(),
        new_flags,
        bar: ChangeKind::bar(change.kind),
    })
}

impl StressTable {
    /// As a Markdown table with a sentence above it.
    pub fn to_markdown(&self) -> String {
        let interval =
            |e: &Estimate| format!("{:+.2} ({:+.2} to {:+.2})", e.value, e.interval_95[0], e.interval_95[1]);
        let StressTable { model, films, mae, refused, .. } = self;
        let [low, high] = mae.interval_95;
        let mut text = format!(
            "{films} films read by {model}: MAE {:.2} months ({low:.2} to {high:.2}), {refused} refused.\n\n\
             | change | median shift | 95th percentile | mean shift (95 %) | change of MAE (95 %) | refused | new flags |\n\
             |---|---|---|---|---|---|---|\n",
            mae.value
        );
        for row in &self.rows {
            let bar = match row.bar {
                Some(bar) if row.median_shift > bar => format!(" **over {bar:.0}**"),
                _ => String::new(),
            };
            let flags: Vec<String> =
                row.new_flags.iter().map(|(code, count)| format!("{code} {count}")).collect();
            text.push_str(&format!(
                "| {} | {:.2}{bar} | {:.2} | {} | {} | {} | {} |\n",
                row.change,
                row.median_shift,
                row.p95_shift,
                interval(&row.mean_shift),
                interval(&row.mae_change),
                row.refused,
                flags.join(", ")
            ));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(months: f64, flags: &[FlagCode]) -> Read {
        Read { months, refused: false, flags: flags.to_vec() }
    }

    #[test]
    fn a_row_agrees_with_a_hand_computation() {
        let before = [read(100.0, &[]), read(50.0, &[FlagCode::Colour]), read(80.0, &[])];
        let after = [
            read(104.0, &[FlagCode::HandCut]),
            read(49.0, &[FlagCode::Colour]),
            Read { months: 80.0, refused: true, flags: vec![FlagCode::HandCut, FlagCode::LowContrast] },
        ];
        let change = Change::all().into_iter().find(|change| change.name == "turned +30").unwrap();
        // Errors: 10, 0, 5 before; 6, 1, 5 after.
        let row = row(&change, &before, &after, &[110.0, 50.0, 75.0]).unwrap();
        assert_eq!((row.median_shift, row.mean_shift.value, row.mae_change.value), (1.0, 1.0, -1.0));
        assert_eq!((row.refused, row.bar), (1, Some(1.0)));
        assert_eq!(row.new_flags, [("hand_cut".to_owned(), 2), ("low_contrast".to_owned(), 1)]);
        let mae = Estimate { value: 5.0, interval_95: [0.0, 10.0] };
        let rows = vec![StressRow { median_shift: 1.4, ..row }];
        let table =
            StressTable { model: "m".into(), films: 3, mae, refused: 0, rows, unreadable: Vec::new() };
        let text = table.to_markdown();
        assert!(
            text.contains("| turned +30 | 1.40 **over 1** |") && text.contains("hand_cut 2, low_contrast 1")
        );
    }
}
