use crate::store::State;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::time::Duration;

/// What `/metrics` tells. Labels are routes, never paths: a path holds a film's id.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    request_seconds: Histogram,
    films: Family<FilmState, Gauge>,
    readings: Family<Outcome, Counter>,
    reading_seconds: Histogram,
    objects: Family<Outcome, Counter>,
    deliveries: Family<Outcome, Counter>,
    waiting_deliveries: Gauge,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    method: String,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FilmState {
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

/// Upper bounds in seconds.
const REQUEST_BUCKETS: [f64; 8] = [0.005, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];
const READING_BUCKETS: [f64; 8] = [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0];

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("boneage");
        let requests = Family::default();
        let request_seconds = Histogram::new(REQUEST_BUCKETS);
        let films = Family::default();
        let readings = Family::default();
        let reading_seconds = Histogram::new(READING_BUCKETS);
        let objects = Family::default();
        let deliveries = Family::default();
        let waiting_deliveries = Gauge::default();
        registry.register("http_requests", "Requests that were answered", requests.clone());
        registry.register("http_request_seconds", "Time to answer a request", request_seconds.clone());
        registry.register("films", "Films by state", films.clone());
        registry.register("readings", "Readings by outcome", readings.clone());
        registry.register("reading_seconds", "Time to read a film", reading_seconds.clone());
        registry.register("objects", "Objects that came by C-STORE", objects.clone());
        registry.register("deliveries", "Tries to send results, by outcome", deliveries.clone());
        registry.register("deliveries_waiting", "Results that are to be sent", waiting_deliveries.clone());
        Metrics {
            registry,
            requests,
            request_seconds,
            films,
            readings,
            reading_seconds,
            objects,
            deliveries,
            waiting_deliveries,
        }
    }

    pub(crate) fn answered(&self, method: &str, route: &str, status: u16, took: Duration) {
        let labels = Request { method: method.to_owned(), route: route.to_owned(), status };
        self.requests.get_or_create(&labels).inc();
        self.request_seconds.observe(took.as_secs_f64());
    }

    /// `outcome` is a decision, `failed` or `put_back`.
    pub(crate) fn read(&self, outcome: &'static str, took: Duration) {
        self.readings.get_or_create(&Outcome { outcome }).inc();
        self.reading_seconds.observe(took.as_secs_f64());
    }

    /// An object came by C-STORE, and was stored or refused.
    pub(crate) fn stored(&self, stored: bool) {
        let outcome = if stored { "stored" } else { "refused" };
        self.objects.get_or_create(&Outcome { outcome }).inc();
    }

    /// `outcome` is `sent`, `put_back` or `given_up`.
    pub(crate) fn delivered(&self, outcome: &'static str) {
        self.deliveries.get_or_create(&Outcome { outcome }).inc();
    }

    /// Everything in the OpenMetrics text format.
    pub(crate) fn text(&self, films: &[(State, u64)], waiting_deliveries: u64) -> String {
        self.waiting_deliveries.set(waiting_deliveries as i64);
        for (state, count) in films {
            self.films.get_or_create(&FilmState { state: state.as_str() }).set(*count as i64);
        }
        let mut out = String::new();
        text::encode(&mut out, &self.registry).expect("a string takes everything");
        out
    }
}
