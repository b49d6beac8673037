use super::kernels::{InputTiles, OutputTiles, TileProduct};
use super::transform::{POINTS, STEP};
use super::transformed_weights::TransformedWeights;
use crate::blocked::Blocked;
use crate::buffer::{LINE, Scratch, Shared};
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
    weights: &TransformedWeights,
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
    assert!(weights.in_blocks() == x.blocks() && bias.len() == y.blocks() * LINE);
    let choices = choices.map_or(std::ptr::null_mut(), |choices| {
        assert_eq!(choices.len(), y.as_slice().len(), "a choice an output");
        choices.as_mut_ptr()
    });
    let pass = Pass {
        weights,
        bias,
        grid,
        x: x.as_slice(),
        out_blocks: y.blocks(),
        finish,
        y: Shared::new(y.as_mut_slice()),
        choices: SharedBytes(choices),
    };
    let together = tiles_together(x.blocks() * LINE);
    if tiles >= 2 * rayon::current_num_threads() * together {
        pass.in_groups(tiles, together);
    } else {
        pass.in_stages(tiles);
    }
}

struct Pass<'a> {
    weights: &'a TransformedWeights,
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
    fn slots(&self, tiles: usize) -> [TileSlots; 2] {
        let m_blocks = self.weights.panels() * self.weights.isa().panel() / LINE;
        [TileSlots { blocks: self.weights.in_blocks(), tiles }, TileSlots { blocks: m_blocks, tiles }]
    }

    /// Many tiles: each task takes a group of them through all stages in its own scratch.
    fn in_groups(&self, tiles: usize, together: usize) {
        let slots = self.slots(together);
        let scratch = || slots.map(|slots| Scratch::take(slots.floats()));
        (0..tiles.div_ceil(together)).into_par_iter().for_each_init(scratch, |[v, m], group| {
            let first = group * together;
            let count = together.min(tiles - first);
            let (v, m) = (Shared::new(v.as_mut_slice()), Shared::new(m.as_mut_slice()));
            self.input(v, slots, first, count, 0..slots[0].blocks);
            for point in 0..POINTS {
                for panel in 0..self.weights.panels() {
                    self.product(v, m, slots, count, point, panel);
                }
            }
            self.output(m, slots, first, count, 0..self.out_blocks);
        });
    }

    /// Few tiles: all of them stage by stage, each stage in parallel over channels or points.
    fn in_stages(&self, tiles: usize) {
        let slots = self.slots(tiles);
        let [mut v, mut m] = slots.map(|slots| Scratch::take(slots.floats()));
        let (v, m) = (Shared::new(v.as_mut_slice()), Shared::new(m.as_mut_slice()));
        (0..slots[0].blocks).into_par_iter().for_each(|b| self.input(v, slots, 0, tiles, b..b + 1));
        let panels = self.weights.panels();
        (0..POINTS * panels).into_par_iter().with_min_len(4).for_each(|product| {
            self.product(v, m, slots, tiles, product / panels, product % panels);
        });
        (0..self.out_blocks).into_par_iter().for_each(|b| self.output(m, slots, 0, tiles, b..b + 1));
    }

    fn input(&self, v: Shared, slots: [TileSlots; 2], first: usize, count: usize, blocks: Range<usize>) {
        let (x, grid, v) = (self.x, self.grid, v.pointer());
        let mut job = InputTiles { x, grid, blocks, first, count, v, slots: slots[0] };
        // SAFETY: a layer's set is available; `v` was taken for its slots; tasks differ in their scratch
        // (groups) or in their blocks (stages).
        unsafe { self.weights.isa().run(&mut job) }
    }

    fn product(&self, v: Shared, m: Shared, slots: [TileSlots; 2], count: usize, point: usize, panel: usize) {
        let panel_blocks = self.weights.isa().panel();
        // SAFETY: the offsets stay within the scratch that was taken for the slots; each product has its
        // own part of `m`.
        unsafe {
            let mut job = TileProduct {
                v: v.pointer().add(point * slots[0].point_stride()),
                u: self.weights.part(point, panel).as_ptr(),
                u_next: self.weights.part_after(point, panel).as_ptr(),
                m: m.pointer()
                    .add(point * slots[1].point_stride() + slots[1].at(panel * panel_blocks / LINE, 0)),
                blocks: slots[0].blocks,
                stride: slots[0].tiles,
                count,
            };
            self.weights.isa().run(&mut job);
        }
    }

    fn output(&self, m: Shared, slots: [TileSlots; 2], first: usize, count: usize, blocks: Range<usize>) {
        let mut job = OutputTiles {
            m: m.pointer(),
            slots: slots[1],
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
        unsafe { self.weights.isa().run(&mut job) }
    }
}
