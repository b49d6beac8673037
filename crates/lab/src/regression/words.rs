use crate::Detector;
use boneage_classical::Samples;
use boneage_core::{Plane, Stream, stream};
use rayon::prelude::*;

/// Rounds of k-means at most. Not in the paper; chosen as after them few descriptors change their word.
const ROUNDS: usize = 25;
/// Numbers that are added at once.
const LANES: usize = 16;

/// Visual words: what the surroundings of keypoints typically look like, so that an image becomes a list of how
/// often it shows each (Csurka et al., Visual Categorization with Bags of Keypoints, 2004).
pub(super) struct Vocabulary {
    detector: Detector,
    /// `[words, numbers of a descriptor]`
    words: Samples,
}

impl Vocabulary {
    /// `count` words from descriptors, one a row: k-means from centres drawn by distance. At least `count` rows.
    pub(super) fn learn(detector: Detector, descriptors: &Samples, count: usize, seed: u64) -> Self {
        let mut random = stream(seed, &["vocabulary", detector.as_str()]);
        let mut words = descriptors.select(&first_centres(descriptors, count, &mut random));
        let mut before = Vec::new();
        for _ in 0..ROUNDS {
            let nearest: Vec<usize> = rows(descriptors).map(|row| nearest(&words, row)).collect();
            if nearest == before {
                break;
            }
            words = means(descriptors, &nearest, &words);
            before = nearest;
        }
        Vocabulary { detector, words }
    }

    /// Numbers that an image becomes.
    pub(super) fn len(&self) -> usize {
        self.words.len()
    }

    /// The square root of each word's share of the image's keypoints: so that words that are everywhere do not
    /// outweigh the others, and the numbers do not add to one, which least squares could not tell from its
    /// intercept. All 0 where there is no keypoint. `image` has greys 0..255.
    pub(super) fn roots_of_shares(&self, image: &Plane) -> Vec<f32> {
        let found = self.detector.keypoints(image);
        let mut counts = vec![0u32; self.words.len()];
        for row in found.descriptors.chunks_exact(found.width) {
            counts[nearest(&self.words, row)] += 1;
        }
        let total = found.len().max(1) as f32;
        counts.into_iter().map(|count| (count as f32 / total).sqrt()).collect()
    }
}

fn rows(samples: &Samples) -> impl IndexedParallelIterator<Item = &[f32]> {
    samples.values().par_chunks_exact(samples.width())
}

/// Rows to begin with: each next one with a chance that grows with the square of its distance from those chosen
/// (k-means++, Arthur and Vassilvitskii 2007).
fn first_centres(samples: &Samples, count: usize, random: &mut Stream) -> Vec<usize> {
    let mut chosen = vec![random.below(samples.len())];
    let mut away = vec![f32::INFINITY; samples.len()];
    while chosen.len() < count {
        let last = samples.row(chosen[chosen.len() - 1]);
        away.par_iter_mut().zip(rows(samples)).for_each(|(away, row)| *away = away.min(distance(row, last)));
        let total: f64 = away.iter().map(|&a| f64::from(a)).sum();
        let mut left = random.unit() * total;
        let next = away.iter().position(|&a| {
            left -= f64::from(a);
            left < 0.0
        });
        // Where all rows are chosen already, equals are left.
        chosen.push(next.unwrap_or_else(|| random.below(samples.len())));
    }
    chosen
}

/// The mean row of each word; the word itself where no row is nearest to it.
fn means(samples: &Samples, nearest: &[usize], words: &Samples) -> Samples {
    let width = samples.width();
    let mut sums = vec![0.0f64; words.len() * width];
    let mut counts = vec![0u32; words.len()];
    for (row, &word) in samples.rows().zip(nearest) {
        counts[word] += 1;
        let sums = &mut sums[word * width..][..width];
        sums.iter_mut().zip(row).for_each(|(sum, &value)| *sum += f64::from(value));
    }
    let mean = |index: usize| match counts[index / width] {
        0 => words.values()[index],
        count => (sums[index] / f64::from(count)) as f32,
    };
    Samples::new((0..sums.len()).map(mean).collect(), width).expect("whole rows of the same width")
}

/// The word nearest to `row`, the first of equals.
fn nearest(words: &Samples, row: &[f32]) -> usize {
    let mut best = (f32::INFINITY, 0);
    for (index, word) in words.rows().enumerate() {
        let away = distance(row, word);
        if away < best.0 {
            best = (away, index);
        }
    }
    best.1
}

/// Square of the distance. In lanes of its own making, so that the compiler may use the processor's.
fn distance(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; LANES];
    let (a, b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest: f32 = a.remainder().iter().zip(b.remainder()).map(|(a, b)| (a - b) * (a - b)).sum();
    for (a, b) in a.zip(b) {
        for lane in 0..LANES {
            let difference = a[lane] - b[lane];
            sums[lane] += difference * difference;
        }
    }
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows about three centres, 20 numbers each.
    fn clusters() -> Samples {
        let mut random = stream(3, &["clusters"]);
        let row = |i: usize| -> Vec<f32> {
            (0..20).map(|j| ((i % 3 * 10 * (j % 2 + 1)) as f64 + random.normal()) as f32).collect()
        };
        Samples::new((0..120).flat_map(row).collect(), 20).unwrap()
    }

    #[test]
    fn words_are_the_middles_of_what_is_alike() {
        let samples = clusters();
        let vocabulary = Vocabulary::learn(Detector::Sift, &samples, 3, 1);
        assert_eq!(vocabulary.len(), 3);
        let word = |i: usize| nearest(&vocabulary.words, samples.row(i));
        assert!((0..120).all(|i| word(i) == word(i % 3)));
        assert!(word(0) != word(1) && word(1) != word(2) && word(0) != word(2));
        let middle = vocabulary.words.row(word(1));
        assert!(middle.iter().enumerate().all(|(j, m)| (m - 10.0 * (j % 2 + 1) as f32).abs() < 0.7));
        // The same on one thread.
        let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let again = one.install(|| Vocabulary::learn(Detector::Sift, &samples, 3, 1));
        assert_eq!(again.words, vocabulary.words);
    }

    #[test]
    fn distances_count_every_number() {
        let a: Vec<f32> = (0..37).map(|i| i as f32).collect();
        let b = vec![1.0; 37];
        let expected: f32 = a.iter().map(|x| (x - 1.0) * (x - 1.0)).sum();
        assert_eq!(distance(&a, &b), expected);
    }

    #[test]
    fn equal_rows_do_no_harm_and_an_empty_image_shows_no_word() {
        let equal = Samples::new(vec![2.0; 8 * 128], 128).unwrap();
        let vocabulary = Vocabulary::learn(Detector::Sift, &equal, 4, 1);
        assert_eq!(vocabulary.roots_of_shares(&Plane::filled(64, 64, 90.0)), [0.0; 4]);
        let spots = Plane::from_fn(64, 64, |x, y| if (x / 8 + y / 8) % 2 == 0 { 200.0 } else { 20.0 });
        let shares = vocabulary.roots_of_shares(&spots);
        assert!((shares.iter().map(|s| s * s).sum::<f32>() - 1.0).abs() < 1e-5, "{shares:?}");
    }
}
