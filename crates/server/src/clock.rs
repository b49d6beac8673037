use jiff::Timestamp;

/// Milliseconds since 1970, UTC: how the database keeps every moment.
pub(crate) type Moment = i64;

/// This moment.
pub(crate) fn now() -> Moment {
    Timestamp::now().as_millisecond()
}

/// RFC 3339 in UTC, to the second: `2026-11-25T09:30:00Z`.
pub(crate) fn written(moment: Moment) -> String {
    let seconds = Timestamp::from_second(moment.div_euclid(1000)).unwrap_or(Timestamp::UNIX_EPOCH);
    seconds.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_to_the_second_in_utc() {
        assert_eq!(written(1_764_064_800_999), "2025-11-25T10:00:00Z");
    }
}
