use super::axes::Axis;
use super::theme::{GRID, LABEL, MARGIN, OTHERS, PAPER, SERIES, WIDTH, refuse_empty, sheet, thousands};
use crate::{Estimate, LabError};
use boneage_draw::{Anchor, Colour, Drawing, Frame, Style, Words};
use serde::Deserialize;
use std::path::Path;

/// Room for the models' names, left of the plots.
const NAMES: f64 = 230.0;
const GAP: f64 = 40.0;
const OURS: Colour = SERIES[0];
const ROW: f64 = 56.0;

/// One cell of the paper's table I.
#[derive(Clone, Debug, PartialEq)]
pub struct ComparedCell {
    /// The row: `attention mapping`.
    pub model: String,
    /// The column: `male`, `female`, `both`.
    pub cohort: String,
    /// What the paper reports, in months; it leaves cells blank.
    pub paper: Option<f64>,
    /// Our MAE in months with its 95 % interval, where it was measured.
    pub ours: Option<Estimate>,
    /// MAE of predicting the training median for everybody, in months.
    pub constant: f64,
    /// Radiographs that ours was measured on.
    pub images: usize,
}

impl ComparedCell {
    /// The cells of a `table1.csv`: columns `model`, `cohort`, `mae`, `lo`, `hi`, `n`, `paper` and `constant`,
    /// empty where there is no number.
    ///
    /// # Errors
    /// When the file cannot be read, or a line of it; the message names it.
    pub fn read(path: &Path) -> Result<Vec<ComparedCell>, LabError> {
        let named = |error: csv::Error| LabError::Data(format!("table {}: {error}", path.display()));
        let mut reader = csv::Reader::from_path(path).map_err(named)?;
        reader.deserialize().map(|row| Ok(Row::cell(row.map_err(named)?))).collect()
    }
}

/// A line of the table.
#[derive(Deserialize)]
struct Row {
    model: String,
    cohort: String,
    mae: Option<f64>,
    lo: Option<f64>,
    hi: Option<f64>,
    n: usize,
    paper: Option<f64>,
    constant: f64,
}

impl Row {
    fn cell(self) -> ComparedCell {
        let Row { model, cohort, mae, lo, hi, n, paper, constant } = self;
        let ours =
            mae.map(|value| Estimate { value, interval_95: [lo.unwrap_or(value), hi.unwrap_or(value)] });
        ComparedCell { model, cohort, paper, ours, constant, images: n }
    }
}

/// Table I as dots: for each model and cohort the paper's error, ours with its interval, and a constant's.
///
/// # Errors
/// When there is no cell.
pub fn comparison(title: &str, cells: &[ComparedCell]) -> Result<Drawing, LabError> {
    refuse_empty(cells.is_empty(), "comparison", "cells of the table")?;
    let models = in_order(cells.iter().map(|cell| cell.model.as_str()));
    let cohorts = in_order(cells.iter().map(|cell| cell.cohort.as_str()));
    let height = ROW * models.len() as f64;
    let body = 34.0 + 46.0 + height + 48.0;
    let subtitle =
        "mean absolute error on radiographs held out; less is better; whiskers: 95 % bootstrap interval";
    let (mut drawing, top) = sheet(PAPER, WIDTH, body, title, subtitle);
    legend(&mut drawing, top);
    let first = top + 34.0 + 46.0;
    let high = cells.iter().flat_map(|cell| {
        [Some(cell.constant), cell.paper, cell.ours.map(|ours| ours.interval_95[1])].into_iter().flatten()
    });
    let axis = Axis::holding(high, true);
    for (row, model) in models.iter().enumerate() {
        let middle = first + ROW * (row as f64 + 0.5);
        let words = Words::bold(LABEL, PAPER.ink);
        let lines = words.wrapped(model, NAMES - 20.0);
        for (i, line) in lines.iter().enumerate() {
            let y = middle + 5.0 + 18.0 * (i as f64 - (lines.len() - 1) as f64 / 2.0);
            drawing.words((MARGIN, y), words, line);
        }
        if row > 0 {
            let y = first + ROW * row as f64;
            drawing.path(&[(MARGIN, y), (WIDTH - MARGIN, y)], Style::line(GRID, 1.0));
        }
    }
    let space = WIDTH - 2.0 * MARGIN - NAMES;
    let width = (space - GAP * (cohorts.len() - 1) as f64) / cohorts.len() as f64;
    for (column, cohort) in cohorts.iter().enumerate() {
        let frame = Frame::new(MARGIN + NAMES + column as f64 * (width + GAP), first, width, height);
        let of_cohort: Vec<&ComparedCell> = cells.iter().filter(|cell| cell.cohort == *cohort).collect();
        head(&mut drawing, frame, cohort, &of_cohort, &axis);
        for cell in of_cohort {
            let row = models.iter().position(|model| *model == cell.model).unwrap_or(0);
            draw(&mut drawing, frame, &axis, cell, first + ROW * (row as f64 + 0.5));
        }
    }
    Ok(drawing)
}

