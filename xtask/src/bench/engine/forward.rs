use super::Args;
use super::field::{
    Field, ONNX, OPENVINO, OPENVINO_BF16, OURS, OURS_AVX2, PYTORCH, PYTORCH_NCHW, Standings, TENSORFLOW,
};
use crate::bench::report::{Bar, Report, number};
use anyhow::Result;

/// Everybody who computes in f32.
const EXACT: [&str; 7] = [OURS, OURS_AVX2, OPENVINO, PYTORCH, PYTORCH_NCHW, TENSORFLOW, ONNX];

/// Batch and side of the images.
const SIZES: [(usize, usize); 3] = [(1, 256), (1, 500), (8, 256)];

/// How many times as fast as a peer we must be.
const BARS: [(&str, &str, f64); 3] = [(OURS, OPENVINO, 2.4), (OURS, PYTORCH, 2.8), (OURS_AVX2, PYTORCH, 1.8)];

/// FLOPs of the stack over one image, as a direct convolution.
pub(super) fn flops(batch: usize, side: usize) -> f64 {
    let blocks: [&[usize]; 5] =
        [&[64, 64], &[128, 128], &[256, 256, 256], &[512, 512, 512], &[512, 512, 512]];
    let (mut channels, mut side, mut sum) = (3, side, 0);
    for block in blocks {
        for &out in block {
            sum += 2 * 9 * side * side * channels * out;
            channels = out;
        }
        side /= 2;
    }
    (batch * sum) as f64
}

/// VGG16 forward.
pub(super) fn measure_all(
    field: &mut Field,
    _: &Args,
    report: &mut Report,
    bars: &mut Vec<Bar>,
) -> Result<()> {
    field.agree(&EXACT, "forward 2 256", 1e-4)?;
    field.agree(&EXACT, "forward 1 250", 1e-4)?;
    field.agree(&[OPENVINO_BF16], "forward 1 256", 0.05)?;
    let everybody: Vec<&'static str> = EXACT.into_iter().chain([OPENVINO_BF16]).collect();
    report.heading("VGG16 forward");
    for (batch, side) in SIZES {
        let standings = field.measure(&everybody, &format!("forward {batch} {side}"), field.plan);
        let rounds = standings.of(OURS).map_or(0, |times| times.count());
        report.paragraph(&format!("Batch {batch}, {side} x {side} pixels, {rounds} rounds:"));
        report.table(
            &["engine", "ms", "quartiles", "GFLOP/s", "ours is so many times as fast"],
            &rows(&standings, flops(batch, side)),
        );
        for (ours, peer, required) in BARS {
            // Half the register width was only promised for the smallest work.
            if ours == OURS_AVX2 && (batch, side) != SIZES[0] {
                continue;
            }
            if let Some(ratio) = standings.ratio(ours, peer) {
                let what = format!("forward, batch {batch}, {side} px: {ours} against {peer}");
                bars.push(Bar::faster(what, ratio, required));
            }
        }
    }
    Ok(())
}

/// A row for everybody.
pub(super) fn rows(standings: &Standings, flops: f64) -> Vec<Vec<String>> {
    let row = |(name, times): (&'static str, &crate::bench::rounds::Times)| {
        let (low, high) = times.quartiles();
        vec![
            name.to_owned(),
            number(times.median()),
            format!("{} to {}", number(low), number(high)),
            number(flops / times.median() / 1e6),
            standings.ratio(OURS, name).map_or("-".to_owned(), number),
        ]
    };
    standings.all().map(row).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_stack_has_the_flops_that_are_published() {
        assert_eq!((super::flops(1, 256) / 1e8).round(), 401.0);
    }
}
