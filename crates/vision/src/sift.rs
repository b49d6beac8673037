use crate::{Keypoint, Keypoints};
use boneage_core::Plane;
use kornia_imgproc::features::{DESCR_LEN, FirstOctave, SiftConfig, SiftWorkspace, sift_detect_and_compute};

/// Smaller images have no octave to search.
const LEAST_SIDE: usize = 16;

/// SIFT keypoints of an image with greys 0..255 (Lowe 2004): extrema of differences of Gaussians, described by
/// 128 numbers, histograms of gradients in 4 x 4 fields, turned to the strongest gradient nearby. Settings and
/// results are OpenCV's: the image is doubled first, and thresholds are 0.04 for contrast and 10 for edges.
pub fn sift(image: &Plane) -> Keypoints {
    let (width, height) = (image.width(), image.height());
    if width.min(height) < LEAST_SIDE {
        return Keypoints { width: DESCR_LEN, ..Keypoints::default() };
    }
    let found = sift_detect_and_compute(
        &mut SiftWorkspace::new(),
        image.pixels(),
        width,
        height,
        &SiftConfig::default(),
        FirstOctave::Double,
        usize::MAX,
        false,
    )
    .expect("a plane has width * height pixels, and the settings are the usual ones");
    // What the library calls size is a diameter.
    let place = |k: &kornia_imgproc::features::SiftKeypoint| Keypoint {
        x: k.x,
        y: k.y,
        sigma: k.size / 2.0,
        response: k.response,
    };
    let places = found.keypoints.iter().map(place).collect();
    Keypoints { places, descriptors: found.descriptors, width: DESCR_LEN }
}
