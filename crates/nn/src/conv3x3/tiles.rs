use super::Conv3x3;
use super::kernels::{InputTiles, Kernels, OutputTiles, TileProduct, scratch_floats};
use super::transform::{POINTS, STEP};
use crate::blocked::Blocked;
use crate::buffer::{LINE, Scratch, Shared};
use rayon::prelude::*;

/// How a batch of images is cut into tiles of 4x4 outputs.
#[derive(Clone, Copy)]
pub(crate) struct TileGrid {
    pub(crate) height: usize,
    pub(crate) width: usize,
    rows: usize,
    columns: usize,
}

impl TileGrid {
    pub(crate) fn new(height: usize, width: usize) -> Self {
        TileGrid { height, width, rows: height.div_ceil(STEP), columns: width.div_ceil(STEP) }
    }

    /// Tiles of one image.
    fn per_image(&self) -> usize {
        self.rows * self.columns
    }

    /// Image, tile row and tile column of tile `t` of the batch.
    #[inline(always)]
    pub(crate) fn locate(&self, t: usize) -> (usize, usize, usize) {
        let (image, rest) = (t / self.per_image(), t % self.per_image());
        (image, rest / self.columns, rest % self.columns)
    }
}

/// Tiles that go through all three stages together: their two scratch arrays should stay in the cache
/// of one core while the weights stream past.
fn tiles_together(channels: usize) -> usize {
    match channels {
        0..=64 => 36,
        65..=128 => 48,
        129..=256 => 72,
        _ => 96,
    }
}

/// What follows the convolution in the same pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct Finish {
    /// `max(y, 0)`.
    pub relu: bool,
    /// The 2x2 maximum with stride 2; an odd last row or column is dropped.
    pub pool: bool,
}

/// The forward pass. `x` has the layer's input channels; `y` the right shape.
pub(super) fn forward(layer: &Conv3x3, x: &Blocked, finish: Finish, y: &mut Blocked) {
    let kernels = Kernels::of(layer.isa);
    let grid = TileGrid::new(x.height(), x.width());
    let tiles = grid.per_image() * x.batch();
    let together = tiles_together(layer.in_channels);
    let work = Work {
        layer,
        kernels,
        grid,
        x: x.as_slice(),
        in_blocks: x.blocks(),
        out_blocks: y.blocks(),
        m_blocks: layer.padded_out / LINE,
        finish,
        y: Shared::new(y.as_mut_slice()),
    };
    if tiles >= 2 * rayon::current_num_threads() * together {
        work.in_groups(tiles, together);
    } else {
        work.in_stages(tiles);
    }
}

struct Work<'a> {
    layer: &'a Conv3x3,
    kernels: &'static Kernels,
    grid: TileGrid,
    x: &'a [f32],
    in_blocks: usize,
    out_blocks: usize,
    m_blocks: usize,
    finish: Finish,
    y: Shared,
}

impl Work<'_> {
    /// Many tiles: each task takes a group of them through all stages in its own scratch.
    fn in_groups(&self, tiles: usize, together: usize) {
        let (v_floats, m_floats) =
            (scratch_floats(self.in_blocks, together), scratch_floats(self.m_blocks, together));
        let scratch = || (Scratch::take(v_floats), Scratch::take(m_floats));
        (0..tiles.div_ceil(together)).into_par_iter().for_each_init(scratch, |(v, m), group| {
            let first = group * together;
            let count = together.min(tiles - first);
            let (v, m) = (Shared::new(v.as_mut_slice()), Shared::new(m.as_mut_slice()));
            self.input(v, together, first, count, 0..self.in_blocks);
            for product in 0..self.products() {
                self.product(v, m, together, count, product);
            }
            self.output(m, together, first, count, 0..self.out_blocks);
        });
    }

    /// Few tiles: all of them stage by stage, each stage in parallel over channels or points.
    fn in_stages(&self, tiles: usize) {
        let mut v = Scratch::take(scratch_floats(self.in_blocks, tiles));
        let mut m = Scratch::take(scratch_floats(self.m_blocks, tiles));
        let (v, m) = (Shared::new(v.as_mut_slice()), Shared::new(m.as_mut_slice()));
        (0..self.in_blocks).into_par_iter().for_each(|b| self.input(v, tiles, 0, tiles, b..b + 1));
        (0..self.products())
            .into_par_iter()
            .with_min_len(4)
            .for_each(|product| self.product(v, m, tiles, tiles, product));
        (0..self.out_blocks).into_par_iter().for_each(|b| self.output(m, tiles, 0, tiles, b..b + 1));
    }

    /// Matrix products of a convolution: one for each point and panel of output channels.
    fn products(&self) -> usize {
        POINTS * self.layer.padded_out / self.kernels.panel
    }

    fn input(&self, v: Shared, stride: usize, first: usize, count: usize, blocks: std::ops::Range<usize>) {
        let job = InputTiles {
            x: self.x,
            grid: self.grid,
            all_blocks: self.in_blocks,
            blocks,
            first,
            count,
            v: v.pointer(),
            stride,
        };
        // SAFETY: `Kernels::of` checked the instruction set; `v` was taken with `scratch_floats`; tasks
        // differ in their scratch (groups) or in their blocks (stages).
        unsafe { (self.kernels.input_tiles)(&job) }
    }

    fn product(&self, v: Shared, m: Shared, stride: usize, count: usize, product: usize) {
        let panel = self.kernels.panel;
        let panels = self.layer.padded_out / panel;
        let (point, k) = (product / panels, product % panels);
        let u = &self.layer.transformed.as_slice()[product * self.in_blocks * LINE * panel..];
        assert!(u.len() >= self.in_blocks * LINE * panel);
        // SAFETY: offsets stay within the scratch of `scratch_floats`; each product has its own part of `m`.
        unsafe {
            let job = TileProduct {
                v: v.pointer().add(point * self.in_blocks * stride * LINE),
                u: u.as_ptr(),
                m: m.pointer().add((point * self.m_blocks + k * panel / LINE) * stride * LINE),
                blocks: self.in_blocks,
                stride,
                count,
            };
            (self.kernels.tile_product)(&job);
        }
    }

    fn output(&self, m: Shared, stride: usize, first: usize, count: usize, blocks: std::ops::Range<usize>) {
        let job = OutputTiles {
            m: m.pointer(),
            m_blocks: self.m_blocks,
            grid: self.grid,
            all_blocks: self.out_blocks,
            blocks,
            first,
            count,
            stride,
            bias: self.layer.bias.as_slice(),
            relu: self.finish.relu,
            pool: self.finish.pool,
            y: self.y.pointer(),
        };
        // SAFETY: as above; tasks differ in their tiles or in their blocks, so their pixels are disjoint.
        unsafe { (self.kernels.output_tiles)(&job) }
    }
}
