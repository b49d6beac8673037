use super::kernels::{InputTiles, OutputTiles, TileProduct};
use super::transform::{POINTS, STEP};
use super::transformed_weights::{TransformedWeights, WeightSource, point_stride};
use crate::blocked::Blocked;
use crate::buffer::{LINE, Scratch, Shared};
use crate::simd::Isa;
use rayon::prelude::*;
use std::ops::Range;

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
    pub(crate) fn per_image(&self) -> usize {
        self.rows * self.columns
    }

    /// Image, tile row and tile column of tile `t` of the batch.
    #[inline(always)]
    pub(crate) fn locate(&self, t: usize) -> (usize, usize, usize) {
        let (image, rest) = (t / self.per_image(), t % self.per_image());
        (image, rest / self.columns, rest % self.columns)
    }
}

/// Where transformed tiles lie in their scratch, `[36][blocks][tiles][16]`.
#[derive(Clone, Copy)]
pub(crate) struct TileSlots {
    pub(crate) blocks: usize,
    pub(crate) tiles: usize,
}

impl TileSlots {
    /// Of block `block` and tile `t` at the first point.
    #[inline(always)]
    pub(crate) fn at(&self, block: usize, t: usize) -> usize {
        (block * self.tiles + t) * LINE
    }

    /// Floats from a point to the next: an odd number of cache lines, for a tile's 36 points would else
    /// often fall into one set of the cache and drive each other out.
    #[inline(always)]
    pub(crate) fn point_stride(&self) -> usize {
        ((self.blocks * self.tiles) | 1) * LINE
    }

    /// Floats of the scratch.
    pub(crate) fn floats(&self) -> usize {
        POINTS * self.point_stride()
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

/// Channel blocks whose weights a pass with streamed weights transforms at a time: their 36 points, 288 KiB of
/// a panel with 32 lanes, are read from the second cache directly after.
const STREAMED_BLOCKS: usize = 4;

/// Where a pass takes its weights from. The results have the same bits.
#[derive(Clone, Copy)]
pub(super) enum PassWeights<'a> {
    /// They were transformed before.
    Prepared(&'a TransformedWeights),
    /// They are transformed on the way, as few at a time as their user allows.
    Streamed(&'a WeightSource<'a>),
}

/// What follows the convolution in the same pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Finish {
    /// `max(y, 0)`.
    pub relu: bool,
    /// The 2x2 maximum with stride 2; an odd last row or column is dropped.
    pub pool: bool,
}

impl Finish {
    /// Height and width behind it.
    pub(crate) fn size(self, height: usize, width: usize) -> (usize, usize) {
        if self.pool { (height / 2, width / 2) } else { (height, width) }
    }
}

/// The forward pass over `x`, whose channels are those of the weights.
///
/// `y` has the shape that follows; `choices`, where the gradient will be wanted, as many bytes as `y` floats.
pub(super) fn forward(
    weights: PassWeights<'_>,
    bias: &[f32],
    x: &Blocked,
    finish: Finish,
    y: &mut Blocked,
    choices: Option<&mut [u8]>,
) {
    let grid = TileGrid::new(x.height(), x.width());
    let tiles = grid.per_image() * x.batch();
    if tiles == 0 {
        return;
    }
    let (isa, in_blocks, panels) = match weights {
        PassWeights::Prepared(weights) => (weights.isa(), weights.in_blocks(), weights.panels()),
        PassWeights::Streamed(source) => (source.isa(), source.in_blocks(), source.panels()),
    };
    assert!(in_blocks == x.blocks() && bias.len() == y.blocks() * LINE);
    let choices = choices.map_or(std::ptr::null_mut(), |choices| {
        assert_eq!(choices.len(), y.as_slice().len(), "a choice an output");
        choices.as_mut_ptr()
    });
    let pass = Pass {
        isa,
        in_blocks,
        panels,
        bias,
        grid,
        x: x.as_slice(),
        out_blocks: y.blocks(),
        finish,
        y: Shared::new(y.as_mut_slice()),
        choices: SharedBytes(choices),
    };
    let (together, threads) = (tiles_together(in_blocks * LINE), rayon::current_num_threads());
    let in_groups = tiles >= 2 * threads * together;
    let whole = |weights: &TransformedWeights| match in_groups {
        true => pass.in_groups(weights, tiles, together),
        false => pass.in_stages(weights, tiles),
    };
    match weights {
        PassWeights::Prepared(weights) => whole(weights),
        // A panel is the work of one task: with fewer than two a thread some would wait.
        PassWeights::Streamed(source) if !in_groups && panels >= 2 * threads => {
            pass.in_panels(source, tiles);
        }
        // Every group of tiles needs all weights.
        PassWeights::Streamed(source) => whole(&TransformedWeights::new(source)),
    }
}

struct Pass<'a> {
    isa: Isa,
    in_blocks: usize,
    /// Panels of output channels.
    panels: usize,
    bias: &'a [f32],
    grid: TileGrid,
    x: &'a [f32],
    out_blocks: usize,
    finish: Finish,
    y: Shared,
    choices: SharedBytes,
}

