use super::Args;
use super::field::{Field, OPENVINO, OURS, PYTORCH, Standings};
use super::forward::flops;
use crate::bench::contestant::Contestant;
use crate::bench::report::{Bar, Report, number};
use anyhow::Result;

/// The exact peer that is fastest, and the one that most people have.
const EVERYBODY: [&str; 3] = [OURS, OPENVINO, PYTORCH];

const SIDES: [usize; 8] = [128, 192, 256, 384, 500, 512, 768, 1024];
const BATCHES: [usize; 6] = [1, 2, 4, 8, 16, 32];
const QUICK: [usize; 2] = [1, 128];

/// Time against image size, batch and threads.
pub(super) fn measure_all(
    field: &mut Field,
    args: &Args,
    report: &mut Report,
    _: &mut Vec<Bar>,
) -> Result<()> {
    let plan = field.plan.brief();
    let table =
        |contestants: &mut [Contestant], sizes: &[(usize, usize)], label: fn(usize, usize) -> String| {
            let row = |&(batch, side): &(usize, usize)| {
                let standings =
                    Standings::measure(contestants, &EVERYBODY, &format!("forward {batch} {side}"), plan);
                cells(label(batch, side), &standings, flops(batch, side))
            };
            sizes.iter().map(row).collect::<Vec<_>>()
        };
    let header = |first| [first, "GFLOP", OURS, OPENVINO, PYTORCH, "ratio", "ratio ", "ours, GFLOP/s"];
    let (sides, batches) =
        if args.common.quick { (&QUICK[1..], &QUICK[..1]) } else { (&SIDES[..], &BATCHES[..]) };

    report.heading("Growth with the image, batch 1, ms");
    let sizes: Vec<_> = sides.iter().map(|&side| (1, side)).collect();
    report.table(&header("pixels"), &table(&mut field.contestants, &sizes, |_, side| side.to_string()));

    report.heading("Growth with the batch, 256 x 256 pixels, ms");
    let sizes: Vec<_> = batches.iter().map(|&batch| (batch, 256)).collect();
    report.table(&header("batch"), &table(&mut field.contestants, &sizes, |batch, _| batch.to_string()));

    report.heading("One thread, batch 1, ms");
    let mut alone = field.with_threads(1)?;
    let sizes: Vec<_> = if args.common.quick { vec![(1, 128)] } else { vec![(1, 256), (1, 500)] };
    report.table(&header("pixels"), &table(&mut alone, &sizes, |_, side| side.to_string()));
    Ok(())
}

fn cells(first: String, standings: &Standings, flops: f64) -> Vec<String> {
    let told = |value: Option<f64>| value.map_or("-".to_owned(), number);
    let median = |name| standings.of(name).map(|times| times.median());
    vec![
        first,
        number(flops / 1e9),
        told(median(OURS)),
        told(median(OPENVINO)),
        told(median(PYTORCH)),
        told(standings.ratio(OURS, OPENVINO)),
        told(standings.ratio(OURS, PYTORCH)),
        told(median(OURS).map(|ms| flops / ms / 1e6)),
    ]
}
