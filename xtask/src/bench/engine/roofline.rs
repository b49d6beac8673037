use super::Args;
use super::field::Field;
use crate::bench::report::{Bar, Report, number};
use anyhow::{Context, Result};
use serde_json::Value;

/// The limits of the machine, and how near each layer comes.
pub(super) fn measure_all(field: &mut Field, _: &Args, report: &mut Report, _: &mut Vec<Bar>) -> Result<()> {
    let limits = field.ours()?.ask("roofline")?;
    let limits: Vec<(&str, f64)> = limits
        .split_whitespace()
        .filter_map(|word| word.split_once('='))
        .filter_map(|(key, value)| Some((key, value.parse().ok()?)))
        .collect();
    report.heading("The roofline");
    report.paragraph("Measured in this run: independent multiply-adds, and 192 MiB read and copied.");
    let unit = |key: &str| if ["read", "copy"].contains(&key) { "GB/s" } else { "GFLOP/s" };
    let rows = limits
        .iter()
        .map(|(key, value)| vec![key.replace('_', ", "), format!("{} {}", number(*value), unit(key))]);
    report.table(&["limit", "value"], &rows.collect::<Vec<_>>());

    let peak = limits.iter().find(|(key, _)| key.ends_with("_all")).context("a peak")?.1;
    for (batch, side) in [(1, 256), (8, 256), (1, 500)] {
        let layers: Value = serde_json::from_str(&field.ours()?.ask(&format!("layers {batch} {side}"))?)?;
        report.heading(&format!("Layer by layer, batch {batch}, {side} x {side} pixels"));
        report.paragraph(
            "The last column is the share of the peak that Winograd's own arithmetic reaches: 36 products for each 16 \
             outputs instead of 144, and the transforms, each operation a slot of the multiply-add units. The time \
             includes bias, ReLU and the maximum.",
        );
        let mut rows = Vec::new();
        let (mut all_ms, mut all_direct, mut all_own) = (0.0, 0.0, 0.0);
        for layer in layers.as_array().context("a list of layers")? {
            let value = |i: usize| layer[i].as_f64().context("a number");
            let (ms, direct, own) = (value(1)?, value(2)?, value(3)?);
            (all_ms, all_direct, all_own) = (all_ms + ms, all_direct + direct, all_own + own);
            rows.push(row(layer[0].as_str().unwrap_or_default(), ms, direct, own, peak));
        }
        rows.push(row("all", all_ms, all_direct, all_own, peak));
        report.table(&["layer", "ms", "GFLOP, direct", "GFLOP/s, direct", "own share of the peak"], &rows);
    }
    Ok(())
}

fn row(name: &str, ms: f64, direct: f64, own: f64, peak: f64) -> Vec<String> {
    vec![
        name.to_owned(),
        number(ms),
        number(direct / 1e9),
        number(direct / ms / 1e6),
        format!("{:.0} %", own / ms / 1e6 / peak * 100.0),
    ]
}
