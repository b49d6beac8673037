use boneage_core::{Affine, Plane};

/// Spreads the network's attention map over the pixels of the image as given.
///
/// `map` is `[height, width]` of the last feature map, 0..1; `network` the side of the network's image in
/// pixels; `to_source` maps network pixels to source pixels. Bilinear between the cells' centres, constant
/// beyond the outermost ones; source pixels that the network did not see are 0.
/// `None` where `to_source` cannot be turned back.
pub(crate) fn spread(
    map: &Plane,
    network: usize,
    to_source: &Affine,
    source: (usize, usize),
) -> Option<Plane> {
    let to_map = to_source.inverse()?.then(Affine::grid((network, network), (map.width(), map.height())));
    let (width, height) = (map.width() as f64, map.height() as f64);
    Some(Plane::from_fn(source.0, source.1, |x, y| {
        let (u, v) = to_map.apply(x as f64, y as f64);
        // A hair of tolerance: the pixel on the very edge must not fall out by rounding.
        let seen = u > -0.5 - 1e-9 && v > -0.5 - 1e-9 && u < width - 0.5 + 1e-9 && v < height - 0.5 + 1e-9;
        if seen { bilinear(map, u, v) } else { 0.0 }
    }))
}

/// The value between the four pixels around `(x, y)`, which is clamped to the outermost pixel centres.
fn bilinear(plane: &Plane, x: f64, y: f64) -> f32 {
    let (last_x, last_y) = (plane.width() - 1, plane.height() - 1);
    let (x, y) = (x.clamp(0.0, last_x as f64), y.clamp(0.0, last_y as f64));
    let (left, top) = (x as usize, y as usize);
    let (right, bottom) = ((left + 1).min(last_x), (top + 1).min(last_y));
    let (fx, fy) = ((x - left as f64) as f32, (y - top as f64) as f32);
    let above = plane.at(left, top) * (1.0 - fx) + plane.at(right, top) * fx;
    let below = plane.at(left, bottom) * (1.0 - fx) + plane.at(right, bottom) * fx;
    above * (1.0 - fy) + below * fy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_map_covers_exactly_what_the_network_saw() {
        let map = Plane::filled(3, 3, 0.5);
        let whole = spread(&map, 96, &Affine::grid((96, 96), (40, 60)), (40, 60)).unwrap();
        assert!(whole.pixels().iter().all(|&a| a == 0.5), "a stretched frame is seen to its edges");
        // The network saw the 10 x 10 pixels from (5, 20) on.
        let crop = Affine::grid((96, 96), (10, 10)).then(Affine::translation(5.0, 20.0));
        let part = spread(&map, 96, &crop, (40, 60)).unwrap();
        assert_eq!(part.pixels().iter().filter(|&&a| a == 0.5).count(), 100);
        assert_eq!((part.at(5, 20), part.at(14, 29), part.at(15, 29), part.at(4, 20)), (0.5, 0.5, 0.0, 0.0));
    }

    #[test]
    fn a_cell_comes_out_where_it_lies() {
        let map = Plane::from_fn(4, 4, |x, y| if (x, y) == (3, 1) { 1.0 } else { 0.0 });
        let spread = spread(&map, 128, &Affine::grid((128, 128), (40, 80)), (40, 80)).unwrap();
        // The centre of cell (3, 1) is that of the pixels 30..40 by 20..40.
        assert!(spread.at(34, 29) > 0.9 && spread.at(35, 30) > 0.9);
        assert!(spread.at(39, 30) > 0.9, "constant beyond the outermost centre");
        assert_eq!(spread.at(5, 30), 0.0);
    }
}
