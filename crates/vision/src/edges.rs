use boneage_core::Plane;

/// Share of the mask's area that lies beyond the line from which an edge is told: about two fingertips' rows.
const BEYOND: f64 = 0.002;

/// Where a mask ends on its four sides, `[left, top, right, bottom]` in pixels, 0 at the first pixel's outer
/// edge; `None` for an empty one.
///
/// The outermost pixel of a mask jumps when a single grey changes, and a crop that follows it makes the
/// whole network see another image. So an edge is told from how the mask's area gathers inwards from it: with
/// `e(q)` the line beyond which a share `q` of the area lies, and an outline that widens as a fingertip's does,
/// the area grows with the square of the distance and the edge lies at `2 e(q) - e(4q)`.
pub(crate) fn soft_edges(mask: &Plane) -> Option<[f64; 4]> {
    let (width, height) = (mask.width(), mask.height());
    let (mut columns, mut rows) = (vec![0.0f64; width], vec![0.0f64; height]);
    for (y, of_row) in rows.iter_mut().enumerate() {
        for (of_column, &inside) in columns.iter_mut().zip(mask.row(y)) {
            *of_column += f64::from(inside);
            *of_row += f64::from(inside);
        }
    }
    let area: f64 = rows.iter().sum();
    if area <= 0.0 {
        return None;
    }
    let first = |sums: &mut dyn Iterator<Item = f64>| {
        let mut lines = [None; 2];
        let (mut before, mut at) = (0.0, 0.0);
        for sum in sums {
            for (line, share) in lines.iter_mut().zip([BEYOND, 4.0 * BEYOND]) {
                let wanted = share * area;
                if line.is_none() && before + sum >= wanted {
                    *line = Some(at + (wanted - before) / sum);
                }
            }
            before += sum;
            at += 1.0;
        }
        let [near, far] = lines.map(|line| line.unwrap_or(at));
        (2.0 * near - far).max(0.0)
    };
    let left = first(&mut columns.iter().copied());
    let right = width as f64 - first(&mut columns.iter().rev().copied());
    let top = first(&mut rows.iter().copied());
    let bottom = height as f64 - first(&mut rows.iter().rev().copied());
    Some([left, top, right, bottom])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edges_of_a_disc_and_of_a_box_are_found_within_a_pixel() {
        let disc = Plane::from_fn(200, 200, |x, y| {
            let (u, v) = (x as f32 - 89.5, y as f32 - 99.5);
            if u.hypot(v) < 60.0 { 1.0 } else { 0.0 }
        });
        for (edge, expected) in soft_edges(&disc).unwrap().iter().zip([30.0, 40.0, 150.0, 160.0]) {
            assert!((edge - expected).abs() < 1.0, "{edge}, not {expected}");
        }
        let inside = |x: usize, y: usize| (20..120).contains(&x) && (50..200).contains(&y);
        let block = Plane::from_fn(200, 200, |x, y| if inside(x, y) { 1.0 } else { 0.0 });
        for (edge, expected) in soft_edges(&block).unwrap().iter().zip([20.0, 50.0, 120.0, 200.0]) {
            assert!((edge - expected).abs() < 1.0, "{edge}, not {expected}");
        }
        assert_eq!(soft_edges(&Plane::filled(5, 5, 0.0)), None);
    }

    #[test]
    fn a_single_pixel_hardly_moves_an_edge() {
        let hand = |extra: bool| {
            Plane::from_fn(200, 200, |x, y| {
                let tip = extra && x == 90 && y == 39;
                let (u, v) = (x as f32 - 89.5, y as f32 - 99.5);
                if tip || u.hypot(v) < 60.0 { 1.0 } else { 0.0 }
            })
        };
        let (plain, changed) = (soft_edges(&hand(false)).unwrap(), soft_edges(&hand(true)).unwrap());
        for (a, b) in plain.iter().zip(changed) {
            assert!((a - b).abs() < 0.1, "{a} moved to {b}");
        }
    }
}
