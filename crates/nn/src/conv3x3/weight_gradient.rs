use super::kernels::{GradientTiles, InputTiles, PanelKernels, WeightProduct, WeightTransformGradient};
use super::tiles::{TileGrid, TileSlots};
use super::transform::POINTS;
use super::transformed_weights::point_stride;
use crate::blocked::Blocked;
use crate::buffer::{LINE, Scratch, Shared};
use crate::simd::Isa;
use rayon::prelude::*;

/// Tiles that are transformed before their products are added up.
const TOGETHER: usize = 256;

/// Sets `gradient` `[out, in, 3, 3]` for the input `x` and `dy`, the gradient before bias, ReLU and pool:
/// `dg = G^T (sum over tiles of (B^T x B)^T . (A dy A^T)) G`, where the sum is a matrix product a point.
///
/// Tiles are summed in groups of [`TOGETHER`] in their order, so that the bits do not depend on the number
/// of threads, which share out points and panels.
pub(super) fn weight_gradient(x: &Blocked, dy: &Blocked, isa: Isa, gradient: &mut [f32]) {
    isa.assert_available();
    let (in_channels, out_channels) = (x.channels(), dy.channels());
    assert_eq!(gradient.len(), out_channels * in_channels * 9);
    assert_eq!([x.batch(), x.height(), x.width()], [dy.batch(), dy.height(), dy.width()]);
    let grid = TileGrid::new(x.height(), x.width());
    let tiles = grid.per_image() * x.batch();
    if tiles == 0 {
        gradient.fill(0.0);
        return;
    }
    let panel = isa.panel();
    let panels = out_channels.div_ceil(panel);
    let together = TOGETHER.min(tiles);
    let v_slots = TileSlots { blocks: x.blocks(), tiles: together };
    // Whole panels: with 32 lanes there may be one block more than `dy` has.
    let d_slots = TileSlots { blocks: panels * panel / LINE, tiles: together };
    let (mut v, mut d) = (Scratch::take(v_slots.floats()), Scratch::take(d_slots.floats()));
    if d_slots.blocks > dy.blocks() {
        d.as_mut_slice().fill(0.0);
    }
    let point_stride = point_stride(panels, x.blocks(), panel);
    let mut du = Scratch::take(POINTS * point_stride);
    let [v, d, du] = [&mut v, &mut d, &mut du].map(|scratch| Shared::new(scratch.as_mut_slice()));

    for first in (0..tiles).step_by(together) {
        let count = together.min(tiles - first);
        (0..x.blocks() + dy.blocks()).into_par_iter().for_each(|q| {
            // SAFETY: the set is available; scratch was taken for the slots; tasks differ in their blocks.
            unsafe {
                match q.checked_sub(x.blocks()) {
                    None => {
                        let (x, v) = (x.as_slice(), v.pointer());
                        let blocks = q..q + 1;
                        isa.run(&mut InputTiles { x, grid, blocks, first, count, v, slots: v_slots });
                    }
                    Some(block) => {
                        let planes = dy.blocks();
                        let x = dy.as_slice();
                        let v = d.pointer();
                        let blocks = block..block + 1;
                        let tiles = InputTiles { x, grid, blocks, first, count, v, slots: d_slots };
                        isa.run(&mut GradientTiles { tiles, planes });
                    }
                }
            }
        });
        (0..POINTS * panels).into_par_iter().with_min_len(2).for_each(|q| {
            let (point, k) = (q / panels, q % panels);
            // SAFETY: the set is available; each product has its own part of `du`.
            unsafe {
                isa.run(&mut WeightProduct {
                    v: v.pointer().add(point * v_slots.point_stride()),
                    v_stride: together,
                    d: d.pointer().add(point * d_slots.point_stride() + d_slots.at(k * panel / LINE, 0)),
                    d_stride: together,
                    du: du.pointer().add(point * point_stride + k * x.blocks() * LINE * panel),
                    blocks: x.blocks(),
                    count,
                    add: first > 0,
                });
            }
        });
    }

    let gradient = Shared::new(gradient);
    (0..panels).into_par_iter().for_each(|k| {
        let kernels = PanelKernels {
            lane_stride: in_channels * 9,
            lanes: panel.min(out_channels - k * panel),
            channel_stride: 9,
            channels: in_channels,
            turned: false,
        };
        // SAFETY: the set is available; each panel has its own output channels' kernels.
        unsafe {
            isa.run(&mut WeightTransformGradient {
                du: du.pointer().add(k * x.blocks() * LINE * panel),
                point_stride,
                kernels,
                gradient: gradient.pointer().add(k * panel * kernels.lane_stride),
            });
        }
    });
}
