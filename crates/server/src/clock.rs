use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970, UTC: how the database keeps every moment.
pub(crate) type Moment = i64;

/// This moment.
pub(crate) fn now() -> Moment {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

/// The second that a moment lies in.
pub(crate) fn second(moment: Moment) -> boneage_core::Moment {
    let second = boneage_core::Moment::of_unix(moment.max(0) as u64 / 1000);
    second.or_else(|| boneage_core::Moment::of_unix(0)).expect("1970 is a year")
}

/// RFC 3339 in UTC, to the second: `2026-11-25T09:30:00Z`.
pub(crate) fn written(moment: Moment) -> String {
    second(moment).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_to_the_second_in_utc() {
        assert_eq!(written(1_764_064_800_999), "2025-11-25T10:00:00Z");
        assert_eq!(written(-5), "1970-01-01T00:00:00Z");
    }
}