/// Each name once, in the order of its first appearance.
fn in_order<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = Vec::new();
    for name in names {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    seen
}

fn legend(drawing: &mut Drawing, top: f64) {
    let y = top + 9.0;
    let mut x = MARGIN;
    for name in ["ours", "paper", "one constant age for everybody"] {
        match name {
            "ours" => {
                drawing.path(&[(x, y), (x + 26.0, y)], Style::line(OURS, 2.2));
                drawing.dots(&[(x + 13.0, y)], 4.5, Style::fill(OURS));
            }
            "paper" => diamond(drawing, (x + 13.0, y)),
            _ => drawing
                .path(&[(x + 13.0, y - 9.0), (x + 13.0, y + 9.0)], Style::line(OTHERS, 2.0).dashed(4.0, 3.0)),
        }
        drawing.words((x + 34.0, y + 5.0), PAPER.label(), name);
        x += 34.0 + PAPER.label().width(name) + 28.0;
    }
}

fn head(drawing: &mut Drawing, frame: Frame, cohort: &str, cells: &[&ComparedCell], axis: &Axis) {
    drawing.words((frame.x, frame.y - 26.0), PAPER.name(), cohort);
    let images = cells.iter().filter(|cell| cell.ours.is_some()).map(|cell| cell.images);
    let (least, most) = images.fold((usize::MAX, 0), |(a, b), n| (a.min(n), b.max(n)));
    if most > 0 {
        let n = if least == most {
            thousands(most)
        } else {
            format!("{} to {}", thousands(least), thousands(most))
        };
        let place = (frame.x + PAPER.name().width(cohort) + 12.0, frame.y - 26.0);
        drawing.words(place, PAPER.label(), &format!("n = {n}"));
    }
    for (tick, label) in axis.marks() {
        let x = frame.x + axis.share(tick) * frame.width;
        drawing.path(&[(x, frame.y), (x, frame.bottom())], Style::line(GRID, 1.0));
        drawing.words((x, frame.bottom() + 20.0), PAPER.label().anchored(Anchor::Middle), &label);
    }
    let under = (frame.x + frame.width / 2.0, frame.bottom() + 41.0);
    drawing.words(under, PAPER.label().anchored(Anchor::Middle), "MAE, months");
}

fn draw(drawing: &mut Drawing, frame: Frame, axis: &Axis, cell: &ComparedCell, y: f64) {
    let at = |months: f64| frame.x + axis.share(months) * frame.width;
    let constant = at(cell.constant);
    let style = Style::line(OTHERS, 2.0).dashed(4.0, 3.0);
    drawing.path(&[(constant, y - ROW / 2.0 + 6.0), (constant, y + ROW / 2.0 - 6.0)], style);
    if let Some(paper) = cell.paper {
        diamond(drawing, (at(paper), y));
    }
    if let Some(ours) = cell.ours {
        let [low, high] = ours.interval_95.map(at);
        drawing.path(&[(low, y), (high, y)], Style::line(OURS, 2.2));
        drawing.dots(&[(at(ours.value), y)], 4.5, Style::fill(OURS));
        let words = Words::bold(LABEL - 1.0, OURS).anchored(Anchor::Middle);
        let text = format!("{:.1}", ours.value);
        // What lies below would cross the number.
        let half = words.width(&text) / 2.0 + 2.0;
        let under = Frame::new(at(ours.value) - half, y - 24.0, 2.0 * half, 14.0);
        drawing.rectangle(under, 0.0, Style::fill(PAPER.ground));
        drawing.words((at(ours.value), y - 12.0), words, &text);
    }
}

/// The paper's mark: hollow, so that ours is seen through it.
fn diamond(drawing: &mut Drawing, (x, y): (f64, f64)) {
    let corners = [(x, y - 7.5), (x + 7.5, y), (x, y + 7.5), (x - 7.5, y)];
    drawing.path(&corners, Style::fill([255; 3]).outlined(PAPER.ink, 1.8));
}
