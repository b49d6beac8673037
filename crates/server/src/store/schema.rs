use rusqlite_migration::{M, Migrations};

/// The schema as a list of steps: a released step never changes, new ones are added below.
pub(super) fn migrations() -> Migrations<'static> {
    Migrations::new(vec![M::up(FIRST), M::up(PATIENTS), M::up(READINGS)])
}

/// A film is a job from the moment it comes until it is done or failed; what is to be sent of it is a delivery. Moments are milliseconds since 1970.
const FIRST: &str = "
CREATE TABLE films (
    id TEXT PRIMARY KEY,
    digest TEXT NOT NULL,
    sex TEXT CHECK (sex IN ('female', 'male')),
    name TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    source TEXT NOT NULL,
    sender TEXT,
    instance TEXT UNIQUE,
    received_at INTEGER NOT NULL,

    state TEXT NOT NULL CHECK (state IN ('queued', 'leased', 'done', 'failed', 'skipped')),
    attempts INTEGER NOT NULL DEFAULT 0,
    lease TEXT,
    lease_until INTEGER,
    not_before INTEGER NOT NULL DEFAULT 0,
    failure TEXT,

    reading TEXT,
    read_at INTEGER,
    settled INTEGER NOT NULL DEFAULT 0,

    verdict TEXT CHECK (verdict IN ('accepted', 'overruled')),
    verdict_months REAL,
    comment TEXT NOT NULL DEFAULT '',
    reviewed_by TEXT,
    reviewed_at INTEGER
) STRICT;
CREATE INDEX films_to_read ON films (state, not_before, attempts, received_at);
CREATE INDEX films_by_arrival ON films (received_at DESC, id);
CREATE INDEX films_by_digest ON films (digest);

CREATE TABLE deliveries (
    film TEXT NOT NULL REFERENCES films (id) ON DELETE CASCADE,
    destination TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'given_up')),
    attempts INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    not_before INTEGER NOT NULL,
    failure TEXT,
    ended_at INTEGER,
    PRIMARY KEY (film, destination)
) STRICT;
CREATE INDEX deliveries_to_make ON deliveries (destination, state, not_before);

CREATE TABLE users (
    name TEXT PRIMARY KEY,
    role TEXT NOT NULL CHECK (role IN ('viewer', 'reader', 'admin')),
    password TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE TABLE sessions (
    digest TEXT PRIMARY KEY,
    user TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    csrf TEXT NOT NULL,
    until INTEGER NOT NULL
) STRICT;
CREATE TABLE tokens (
    digest TEXT PRIMARY KEY,
    user TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    user TEXT NOT NULL,
    action TEXT NOT NULL,
    film TEXT,
    detail TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
";

/// A digest by which films of the same patient find each other; null where none is known or none is kept.
const PATIENTS: &str = "
ALTER TABLE films ADD COLUMN patient TEXT;
CREATE INDEX films_by_patient ON films (patient) WHERE patient IS NOT NULL;
";

/// How a person wants the film laid down, as JSON; the readings that others have taken the place of; whether what is to
/// be sent has been tried, or is of a reading that came since.
const READINGS: &str = "
ALTER TABLE films ADD COLUMN by_hand TEXT;
ALTER TABLE deliveries ADD COLUMN tried INTEGER NOT NULL DEFAULT 0;
CREATE TABLE former_readings (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    film TEXT NOT NULL REFERENCES films (id) ON DELETE CASCADE,
    reading TEXT NOT NULL,
    read_at INTEGER NOT NULL
) STRICT;
CREATE INDEX former_readings_by_film ON former_readings (film);
";

#[cfg(test)]
mod tests {
    #[test]
    fn the_steps_lead_to_a_sound_database() {
        super::migrations().validate().unwrap();
    }
}
