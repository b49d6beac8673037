/// Where a number lies in a table whose rows stand by rising age: the rows before and after it, and its share of the way
/// from the one to the other; twice the same row where it is that row's own. `None` outside the table.
pub(crate) fn between<Row: Copy>(
    rows: &[Row],
    age_of: impl Fn(Row) -> f32,
    age: f32,
) -> Option<(Row, Row, f32)> {
    let next = rows.iter().position(|&row| age_of(row) >= age)?;
    let right = rows[next];
    if age_of(right) == age {
        return Some((right, right, 0.0));
    }
    let left = rows[next.checked_sub(1)?];
    Some((left, right, (age - age_of(left)) / (age_of(right) - age_of(left))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_its_own_place_and_nothing_is_outside() {
        let place = |age| between(&[2.0, 4.0, 8.0], |row| row, age);
        assert_eq!(place(2.0), Some((2.0, 2.0, 0.0)));
        assert_eq!(place(5.0), Some((4.0, 8.0, 0.25)));
        assert_eq!((place(1.9), place(8.1)), (None, None));
    }
}
