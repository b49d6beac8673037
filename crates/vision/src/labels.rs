/// A whole number for each pixel, row-major: markers, basins or objects. 0 is nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels {
    width: usize,
    height: usize,
    values: Vec<u32>,
}

impl Labels {
    /// Labels over `values`, `[height, width]` row-major.
    ///
    /// # Panics
    /// If the number of values is not `width * height`: a fault of the caller, never of input.
    pub fn new(width: usize, height: usize, values: Vec<u32>) -> Self {
        assert_eq!(values.len(), width * height, "values of {width} x {height} labels");
        Labels { width, height, values }
    }

    /// Pixels in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Number of rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// All labels, `[height, width]` row-major.
    pub fn values(&self) -> &[u32] {
        &self.values
    }

    /// Label at column `x` of row `y`.
    pub fn at(&self, x: usize, y: usize) -> u32 {
        self.values[y * self.width + x]
    }

    /// Which pixels carry `label`, `[height, width]` row-major.
    pub fn is(&self, label: u32) -> Vec<bool> {
        self.values.iter().map(|&value| value == label).collect()
    }
}
