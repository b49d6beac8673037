use super::Args;
use super::field::{Field, OURS, PYTORCH, TENSORFLOW};
use crate::bench::report::{Bar, Report, number};
use anyhow::Result;

const EVERYBODY: [&str; 3] = [OURS, PYTORCH, TENSORFLOW];

/// Work, how it is told, its bar.
const STEPS: [(&str, &str, f64); 2] = [
    ("train block5 4 256", "block 5 trainable, batch 4, 256 px", 2.3),
    ("train all 4 256", "everything trainable, batch 4, 256 px", 2.3),
];

/// Training steps of VGG16.
pub(super) fn measure_all(
    field: &mut Field,
    _: &Args,
    report: &mut Report,
    bars: &mut Vec<Bar>,
) -> Result<()> {
    report.heading("Training step of VGG16");
    report.paragraph(
        "Forward, both gradients, Adam; the mean of the feature map, one linear layer and the mean squared error \
         on top. The losses of the first four steps were compared and agree.",
    );
    for (work, _, _) in STEPS {
        // The same steps on small images: everybody must descend in the same way.
        if let Err(error) = field.agree(&EVERYBODY, &work.replace("4 256", "2 64"), 1e-3) {
            report.paragraph(&format!("Not measured: {error:#}."));
            return Ok(());
        }
    }
    steps(field, &STEPS, report, bars);
    Ok(())
}

/// The training step of the attention head.
pub(super) fn measure_head(
    field: &mut Field,
    _: &Args,
    report: &mut Report,
    bars: &mut Vec<Bar>,
) -> Result<()> {
    report.heading("Training step of the attention head");
    report.paragraph(
        "Cached features 15 x 15 x 512 in f32, batch 16: batch normalisation, 1x1 convolutions, the masked \
         average, dropout, dense layers, mean squared error, backward, Adam.",
    );
    steps(field, &[("head 16", "attention head, batch 16", 1.2)], report, bars);
    Ok(())
}

fn steps(field: &mut Field, steps: &[(&str, &str, f64)], report: &mut Report, bars: &mut Vec<Bar>) {
    for &(work, told, required) in steps {
        let standings = field.measure(&EVERYBODY, work, field.plan);
        let rounds = standings.of(OURS).map_or(0, |times| times.count());
        report.paragraph(&format!("{told}, {rounds} rounds:"));
        let rows: Vec<Vec<String>> = standings
            .all()
            .map(|(name, times)| {
                let (low, high) = times.quartiles();
                let ratio = standings.ratio(OURS, name).map_or("-".to_owned(), number);
                let quartiles = format!("{} to {}", number(low), number(high));
                vec![name.to_owned(), number(times.median()), quartiles, ratio]
            })
            .collect();
        report.table(&["engine", "ms", "quartiles", "ours is so many times as fast"], &rows);
        for peer in [TENSORFLOW, PYTORCH] {
            if let Some(ratio) = standings.ratio(OURS, peer) {
                bars.push(Bar::faster(format!("training, {told}, against {peer}"), ratio, required));
            }
        }
    }
}
