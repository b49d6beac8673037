use boneage_nn::Blocked;

/// Block of VGG16 whose maps the guard looks at. Not in the paper; chosen because its means alone tell all
/// other images of the development set from hands, while those of block 5, once it is trained on hands, see
/// hands everywhere.
const BLOCK: usize = 4;

/// What the guard looks at: the network's maps half way to the age, each channel reduced to three numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Traits {
    /// Square root of each channel's mean over the map, `[channels]`.
    pub looks: Vec<f32>,
    /// Where each channel's weight lies: its mean column, then its mean row, both from -1 at the first to 1 at
    /// the last, `[channels, 2]`.
    pub places: Vec<f32>,
}

/// Added to a channel's mean before it divides: a channel that sees next to nothing has its weight in the middle.
const NEXT_TO_NOTHING: f32 = 0.05;

impl Traits {
    /// Channels, and so numbers in `looks`.
    pub const CHANNELS: usize = 512;

    /// Takes what it needs when `block` is the one to look at; of one image.
    pub(crate) fn take(&mut self, block: usize, maps: &Blocked) {
        if block != BLOCK {
            return;
        }
        let (width, height) = (maps.width(), maps.height());
        let place = |i: usize, n: usize| (2.0 * i as f32 + 1.0) / n as f32 - 1.0;
        for channel in maps.to_nchw().chunks_exact(width * height) {
            let cells = channel.len() as f32;
            let mean = channel.iter().sum::<f32>() / cells;
            let (mut across, mut down) = (0.0, 0.0);
            for (y, row) in channel.chunks_exact(width).enumerate() {
                across += row.iter().enumerate().map(|(x, value)| place(x, width) * value).sum::<f32>();
                down += place(y, height) * row.iter().sum::<f32>();
            }
            let weight = cells * (mean + NEXT_TO_NOTHING);
            self.looks.push(mean.max(0.0).sqrt());
            self.places.extend([across / weight, down / weight]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_is_known_by_its_mean_and_by_where_it_lies() {
        // One channel of 4 x 2 cells, all of its weight in the last column of the first row.
        let mut values = vec![0.0; 8 * 8];
        values[3] = 800.0;
        let maps = Blocked::from_nchw(&values, 1, 8, 2, 4);
        let mut traits = Traits::default();
        traits.take(BLOCK - 1, &maps);
        assert_eq!(traits, Traits::default());
        traits.take(BLOCK, &maps);
        assert_eq!((traits.looks.len(), traits.places.len()), (8, 16));
        assert!((traits.looks[0] - 10.0).abs() < 1e-4);
        assert!((traits.places[0] - 0.75).abs() < 1e-3 && (traits.places[1] + 0.5).abs() < 1e-3);
        assert_eq!(traits.places[2..], [0.0; 14]);
    }
}
