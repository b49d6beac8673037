use crate::LabError;
use serde::Deserialize;
use std::collections::HashMap;
use std::path::Path;

/// Where the annotated hands of the 299 px collection lie, below the data folder.
const KEYPOINTS: &str = "annotations/hand21keypoints_568.json";

/// A person's annotation of a left hand, in shares of the image's width and height, so that it fits every
/// size of the image.
#[derive(Clone, Debug, PartialEq)]
pub struct AnnotatedHand {
    /// Left, top, right, bottom of the hand's box.
    pub edges: [f64; 4],
    /// `(x, y)`: the wrist, then thumb, forefinger, middle, ring and little finger, four each from base to
    /// tip; 21 of them in the collection.
    pub keypoints: Vec<(f64, f64)>,
}

/// One hand of the file, in pixels of the original image.
#[derive(Deserialize)]
struct Hand {
    image_id: String,
    lefthand_valid: bool,
    lefthand_box: [f64; 4],
    lefthand_kpts: Vec<f64>,
}

#[derive(Deserialize)]
struct Original {
    id: String,
    width: f64,
    height: f64,
}

#[derive(Deserialize)]
struct File {
    images: Vec<Original>,
    annotations: Vec<Hand>,
}

impl AnnotatedHand {
    /// Whether a data folder holds annotations at all: the official one does not.
    pub fn are_in(data: &Path) -> bool {
        data.join(KEYPOINTS).is_file()
    }

    /// The valid annotations of a data folder by image id.
    ///
    /// # Errors
    /// When the file is not there or is no such file.
    pub fn read_all(data: &Path) -> Result<HashMap<String, AnnotatedHand>, LabError> {
        let path = data.join(KEYPOINTS);
        let bytes = std::fs::read(&path).map_err(LabError::io(&path))?;
        let read: File = serde_json::from_slice(&bytes)
            .map_err(|error| LabError::Data(format!("{}: {error}", path.display())))?;
        let sizes: HashMap<_, _> = read.images.into_iter().map(|i| (i.id, (i.width, i.height))).collect();
        let mut hands = HashMap::new();
        for hand in read.annotations.into_iter().filter(|hand| hand.lefthand_valid) {
            let Some(&(width, height)) = sizes.get(&hand.image_id) else { continue };
            let [x, y, w, h] = hand.lefthand_box;
            let keypoints: Vec<_> = hand
                .lefthand_kpts
                .chunks_exact(3)
                .map(|point| (point[0] / width, point[1] / height))
                .collect();
            if keypoints.is_empty() || w <= 0.0 || h <= 0.0 {
                continue;
            }
            let edges = [x / width, y / height, (x + w) / width, (y + h) / height];
            hands.insert(hand.image_id, AnnotatedHand { edges, keypoints });
        }
        Ok(hands)
    }
}
