use super::ApiError;
use super::error::ErrorBody;
use super::films::Wanted;
use crate::access::Person;
use crate::clock::written;
use crate::service::{Service, Shared, blocking};
use crate::store::{Action, FilmRow, Query as StoreQuery, Verdict};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use std::io;

/// Films of one look into the database.
const PAGE: u64 = 500;

const HEADER: [&str; 18] = [
    "id",
    "name",
    "sex",
    "received_at",
    "state",
    "failure",
    "months",
    "lower",
    "upper",
    "level",
    "decision",
    "flags",
    "verdict",
    "verdict_months",
    "comment",
    "reviewed_by",
    "reviewed_at",
    "model",
];

/// The worklist as a table, all pages.
#[utoipa::path(get, path = "/api/v1/films.csv", tag = "films", params(Wanted), responses(
    (status = 200, content_type = "text/csv", body = String),
    (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
))]
pub(super) async fn csv(
    State(service): State<Shared>,
    person: Person,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, ApiError> {
    let query = wanted?.0.query()?;
    let table = blocking(&service, move |service| table(service, &query, &person.name)).await??;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"boneage.csv\""),
    ];
    Ok((headers, table).into_response())
}

fn table(service: &Service, query: &StoreQuery, person: &str) -> Result<Vec<u8>, ApiError> {
    let mut out = csv::Writer::from_writer(Vec::new());
    let fault = |error: csv::Error| ApiError::from(io::Error::other(error));
    out.write_record(HEADER).map_err(fault)?;
    let mut written = 0;
    loop {
        let (films, total) = service.store.films(query, written, PAGE)?;
        for film in &films {
            out.write_record(record(film)).map_err(fault)?;
        }
        written += films.len() as u64;
        if films.is_empty() || written >= total {
            break;
        }
    }
    service.store.audit(person, Action::Exported, None, &format!("{written} films"))?;
    out.into_inner().map_err(|error| ApiError::from(io::Error::other(error.to_string())))
}

fn record(film: &FilmRow) -> [String; 18] {
    let reading = film.reading.as_ref();
    let interval = reading.and_then(|reading| reading.interval.as_ref());
    let number = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
    let flags = reading.map_or(String::new(), |reading| {
        reading.flags.iter().map(|flag| flag.code.as_str()).collect::<Vec<_>>().join(" ")
    });
    let review = film.review.as_ref();
    let (verdict, months) = match review.map(|review| review.verdict) {
        None => ("", None),
        Some(Verdict::Accepted) => ("accepted", None),
        Some(Verdict::Overruled(months)) => ("overruled", Some(months)),
    };
    [
        film.id.clone(),
        harmless(&film.name),
        film.sex.map_or("", |sex| sex.as_str()).to_owned(),
        written(film.received_at),
        film.state.as_str().to_owned(),
        film.failure.clone().unwrap_or_default(),
        number(reading.and_then(|reading| reading.months)),
        number(interval.map(|interval| interval.lower)),
        number(interval.map(|interval| interval.upper)),
        number(interval.map(|interval| interval.level)),
        reading.map_or(String::new(), |reading| reading.decision.clone()),
        flags,
        verdict.to_owned(),
        number(months),
        harmless(review.map_or("", |review| &review.comment)),
        harmless(review.map_or("", |review| &review.by)),
        review.map_or(String::new(), |review| written(review.at)),
        reading.map_or(String::new(), |reading| reading.model.name.clone()),
    ]
}

/// Spreadsheets run what begins like a formula; a leading apostrophe makes it text.
fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_name_is_no_formula() {
        assert_eq!(super::harmless("=1+1"), "'=1+1");
        assert_eq!(super::harmless("hand.png"), "hand.png");
    }
}
