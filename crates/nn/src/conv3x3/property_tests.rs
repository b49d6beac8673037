//! Any shape, any finish, every instruction set: the passes are those of the definition.
//!
//! Buffers lie against forbidden pages here (`buffer::guarded`), and the plain arrays of the first layer are
//! laid into buffers to the same end.

use super::gradient_tests::{TOLERANCE, definition, numbers};
use super::tests::{assert_close, noise, reference};
use super::*;
use crate::blocked::Blocked;
use crate::buffer::Buffer;
use crate::simd::Isa;
use crate::testing::widen;
use proptest::prelude::*;

/// `values` against the end of a buffer, or against its start where the forbidden page is there.
struct AtTheEdge {
    buffer: Buffer,
    floats: usize,
}

impl AtTheEdge {
    fn new(values: &[f32]) -> Self {
        let mut edge = Self { buffer: Buffer::zeroed(values.len()), floats: values.len() };
        let start = edge.start();
        edge.buffer.as_mut_slice()[start..start + values.len()].copy_from_slice(values);
        edge
    }

    fn start(&self) -> usize {
        match std::env::var("NN_GUARD").is_ok_and(|side| side == "before") {
            true => 0,
            false => self.buffer.as_slice().len() - self.floats,
        }
    }

    fn as_slice(&self) -> &[f32] {
        &self.buffer.as_slice()[self.start()..][..self.floats]
    }
}

/// Whether no choice of a finish hangs on rounding: a gradient that takes the other way round a tie is right too.
///
/// `plain` `[.., height, width]` is what the convolution gives before its finish.
fn choices_are_clear(plain: &[f64], width: usize, finish: Finish) -> bool {
    const CLEAR: f64 = 1e-5;
    let signs = !finish.relu || plain.iter().all(|v| v.abs() > CLEAR);
    // All neighbours of a row and of a column, more than the windows of the pooling.
    let apart = |step: usize| plain.iter().zip(plain.iter().skip(step)).all(|(a, b)| (a - b).abs() > CLEAR);
    signs && (!finish.pool || [1, width, width + 1, width.saturating_sub(1).max(1)].into_iter().all(apart))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn all_passes_are_those_of_the_definition(
        batch in 1usize..4,
        c_in in 1usize..40,
        c_out in 1usize..70,
        h in 1usize..22,
        w in 1usize..22,
        relu: bool,
        pool: bool,
    ) {
        let (shape, finish) = ([batch, c_in, c_out, h, w], Finish { relu, pool });
        let [x, weights, bias, dy] = numbers(shape, finish);
        let (wide_x, wide_w, wide_b) = (widen(&x), widen(&weights), widen(&bias));
        let plain = reference(&wide_x, &wide_w, &wide_b, shape, Finish::default());
        prop_assume!(choices_are_clear(&plain, w, finish));
        let y = reference(&wide_x, &wide_w, &wide_b, shape, finish);
        let want = definition(&wide_x, &wide_w, &wide_b, shape, finish, &dy);
        let (height, width) = finish.size(h, w);
        let blocked = Blocked::from_nchw(&x, batch, c_in, h, w);
        let dy = Blocked::from_nchw(&dy, batch, c_out, height, width);
        for isa in Isa::available() {
            let mut layer =
                Weights3x3::new(&weights, &bias, [c_in, c_out]).unwrap().on(isa).trainable("c");
            let (out, passed) = layer.forward_train(&blocked, finish).unwrap();
            assert_close(&out.to_nchw(), &y, 3e-6, isa.as_str());
            let dx = layer.backward(&blocked, &passed, &dy, true).unwrap().unwrap();
            assert_close(&dx.to_nchw(), &want.input, TOLERANCE, isa.as_str());
            assert_close(&layer.params()[0].grad, &want.weights, TOLERANCE, isa.as_str());
            assert_close(&layer.params()[1].grad, &want.bias, TOLERANCE, isa.as_str());
        }
    }

    #[test]
    fn the_first_layer_stays_within_its_arrays(
        batch in 1usize..3,
        c_in in 1usize..5,
        c_out in 1usize..40,
        h in 1usize..22,
        w in 1usize..22,
    ) {
        let x = AtTheEdge::new(&noise(batch * c_in * h * w, 1));
        let (weights, bias) = (noise(c_out * c_in * 9, 2), noise(c_out, 3));
        let finish = Finish { relu: true, pool: false };
        let shape = [batch, c_in, c_out, h, w];
        let (wide_x, wide_w, wide_b) = (widen(x.as_slice()), widen(&weights), widen(&bias));
        let y = reference(&wide_x, &wide_w, &wide_b, shape, finish);
        let dy = noise(y.len(), 4);
        let want = definition(&wide_x, &wide_w, &wide_b, shape, finish, &dy);
        let dy = Blocked::from_nchw(&dy, batch, c_out, h, w);
        for isa in Isa::available() {
            let mut layer =
                Weights3x3::new(&weights, &bias, [c_in, c_out]).unwrap().on(isa).trainable_direct("c");
            let (out, passed) = layer.forward_train(x.as_slice(), [batch, h, w], true).unwrap();
            assert_close(&out.to_nchw(), &y, 3e-6, isa.as_str());
            layer.backward(x.as_slice(), &passed, &dy).unwrap();
            assert_close(&layer.params()[0].grad, &want.weights, TOLERANCE, isa.as_str());
            let exact = Weights3x3::new(&weights, &bias, [c_in, c_out]).unwrap().on(isa).exact();
            let blocked = Blocked::from_nchw(x.as_slice(), batch, c_in, h, w);
            assert_close(&exact.forward(&blocked, finish).unwrap().to_nchw(), &y, 3e-6, isa.as_str());
        }
    }
}