/// As [`Shared`], for the choices.
#[derive(Clone, Copy)]
struct SharedBytes(*mut u8);

// SAFETY: a pointer alone does nothing; each task writes the choices of its own outputs.
unsafe impl Send for SharedBytes {}
// SAFETY: as above.
unsafe impl Sync for SharedBytes {}

impl Pass<'_> {
    /// Blocks of a panel.
    fn panel_blocks(&self) -> usize {
        self.isa.panel() / LINE
    }

    fn slots(&self, tiles: usize) -> [TileSlots; 2] {
        let m_blocks = self.panels * self.panel_blocks();
        [TileSlots { blocks: self.in_blocks, tiles }, TileSlots { blocks: m_blocks, tiles }]
    }

    /// Many tiles: each task takes a group of them through all stages in its own scratch.
    fn in_groups(&self, weights: &TransformedWeights, tiles: usize, together: usize) {
        let slots = self.slots(together);
        let scratch = || slots.map(|slots| Scratch::take(slots.floats()));
        (0..tiles.div_ceil(together)).into_par_iter().for_each_init(scratch, |[v, m], group| {
            let first = group * together;
            let count = together.min(tiles - first);
            let (v, m) = (Shared::new(v.as_mut_slice()), Shared::new(m.as_mut_slice()));
            self.input(v, slots[0], first, count, 0..slots[0].blocks);
            for point in 0..POINTS {
                for panel in 0..self.panels {
                    self.product(weights, [v, m], slots, count, point, panel);
                }
            }
            self.output(m, slots[1], first, count, 0..self.out_blocks, 0);
        });
    }

    /// Few tiles: all of them stage by stage, each stage in parallel over channels or points.
    fn in_stages(&self, weights: &TransformedWeights, tiles: usize) {
        let slots = self.slots(tiles);
        let [mut v, mut m] = slots.map(|slots| Scratch::take(slots.floats()));
        let (v, m) = (Shared::new(v.as_mut_slice()), Shared::new(m.as_mut_slice()));
        (0..slots[0].blocks).into_par_iter().for_each(|b| self.input(v, slots[0], 0, tiles, b..b + 1));
        (0..POINTS * self.panels).into_par_iter().with_min_len(4).for_each(|product| {
            self.product(weights, [v, m], slots, tiles, product / self.panels, product % self.panels);
        });
        (0..self.out_blocks).into_par_iter().for_each(|b| self.output(m, slots[1], 0, tiles, b..b + 1, 0));
    }

    /// Few tiles and weights that are not transformed yet: after the first stage a task takes a panel of
    /// output channels through the others, and transforms its weights a few channel blocks at a time.
    fn in_panels(&self, source: &WeightSource<'_>, tiles: usize) {
        let v_slots = TileSlots { blocks: self.in_blocks, tiles };
        let mut v = Scratch::take(v_slots.floats());
        let v = Shared::new(v.as_mut_slice());
        (0..self.in_blocks).into_par_iter().for_each(|b| self.input(v, v_slots, 0, tiles, b..b + 1));
        let m_slots = TileSlots { blocks: self.panel_blocks(), tiles };
        let u_stride = point_stride(1, STREAMED_BLOCKS, self.isa.panel());
        let scratch = || [POINTS * u_stride, m_slots.floats()].map(Scratch::take);
        (0..self.panels).into_par_iter().for_each_init(scratch, |[u, m], panel| {
            let [u, m] = [u, m].map(|scratch| Shared::new(scratch.as_mut_slice()));
            for first in (0..self.in_blocks).step_by(STREAMED_BLOCKS) {
                let blocks = first..self.in_blocks.min(first + STREAMED_BLOCKS);
                // SAFETY: `u` has room for the points of so many blocks and is this task's own; the offsets
                // stay within the scratch that was taken for the slots, of which `m` is this task's own.
                unsafe {
                    source.transform(panel, blocks.clone(), u.pointer(), u_stride);
                    for point in 0..POINTS {
                        let v = v.pointer().add(point * v_slots.point_stride() + v_slots.at(first, 0));
                        self.isa.run(&mut TileProduct {
                            v,
                            u: u.pointer().add(point * u_stride),
                            // The tiles come from afar here: the weights were written a moment ago.
                            next: v.wrapping_add(v_slots.point_stride()),
                            next_lines: tiles,
                            m: m.pointer().add(point * m_slots.point_stride()),
                            blocks: blocks.len(),
                            stride: tiles,
                            count: tiles,
                            add: first > 0,
                        });
                    }
                }
            }
            let first = panel * m_slots.blocks;
            let blocks = first..self.out_blocks.min(first + m_slots.blocks);
            self.output(m, m_slots, 0, tiles, blocks, first);
        });
    }

    fn input(&self, v: Shared, slots: TileSlots, first: usize, count: usize, blocks: Range<usize>) {
        let (x, grid, v) = (self.x, self.grid, v.pointer());
        let mut job = InputTiles { x, grid, blocks, first, count, v, slots };
        // SAFETY: a layer's set is available; `v` was taken for its slots; tasks differ in their scratch
        // (groups) or in their blocks (stages, panels).
        unsafe { self.isa.run(&mut job) }
    }

    fn product(
        &self,
        weights: &TransformedWeights,
        [v, m]: [Shared; 2],
        slots: [TileSlots; 2],
        count: usize,
        point: usize,
        panel: usize,
    ) {
        // SAFETY: the offsets stay within the scratch that was taken for the slots; each product has its
        // own part of `m`.
        unsafe {
            let mut job = TileProduct {
                v: v.pointer().add(point * slots[0].point_stride()),
                u: weights.part(point, panel).as_ptr(),
                next: weights.part_after(point, panel).as_ptr(),
                next_lines: self.isa.panel(),
                m: m.pointer()
                    .add(point * slots[1].point_stride() + slots[1].at(panel * self.panel_blocks(), 0)),
                blocks: slots[0].blocks,
                stride: slots[0].tiles,
                count,
                add: false,
            };
            self.isa.run(&mut job);
        }
    }

    /// `m` begins with the block `first_block` of the output.
    fn output(
        &self,
        m: Shared,
        slots: TileSlots,
        first: usize,
        count: usize,
        blocks: Range<usize>,
        first_block: usize,
    ) {
        let mut job = OutputTiles {
            m: m.pointer(),
            slots,
            first_block,
            grid: self.grid,
            all_blocks: self.out_blocks,
            blocks,
            first,
            count,
            bias: self.bias,
            relu: self.finish.relu,
            pool: self.finish.pool,
            y: self.y.pointer(),
            choices: self.choices.0,
        };
        // SAFETY: as above; tasks differ in their tiles or in their blocks, so their pixels are disjoint.
        unsafe { self.isa.run(&mut job) }
    }
}
