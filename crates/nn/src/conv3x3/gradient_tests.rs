//! Gradients against their definition in f64, and the definition against finite differences.

use super::tests::{assert_close, noise, reference};
use super::*;
use crate::blocked::Blocked;
use crate::simd::Isa;
use crate::testing::{assert_gradient, weighted_sum, widen, with_threads};

/// `[batch, in, out, height, width]`.
pub(super) type Shape = [usize; 5];

/// The gradients in input, weights and bias, in f64, for the gradient `dy` in the output.
pub(super) struct Gradients {
    pub(super) input: Vec<f64>,
    pub(super) weights: Vec<f64>,
    pub(super) bias: Vec<f64>,
}

/// The definition: the gradient goes back through the pool to the first of the largest, through ReLU where
/// the sum is positive, and through the convolution tap by tap.
pub(super) fn definition(
    x: &[f64],
    weights: &[f64],
    bias: &[f64],
    shape: Shape,
    finish: Finish,
    dy: &[f32],
) -> Gradients {
    let [batch, c_in, c_out, h, w] = shape;
    let sums = reference(x, weights, bias, shape, Finish::default());
    let mut g = vec![0.0; sums.len()];
    let (height, width) = finish.size(h, w);
    for (at, &dy) in dy.iter().enumerate() {
        let (plane, pixel) = (at / (height * width) * h * w, at % (height * width));
        let mut best = plane + pixel;
        if finish.pool {
            let corner = plane + pixel / width * 2 * w + pixel % width * 2;
            best = corner;
            for other in [corner + 1, corner + w, corner + w + 1] {
                if sums[other] > sums[best] {
                    best = other;
                }
            }
        }
        if !finish.relu || sums[best] > 0.0 {
            g[best] = f64::from(dy);
        }
    }
    let mut out =
        Gradients { input: vec![0.0; x.len()], weights: vec![0.0; weights.len()], bias: vec![0.0; c_out] };
    for (n, k) in (0..batch).flat_map(|n| (0..c_out).map(move |k| (n, k))) {
        let g = &g[(n * c_out + k) * h * w..][..h * w];
        out.bias[k] += g.iter().sum::<f64>();
        for (c, tap) in (0..c_in).flat_map(|c| (0..9).map(move |tap| (c, tap))) {
            for (pixel, &g) in g.iter().enumerate() {
                let (yy, xx) = (pixel / w + tap / 3, pixel % w + tap % 3);
                if (1..=h).contains(&yy) && (1..=w).contains(&xx) {
                    let from = ((n * c_in + c) * h + yy - 1) * w + xx - 1;
                    out.weights[(k * c_in + c) * 9 + tap] += g * x[from];
                    out.input[from] += g * weights[(k * c_in + c) * 9 + tap];
                }
            }
        }
    }
    out
}

/// A weight gradient sums over many tiles and ends in differences of large numbers.
pub(super) const TOLERANCE: f64 = 1e-5;

const FINISHES: [Finish; 4] = [
    Finish { relu: false, pool: false },
    Finish { relu: true, pool: false },
    Finish { relu: false, pool: true },
    Finish { relu: true, pool: true },
];

/// Input, weights, bias and output gradient for a shape.
pub(super) fn numbers([batch, c_in, c_out, h, w]: Shape, finish: Finish) -> [Vec<f32>; 4] {
    let (height, width) = finish.size(h, w);
    [
        noise(batch * c_in * h * w, 1),
        noise(c_out * c_in * 9, 2),
        noise(c_out, 3),
        noise(batch * c_out * height * width, 4),
    ]
}

#[test]
fn the_definition_agrees_with_finite_differences() {
    for (shape, finish) in
        [([2, 2, 3, 5, 4], FINISHES[1]), ([1, 3, 2, 5, 7], FINISHES[3]), ([1, 1, 1, 1, 1], FINISHES[0])]
    {
        let [x, weights, bias, dy] = numbers(shape, finish);
        let narrow = |values: &[f64]| values.iter().map(|&v| v as f32).collect::<Vec<_>>();
        let (wx, ww, wb) = (widen(&x), widen(&weights), widen(&bias));
        let got = definition(&wx, &ww, &wb, shape, finish, &dy);
        let loss = |x: &[f64], w: &[f64], b: &[f64]| weighted_sum(&reference(x, w, b, shape, finish), &dy);
        assert_gradient("input", &narrow(&got.input), &x, |x| loss(x, &ww, &wb));
        assert_gradient("weights", &narrow(&got.weights), &weights, |w| loss(&wx, w, &wb));
        assert_gradient("bias", &narrow(&got.bias), &bias, |b| loss(&wx, &ww, b));
    }
}

