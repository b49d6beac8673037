use boneage_core::Plane;

/// Some of a film's pixels, in pieces of which each is one thing: a bone's region, a box.
#[derive(Clone, Debug, PartialEq)]
pub struct FilmPart {
    /// Places of pixels in the film, row by row; no pixel twice.
    pieces: Vec<Vec<usize>>,
}

impl FilmPart {
    /// The pixels of a film of `width` x `height` that `piece` gives a number below `pieces`.
    pub fn new(
        width: usize,
        height: usize,
        pieces: usize,
        piece: impl Fn(usize, usize) -> Option<usize>,
    ) -> FilmPart {
        let mut part = FilmPart { pieces: vec![Vec::new(); pieces] };
        for (x, y) in (0..height).flat_map(|y| (0..width).map(move |x| (x, y))) {
            if let Some(of) = piece(x, y).and_then(|index| part.pieces.get_mut(index)) {
                of.push(y * width + x);
            }
        }
        part
    }

    /// The share of `weights` (one a pixel of the film, none negative) that lies here; 0 where all are 0.
    pub fn share(&self, weights: &Plane) -> f64 {
        let total: f64 = weights.pixels().iter().map(|&weight| f64::from(weight)).sum();
        let here: f64 = self.pieces.iter().flatten().map(|&i| f64::from(weights.pixels()[i])).sum();
        if total > 0.0 { here / total } else { 0.0 }
    }

    /// `film` with every piece set to the piece's mean grey: what is in it cannot be seen, and its outline stays.
    pub fn painted_over(&self, film: &Plane) -> Plane {
        let mut painted = film.clone();
        for piece in &self.pieces {
            let sum: f64 = piece.iter().map(|&i| f64::from(film.pixels()[i])).sum();
            let mean = (sum / piece.len().max(1) as f64) as f32;
            piece.iter().for_each(|&i| painted.pixels_mut()[i] = mean);
        }
        painted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_piece_gets_its_own_grey_and_nothing_else_changes() {
        let film = Plane::from_fn(6, 4, |x, y| (x + 10 * y) as f32);
        let columns = FilmPart::new(6, 4, 2, |x, _| (x < 2).then_some(0).or((x == 5).then_some(1)));
        let painted = columns.painted_over(&film);
        for (x, y) in (0..4).flat_map(|y| (0..6).map(move |x| (x, y))) {
            let expected = match x {
                0 | 1 => 15.5,
                5 => 20.0,
                _ => film.at(x, y),
            };
            assert_eq!(painted.at(x, y), expected);
        }
        assert_eq!(columns.share(&film.map(|_| 1.0)), 0.5);
        assert_eq!(columns.share(&film.map(|_| 0.0)), 0.0);
        let none = FilmPart::new(6, 4, 1, |_, _| None);
        assert_eq!(none.painted_over(&film), film);
    }
}
