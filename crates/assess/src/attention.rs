use boneage_core::{Affine, Plane};

/// Spreads the network's attention map over the pixels of the image as given.
///
/// `map` is `[height, width]` of the last feature map, 0..1; `network` the side of the network's image in
/// pixels; `to_source` maps network pixels to source pixels. Each cell's value is met at its centre; between
/// centres the map is smooth, beyond the outermost constant; source pixels that the network did not see are 0.
/// `None` where `to_source` cannot be turned back.
pub(crate) fn spread(
    map: &Plane,
    network: usize,
    to_source: &Affine,
    source: (usize, usize),
) -> Option<Plane> {
    let to_map = to_source.inverse()?.then(Affine::grid((network, network), (map.width(), map.height())));
    if let [across, 0.0, left, 0.0, down, top] = to_map.rows {
        return Some(spread_upright(map, [across, left], [down, top], source));
    }
    let (width, height) = (map.width() as f64, map.height() as f64);
    Some(Plane::from_fn(source.0, source.1, |x, y| {
        let (u, v) = to_map.apply(x as f64, y as f64);
        // A hair of tolerance: the pixel on the very edge must not fall out by rounding.
        let seen = u > -0.5 - 1e-9 && v > -0.5 - 1e-9 && u < width - 0.5 + 1e-9 && v < height - 0.5 + 1e-9;
        if seen { smooth(map, u, v) } else { 0.0 }
    }))
}

/// [`spread`] without rotation or shear, the common case: a column's cells and weights serve all of its pixels,
/// a row's are blended once.
fn spread_upright(map: &Plane, x: [f64; 2], y: [f64; 2], (width, height): (usize, usize)) -> Plane {
    let line =
        |[scale, offset]: [f64; 2], length: usize, cells: usize| -> Vec<Option<([usize; 4], [f32; 4])>> {
            let at = (0..length).map(|i| scale * i as f64 + offset);
            let seen = |u: &f64| *u > -0.5 - 1e-9 && *u < cells as f64 - 0.5 + 1e-9;
            at.map(|u| seen(&u).then(|| taps(u, cells))).collect()
        };
    let (columns, rows) = (line(x, width, map.width()), line(y, height, map.height()));
    let mut pixels = vec![0.0; width * height];
    let mut blended = vec![0.0f32; map.width()];
    for (pixels, row) in pixels.chunks_exact_mut(width.max(1)).zip(&rows) {
        let Some((cells, weights)) = row else { continue };
        blended.fill(0.0);
        for (&cell, weight) in cells.iter().zip(weights) {
            blended.iter_mut().zip(map.row(cell)).for_each(|(sum, value)| *sum += weight * value);
        }
        for (pixel, column) in pixels.iter_mut().zip(&columns) {
            if let Some((cells, weights)) = column {
                let sum: f32 = cells.iter().zip(weights).map(|(&cell, weight)| weight * blended[cell]).sum();
                *pixel = sum.clamp(0.0, 1.0);
            }
        }
    }
    Plane::new(width, height, pixels)
}

/// The cubic through the sixteen cells around `(x, y)`, kept within 0..1.
///
/// Not bilinear: its creases along the lines between centres draw diamonds that the network never saw.
fn smooth(map: &Plane, x: f64, y: f64) -> f32 {
    let (columns, across) = taps(x, map.width());
    let (rows, down) = taps(y, map.height());
    let mut sum = 0.0;
    for (row, weight) in rows.into_iter().zip(down) {
        let cells = map.row(row);
        let along: f32 = columns.iter().zip(across).map(|(&column, weight)| weight * cells[column]).sum();
        sum += weight * along;
    }
    sum.clamp(0.0, 1.0)
}

/// The four cells around a coordinate, the outermost repeated, and their weights (Catmull and Rom 1974):
/// with `t` in 0..1 from the second to the third, `(-t + 2t^2 - t^3, 2 - 5t^2 + 3t^3, t + 4t^2 - 3t^3, t^3 - t^2) / 2`.
fn taps(coordinate: f64, cells: usize) -> ([usize; 4], [f32; 4]) {
    let last = cells - 1;
    let coordinate = coordinate.clamp(0.0, last as f64);
    let base = coordinate as usize;
    let t = (coordinate - base as f64) as f32;
    let (t2, t3) = (t * t, t * t * t);
    let weights = [-t + 2.0 * t2 - t3, 2.0 - 5.0 * t2 + 3.0 * t3, t + 4.0 * t2 - 3.0 * t3, t3 - t2];
    (
        [base.saturating_sub(1), base, (base + 1).min(last), (base + 2).min(last)],
        weights.map(|weight| weight / 2.0),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_map_covers_exactly_what_the_network_saw() {
        let map = Plane::filled(3, 3, 0.5);
        let covered = |plane: &Plane| plane.pixels().iter().filter(|&&a| (a - 0.5).abs() < 1e-6).count();
        let whole = spread(&map, 96, &Affine::grid((96, 96), (40, 60)), (40, 60)).unwrap();
        assert_eq!(covered(&whole), 40 * 60, "a stretched frame is seen to its edges");
        // The network saw the 10 x 10 pixels from (5, 20) on.
        let crop = Affine::grid((96, 96), (10, 10)).then(Affine::translation(5.0, 20.0));
        let part = spread(&map, 96, &crop, (40, 60)).unwrap();
        assert_eq!(covered(&part), 100);
        assert!(
            part.at(5, 20) > 0.0 && part.at(14, 29) > 0.0 && part.at(15, 29) == 0.0 && part.at(4, 20) == 0.0
        );
    }

    #[test]
    fn between_centres_the_map_is_smooth_and_stays_within_its_range() {
        let step = Plane::from_fn(6, 6, |x, _| if x < 3 { 0.0 } else { 1.0 });
        let fine = spread(&step, 192, &Affine::grid((192, 192), (600, 600)), (600, 600)).unwrap();
        let row = fine.row(300);
        assert!(row.iter().all(|a| (0.0..=1.0).contains(a)));
        assert!(row.windows(2).all(|pair| (pair[1] - pair[0]).abs() < 0.02), "no jumps");
        assert!(
            (row[250] - 0.0).abs() < 1e-2 && (row[350] - 1.0).abs() < 1e-2 && (row[299] - 0.5).abs() < 2e-2
        );
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