#[test]
fn every_gradient_of_every_instruction_set_agrees_with_the_definition() {
    let shapes = [
        [1, 1, 1, 1, 1],
        [2, 3, 17, 5, 7],
        [3, 17, 33, 13, 9],
        [1, 33, 64, 5, 7],
        [1, 64, 3, 13, 9],
        [2, 20, 40, 36, 50], // more tiles than are summed together
    ];
    for shape in shapes {
        let [batch, c_in, c_out, h, w] = shape;
        for finish in FINISHES {
            let [x, weights, bias, dy] = numbers(shape, finish);
            let want = definition(&widen(&x), &widen(&weights), &widen(&bias), shape, finish, &dy);
            let (height, width) = finish.size(h, w);
            let (blocked, dy) = (
                Blocked::from_nchw(&x, batch, c_in, h, w),
                Blocked::from_nchw(&dy, batch, c_out, height, width),
            );
            for isa in Isa::available() {
                let what = format!("{} {shape:?} {finish:?}", isa.as_str());
                let mut layer =
                    Weights3x3::new(&weights, &bias, [c_in, c_out]).unwrap().on(isa).trainable("c");
                let (y, passed) = layer.forward_train(&blocked, finish).unwrap();
                assert_eq!(y.to_nchw(), layer.forward(&blocked, finish).unwrap().to_nchw(), "{what}");
                let dx = layer.backward(&blocked, &passed, &dy, true).unwrap().unwrap();
                assert_close(&dx.to_nchw(), &want.input, TOLERANCE, &format!("dx {what}"));
                assert_close(&layer.params()[0].grad, &want.weights, TOLERANCE, &format!("dw {what}"));
                assert_close(&layer.params()[1].grad, &want.bias, TOLERANCE, &format!("db {what}"));
                if !finish.pool {
                    let mut direct = Weights3x3::new(&weights, &bias, [c_in, c_out])
                        .unwrap()
                        .on(isa)
                        .trainable_direct("c");
                    let (_, passed) = direct.forward_train(&x, [batch, h, w], finish.relu).unwrap();
                    direct.backward(&x, &passed, &dy).unwrap();
                    assert_close(
                        &direct.params()[0].grad,
                        &want.weights,
                        TOLERANCE,
                        &format!("direct dw {what}"),
                    );
                    assert_close(
                        &direct.params()[1].grad,
                        &want.bias,
                        TOLERANCE,
                        &format!("direct db {what}"),
                    );
                }
            }
        }
    }
}

#[test]
fn of_equal_pixels_the_first_has_the_gradient() {
    // Zero weights: all sums are the bias.
    for (bias, want) in [(1.0, [2.0, 0.0, 0.0, 0.0]), (0.0, [0.0; 4])] {
        let layer = Weights3x3::new(vec![0.0; 9], vec![bias], [1, 1]).unwrap().trainable("c");
        let x = Blocked::from_nchw(&[1.0, 2.0, 3.0, 4.0], 1, 1, 2, 2);
        let (_, passed) = layer.forward_train(&x, Finish { relu: true, pool: true }).unwrap();
        let dy = Blocked::from_nchw(&[2.0], 1, 1, 1, 1);
        let mut sum = [0.0];
        let before = passed.backward(&dy, Isa::detect(), &mut sum).unwrap().unwrap();
        assert_eq!(before.to_nchw(), want);
        assert_eq!(sum[0], want[0]);
    }
}

#[test]
fn the_same_bits_for_any_number_of_threads_and_again() {
    // Many tiles, and a number that one thread takes in groups and three take stage by stage.
    for shape in [[3, 33, 40, 70, 50], [1, 33, 40, 40, 52]] {
        assert_same_bits(shape, FINISHES[3]);
    }
}

fn assert_same_bits(shape: Shape, finish: Finish) {
    let [batch, c_in, c_out, h, w] = shape;
    let [x, weights, bias, dy] = numbers(shape, finish);
    let (blocked, dy) =
        (Blocked::from_nchw(&x, batch, c_in, h, w), Blocked::from_nchw(&dy, batch, c_out, h / 2, w / 2));
    for isa in Isa::available() {
        let step = |threads| {
            with_threads(threads, || {
                let mut layer =
                    Weights3x3::new(&weights, &bias, [c_in, c_out]).unwrap().on(isa).trainable("c");
                let (y, passed) = layer.forward_train(&blocked, finish).unwrap();
                let dx = layer.backward(&blocked, &passed, &dy, true).unwrap().unwrap();
                let [weight, bias] = layer.params();
                let mut direct = Weights3x3::new(&weights[..16 * 3 * 9], vec![0.1; 16], [3, 16])
                    .unwrap()
                    .on(isa)
                    .trainable_direct("c");
                let image = &x[..3 * h * w];
                let (first, passed) = direct.forward_train(image, [1, h, w], true).unwrap();
                direct.backward(image, &passed, &first).unwrap();
                let direct = direct.params().map(|param| param.grad.clone());
                (y.to_nchw(), dx.to_nchw(), weight.grad.clone(), bias.grad.clone(), first.to_nchw(), direct)
            })
        };
        let one = step(1);
        assert!(one == step(1) && one == step(2) && one == step(3), "{}", isa.as_str());
    }
}

#[test]
fn changed_weights_are_used() {
    let x = Blocked::from_nchw(&noise(16, 1), 1, 1, 4, 4);
    let mut layer = Weights3x3::new(noise(9, 2), vec![0.5], [1, 1]).unwrap().trainable("c");
    let before = layer.forward(&x, Finish::default()).unwrap().to_nchw();
    layer.params_mut()[0].value.fill(0.0);
    assert_ne!(before, [0.5; 16]);
    assert_eq!(layer.forward(&x, Finish::default()).unwrap().to_nchw(), [0.5; 16]);
}

#[test]
fn gradients_of_another_shape_are_refused() {
    let x = Blocked::from_nchw(&noise(16, 1), 1, 1, 4, 4);
    let mut layer = Weights3x3::new(noise(9, 2), vec![0.5], [1, 1]).unwrap().trainable("c");
    let (y, passed) = layer.forward_train(&x, Finish { relu: true, pool: true }).unwrap();
    let error = layer.backward(&x, &passed, &x, true).err().unwrap().to_string();
    assert!(error.contains("rows") && error.contains('4') && error.contains('2'), "{error}");
    assert!(layer.backward(&y, &passed, &y, true).is_err());
}
