/// A place that a detector found telling.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Keypoint {
    /// Column in pixel-centre coordinates.
    pub x: f32,
    /// Row in pixel-centre coordinates.
    pub y: f32,
    /// Standard deviation in pixels of the Gaussian at which it stood out: how large it is.
    pub sigma: f32,
    /// How much it stood out, in the detector's own unit.
    pub response: f32,
}

/// What a detector found in one image.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Keypoints {
    /// One a descriptor. A place whose surroundings have two directions stands here twice.
    pub places: Vec<Keypoint>,
    /// `[places, width]`: what the surroundings of each place look like.
    pub descriptors: Vec<f32>,
    /// Numbers in a descriptor.
    pub width: usize,
}

impl Keypoints {
    /// Number of descriptors.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The places, each once however many directions it has.
    pub fn distinct(&self) -> Vec<Keypoint> {
        let mut places = self.places.clone();
        let key = |place: &Keypoint| [place.x.to_bits(), place.y.to_bits(), place.sigma.to_bits()];
        places.sort_by_key(key);
        places.dedup_by_key(|place| key(place));
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_of_two_directions_is_one_place() {
        let at = |x: f32, sigma: f32| Keypoint { x, y: 2.0, sigma, response: 0.1 };
        let places = vec![at(1.0, 2.0), at(3.0, 2.0), at(1.0, 2.0), at(1.0, 4.0)];
        let found = Keypoints { places, descriptors: vec![0.0; 4], width: 1 };
        assert_eq!(found.distinct(), [at(1.0, 2.0), at(1.0, 4.0), at(3.0, 2.0)]);
        assert!(found.len() == 4 && !found.is_empty());
    }
}
