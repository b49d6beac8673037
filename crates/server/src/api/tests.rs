//! The service asked in its own words, without a network and without a model.

use super::{openapi, router};
use crate::access::{Peer, Role, Users};
use crate::folder::Picture;
use crate::reading::testing::reading;
use crate::service::Shared;
use crate::service::testing::service;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use boneage_core::Digest;
use serde_json::{Value, json};
use std::time::Duration;
use tower::ServiceExt;

const PASSWORD: &str = "four words will do";

struct Bench {
    _dir: tempfile::TempDir,
    service: Shared,
    cookie: Option<String>,
    csrf: Option<String>,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{}", self.text()))
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Bench {
    fn new(settings: &str) -> Self {
        let (dir, service) = service(settings);
        let users = Users::open(&service.settings).unwrap();
        for (name, role) in [("vera", Role::Viewer), ("rita", Role::Reader), ("anna", Role::Admin)] {
            users.add(name, role, PASSWORD).unwrap();
        }
        Bench { _dir: dir, service, cookie: None, csrf: None }
    }

    fn open() -> Self {
        Bench::new("")
    }

    async fn as_user(name: &str) -> Self {
        let mut bench = Bench::new("[access]\nlogin = true");
        let answer = bench.login(name, PASSWORD).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let cookie = answer.headers["set-cookie"].to_str().unwrap();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
        bench.cookie = cookie.split(';').next().map(str::to_owned);
        bench.csrf = answer.json()["csrf"].as_str().map(str::to_owned);
        bench
    }

    async fn login(&self, name: &str, password: &str) -> Answer {
        self.send(Method::POST, "/api/v1/login", json!({"name": name, "password": password})).await
    }

    async fn ask(&self, request: Request<Body>) -> Answer {
        let (mut parts, body) = request.into_parts();
        parts.headers.entry("host").or_insert("localhost:8642".parse().unwrap());
        if let Some(cookie) = &self.cookie {
            parts.headers.insert("cookie", cookie.parse().unwrap());
        }
        if let Some(csrf) = &self.csrf {
            parts.headers.insert("x-csrf-token", csrf.parse().unwrap());
        }
        parts.extensions.insert(Peer([127, 0, 0, 1].into()));
        let response = router(&self.service).oneshot(Request::from_parts(parts, body)).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, 1 << 24).await.unwrap().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask(Request::get(path).body(Body::empty()).unwrap()).await
    }

    async fn send(&self, method: Method, path: &str, body: Value) -> Answer {
        let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
        self.ask(request.body(Body::from(body.to_string())).unwrap()).await
    }

    async fn delete(&self, path: &str) -> Answer {
        self.ask(Request::delete(path).body(Body::empty()).unwrap()).await
    }

    async fn upload(&self, bytes: &[u8], fields: &[(&str, &str)]) -> Answer {
        let mut body = Vec::new();
        for (name, value) in fields {
            let head = format!("--b\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            body.extend_from_slice(head.as_bytes());
        }
        body.extend_from_slice(
            b"--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"hand of Doe.png\"\r\n\r\n",
        );
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n--b--\r\n");
        let request =
            Request::post("/api/v1/films").header("content-type", "multipart/form-data; boundary=b");
        self.ask(request.body(Body::from(body)).unwrap()).await
    }

    /// A film that was read as `months`; its id.
    async fn read_film(&self, months: Option<f32>) -> String {
        self.read_film_of(b"a film", months, None).await
    }

    /// The same of these bytes, of a patient.
    async fn read_film_of(&self, bytes: &[u8], months: Option<f32>, patient: Option<&Digest>) -> String {
        let answer = self.upload(bytes, &[("sex", "female")]).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
        let id = answer.json()["id"].as_str().unwrap().to_owned();
        let job = self.service.store.lease(i64::MAX / 2, Duration::from_secs(9)).unwrap().unwrap();
        assert!(self.service.store.finish(&job, &reading(months), patient, 1_764_064_800_000, &[]).unwrap());
        id
    }
}

#[test]
fn the_document_is_as_it_was_agreed() {
    insta::assert_snapshot!("openapi", openapi());
}

#[tokio::test]
async fn what_is_documented_is_there_and_asks_who_you_are() {
    let bench = Bench::new("[access]\nlogin = true");
    let document: Value = serde_json::from_str(&openapi()).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["security"], json!([{"token": []}]));
    let mut asked = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        let open = ["/health", "/ready", "/metrics", "/api/v1/me", "/api/v1/login"].contains(&path.as_str());
        for (method, operation) in methods.as_object().unwrap() {
            assert_eq!(operation["security"] == json!([{}]), open, "{method} {path}: what the document says");
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let request = Request::builder()
                .method(method.clone())
                .uri(path.replace("{id}", "0").replace("{name}", "fhir.json"));
            let answer = bench.ask(request.body(Body::empty()).unwrap()).await;
            assert_eq!(
                answer.status == StatusCode::UNAUTHORIZED,
                !open,
                "{method} {path}: {}",
                answer.status
            );
            assert_ne!(answer.status, StatusCode::NOT_FOUND, "{method} {path}");
            asked += 1;
        }
    }
    assert!(asked > 12, "{asked}");
}

#[tokio::test]
async fn an_upload_is_taken_once() {
    let bench = Bench::open();
    let first = bench.upload(b"a film", &[("sex", "male")]).await;
    assert_eq!(first.status, StatusCode::ACCEPTED);
    let film = first.json();
    assert_eq!((&film["state"], &film["sex"]), (&json!("queued"), &json!("male")));
    assert_eq!(film["digest"], json!(Digest::of(b"a film").0));
    let again = bench.upload(b"a film", &[("sex", "male")]).await;
    assert_eq!((again.status, &again.json()["id"]), (StatusCode::OK, &film["id"]));
    for word in ["m", " male", "unknown"] {
        assert_eq!(bench.upload(b"a film", &[("sex", word)]).await.status, StatusCode::BAD_REQUEST, "{word}");
    }
    let other = bench.upload(b"a film", &[]).await;
    assert_eq!((other.status, &other.json()["sex"]), (StatusCode::ACCEPTED, &Value::Null));
    let list = bench.get("/api/v1/films?search=doe&per_page=1").await.json();
    assert_eq!((&list["total"], list["films"].as_array().map(Vec::len)), (&json!(2), Some(1)));
}

#[tokio::test]
async fn a_form_that_is_wrong_leaves_nothing_behind() {
    let bench = Bench::new("[upload]\nmax_megabytes = 1");
    for (bytes, fields, status) in [
        (&b""[..], vec![], StatusCode::BAD_REQUEST),
        (b"a film", vec![("sex", "boy")], StatusCode::BAD_REQUEST),
        (b"a film", vec![("age", "9")], StatusCode::BAD_REQUEST),
        (b"a film", vec![("sex", "m"), ("sex", "f")], StatusCode::BAD_REQUEST),
        (&vec![7; 1_000_001], vec![], StatusCode::PAYLOAD_TOO_LARGE),
        (&vec![7; 3_000_000], vec![], StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        let answer = bench.upload(bytes, &fields).await;
        assert_eq!(answer.status, status, "{}", answer.text());
        assert!(answer.json()["error"].is_string());
    }
    let folder = bench.service.store.folder();
    assert_eq!(std::fs::read_dir(folder.incoming()).unwrap().count(), 0);
    assert_eq!(folder.uploads().unwrap().len(), 0);
}

#[tokio::test]
async fn what_is_asked_beyond_the_limits_is_refused_as_json() {
    let bench = Bench::open();
    for path in ["films?page=0", "films?per_page=201", "films.csv?per_page=0", "audit?page=1000000001"] {
        let answer = bench.get(&format!("/api/v1/{path}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
        assert!(answer.json()["error"].is_string(), "{path}");
    }
    let answer = bench.ask(Request::post("/api/v1/films").body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.json()["error"].as_str().unwrap().contains("form"), "{}", answer.text());
}

#[tokio::test]
async fn a_reading_is_accepted_overruled_and_taken_back() {
    let bench = Bench::as_user("rita").await;
    let id = bench.read_film(Some(127.34)).await;
    let path = format!("/api/v1/films/{id}");
    let review = format!("{path}/review");
    assert_eq!(bench.get(&path).await.json()["months"], json!(127.3));
    let put = |body| bench.send(Method::PUT, &review, body);
    for (wrong, status) in [
        (json!({"verdict": "overruled", "months": 241}), StatusCode::BAD_REQUEST),
        (json!({"verdict": "accepted", "comment": "x".repeat(2001)}), StatusCode::BAD_REQUEST),
        (json!({"verdict": "overruled"}), StatusCode::UNPROCESSABLE_ENTITY),
        (json!({"verdict": "accepted", "months": 3}), StatusCode::UNPROCESSABLE_ENTITY),
        (json!({"verdict": "perhaps"}), StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        assert_eq!(put(wrong.clone()).await.status, status, "{wrong}");
    }
    let film = put(json!({"verdict": "overruled", "months": 120, "comment": "=thumb"})).await.json();
    assert_eq!((&film["months"], &film["review"]["by"]), (&json!(120.0), &json!("rita")));
    let csv = bench.get("/api/v1/films.csv?reviewed=true").await.text();
    assert!(csv.contains("127.3") && csv.contains("overruled,120,'=thumb,rita"), "{csv}");
    assert_eq!(bench.delete(&review).await.status, StatusCode::NO_CONTENT);
    assert_eq!(bench.get(&path).await.json()["review"], Value::Null);
    assert_eq!(put(json!({"verdict": "accepted"})).await.status, StatusCode::OK);
    assert_eq!(bench.delete(&path).await.status, StatusCode::FORBIDDEN, "a reader deletes nothing");
    assert_eq!(bench.get("/api/v1/audit").await.status, StatusCode::FORBIDDEN);
    let log = bench.service.store.audit_log(0, 100).unwrap().0;
    let rita = log.iter().filter(|row| row.user == "rita").map(|row| row.action.as_str());
    let rita: Vec<&str> = rita.collect();
    assert_eq!(
        rita,
        ["accepted", "saw", "reopened", "exported", "overruled", "saw", "uploaded", "logged_in"]
    );
}

#[tokio::test]
async fn no_age_is_accepted_where_none_is_told() {
    let bench = Bench::open();
    let id = bench.read_film(None).await;
    let review = format!("/api/v1/films/{id}/review");
    let answer = bench.send(Method::PUT, &review, json!({"verdict": "accepted"})).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    let answer = bench.send(Method::PUT, &review, json!({"verdict": "overruled", "months": 60})).await;
    assert_eq!((answer.status, &answer.json()["months"]), (StatusCode::OK, &json!(60.0)));
}

#[tokio::test]
async fn pictures_come_from_known_films_alone() {
    let bench = Bench::open();
    let id = bench.read_film(Some(100.0)).await;
    let folder = bench.service.store.folder();
    folder.write_picture(&id, Picture::Attention, b"png").unwrap();
    let answer = bench.get(&format!("/api/v1/films/{id}/attention.png")).await;
    assert_eq!((answer.status, answer.body.as_slice()), (StatusCode::OK, &b"png"[..]));
    let none = bench.get(&format!("/api/v1/films/{id}/hand.png")).await;
    assert_eq!(none.status, StatusCode::CONFLICT, "the film is there, its hand is not");
    for path in ["..%2F..%2Fboneage.sqlite/image.png", "0/image.png"] {
        assert_eq!(bench.get(&format!("/api/v1/films/{path}")).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn results_are_made_of_what_is_stored() {
    let bench = Bench::open();
    let id = bench.read_film(Some(100.0)).await;
    let png = crate::pictures::image(&crate::reading::testing::film().plane).unwrap();
    bench.service.store.folder().write_picture(&id, Picture::Image, &png).unwrap();
    let get = async |name: &str| bench.get(&format!("/api/v1/films/{id}/results/{name}")).await;
    let page = get("report.pdf").await;
    assert_eq!((page.status, &page.body[..5]), (StatusCode::OK, &b"%PDF-"[..]));
    assert_eq!(page.headers["content-type"], "application/pdf");
    let bundle = get("fhir.json").await.json();
    assert_eq!(bundle["entry"][1]["resource"]["valueQuantity"]["value"], json!(100.0));
    let reading = get("reading.json").await.json();
    assert_eq!((&reading["months"], &reading["file"]), (&json!(100.0), &json!("hand of Doe.png")));
    let overlay = image::load_from_memory(&get("overlay.png").await.body).unwrap();
    assert!(overlay.width() >= 640);
    let object = get("sr.dcm").await;
    assert_eq!(object.status, StatusCode::CONFLICT);
    assert!(object.text().contains("came as DICOM"), "{}", object.text());
    assert_eq!(get("boneage.sqlite").await.status, StatusCode::NOT_FOUND);
    let unread = bench.upload(b"another film", &[]).await.json();
    let path = format!("/api/v1/films/{}/results/fhir.json", unread["id"].as_str().unwrap());
    assert_eq!(bench.get(&path).await.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn a_film_is_read_again_as_a_person_lays_it_down() {
    let bench = Bench::as_user("rita").await;
    let id = bench.read_film(Some(100.0)).await;
    let path = format!("/api/v1/films/{id}/readings");
    let post = |body| bench.send(Method::POST, &path, body);
    let part = |width: f32| json!({"left": 0.25, "top": 0, "width": width, "height": 1});
    for (wrong, status) in [
        (json!({"turn": 181}), StatusCode::BAD_REQUEST),
        (json!({"crop": part(0.01)}), StatusCode::BAD_REQUEST),
        (json!({"crop": {"left": 0}}), StatusCode::UNPROCESSABLE_ENTITY),
        (json!({"zoom": 2}), StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        assert_eq!(post(wrong.clone()).await.status, status, "{wrong}");
    }
    let answer = post(json!({"turn": -15, "crop": part(0.5)})).await;
    assert_eq!((answer.status, &answer.json()["state"]), (StatusCode::ACCEPTED, &json!("queued")));
    assert_eq!(post(json!({})).await.status, StatusCode::CONFLICT, "it waits to be read");
    let job = bench.service.store.lease(i64::MAX / 2, Duration::from_secs(9)).unwrap().unwrap();
    assert_eq!(
        job.by_hand.unwrap().placing().unwrap().words(),
        "turned by hand by 15 degrees anticlockwise, cropped by hand"
    );
    bench.service.store.finish(&job, &reading(Some(110.0)), None, 1_764_064_900_000, &[]).unwrap();
    let former = bench.get(&path).await.json();
    assert_eq!(
        (&former["readings"][0]["reading"]["months"], former["readings"].as_array().map(Vec::len)),
        (&json!(100.0), Some(1))
    );
    let said = json!({"verdict": "accepted"});
    assert_eq!(
        bench.send(Method::PUT, &format!("/api/v1/films/{id}/review"), said).await.status,
        StatusCode::OK
    );
    let answer = post(json!({})).await;
    assert!(answer.status == StatusCode::CONFLICT && answer.text().contains("verdict"), "{}", answer.text());
    let log = bench.service.store.audit_log(0, 100).unwrap().0;
    let line = log.iter().find(|row| row.action == "read_again").unwrap();
    assert!(line.user == "rita" && line.detail.starts_with("turned by hand"), "{line:?}");
    let viewer = Bench::as_user("vera").await;
    let answer = viewer.send(Method::POST, "/api/v1/films/0/readings", json!({})).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_film_whose_file_is_gone_is_not_read_again() {
    let bench = Bench::open();
    let id = bench.read_film(Some(100.0)).await;
    bench.service.store.settle(&id, &Digest::of(b"a film"), true).unwrap();
    let answer = bench.send(Method::POST, &format!("/api/v1/films/{id}/readings"), json!({})).await;
    assert!(answer.status == StatusCode::CONFLICT && answer.text().contains("not kept"), "{}", answer.text());
}

#[tokio::test]
async fn the_studies_of_a_patient_come_by_age_beside_the_reference() {
    let bench = Bench::open();
    let patient = Digest::of(b"7");
    let first = bench.read_film_of(b"first", Some(100.0), Some(&patient)).await;
    let second = bench.read_film_of(b"second", Some(130.0), Some(&patient)).await;
    let alone = bench.read_film_of(b"alone", Some(90.0), None).await;
    let said = json!({"verdict": "overruled", "months": 110});
    let review = format!("/api/v1/films/{first}/review");
    assert_eq!(bench.send(Method::PUT, &review, said).await.status, StatusCode::OK);
    let history = bench.get(&format!("/api/v1/films/{second}/history")).await.json();
    assert_eq!(history["patient_known"], json!(true));
    let studies = history["studies"].as_array().unwrap();
    assert_eq!(studies.len(), 2);
    let of = |id: &str| studies.iter().find(|study| study["film"] == json!(id)).unwrap();
    let (before, this) = (of(&first), of(&second));
    assert_eq!((&before["this"], &this["this"]), (&json!(false), &json!(true)));
    assert_eq!((&before["months"], &before["overruled"]), (&json!(110.0), &json!(true)));
    assert!(before["interval"].is_null() && this["interval"]["upper"].is_number());
    // 10 years to the day, a girl: (110 - 120) / 11.73.
    assert_eq!((&before["sds"], &this["chronological_age"]), (&json!(-0.9), &json!(120.0)));
    let history = bench.get(&format!("/api/v1/films/{alone}/history")).await.json();
    assert_eq!((&history["patient_known"], &history["studies"][0]["film"]), (&json!(false), &json!(alone)));
    let table = bench.get("/api/v1/reference").await.json();
    assert_eq!(table["name"], "Brush Foundation");
    assert_eq!(table["female"][0], json!({"age": 3.0, "mean": 3.0, "sd": 0.72}));
    assert_eq!(bench.get("/api/v1/films/0/history").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn roles_bound_what_people_do() {
    let viewer = Bench::as_user("vera").await;
    assert_eq!(viewer.upload(b"a film", &[]).await.status, StatusCode::FORBIDDEN);
    assert_eq!(viewer.get("/api/v1/films").await.status, StatusCode::OK);
    let admin = Bench::as_user("anna").await;
    let id = admin.read_film(Some(100.0)).await;
    assert_eq!(admin.delete(&format!("/api/v1/films/{id}")).await.status, StatusCode::NO_CONTENT);
    assert_eq!(admin.get(&format!("/api/v1/films/{id}")).await.status, StatusCode::NOT_FOUND);
    let log = admin.get("/api/v1/audit").await.json();
    assert_eq!(log["lines"][0]["action"], "deleted");
}

#[tokio::test]
async fn a_change_needs_the_proof_of_its_session_and_logging_out_ends_it() {
    let mut bench = Bench::as_user("rita").await;
    let csrf = bench.csrf.take();
    assert_eq!(bench.upload(b"a film", &[]).await.status, StatusCode::FORBIDDEN);
    bench.csrf = Some("0".repeat(64));
    assert_eq!(bench.upload(b"a film", &[]).await.status, StatusCode::FORBIDDEN);
    bench.csrf = csrf;
    assert_eq!(bench.upload(b"a film", &[]).await.status, StatusCode::ACCEPTED);
    assert_eq!(bench.send(Method::POST, "/api/v1/logout", json!({})).await.status, StatusCode::NO_CONTENT);
    assert_eq!(bench.get("/api/v1/films").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(bench.get("/api/v1/me").await.json()["name"], Value::Null);
}

#[tokio::test]
async fn a_token_acts_for_its_user() {
    let bench = Bench::new("[access]\nlogin = true");
    let token = Users::open(&bench.service.settings).unwrap().token("rita").unwrap();
    let ask = |token: String| {
        let request = Request::get("/api/v1/me").header("authorization", format!("Bearer {token}"));
        bench.ask(request.body(Body::empty()).unwrap())
    };
    assert_eq!(ask(token.clone()).await.json()["name"], "rita");
    assert_eq!(ask(token.replace(&token[..1], "g")).await.json()["name"], Value::Null);
}

#[tokio::test]
async fn who_guesses_passwords_must_wait() {
    let bench = Bench::new("[access]\nlogin = true");
    for _ in 0..5 {
        assert_eq!(bench.login("anna", "not the password").await.status, StatusCode::UNAUTHORIZED);
    }
    let answer = bench.login("anna", PASSWORD).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(answer.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() > 800);
}

#[tokio::test]
async fn every_answer_has_its_headers_and_metrics_count_it() {
    let bench = Bench::open();
    for path in ["/", "/api/v1/films", "/nothing", "/health"] {
        let answer = bench.get(path).await;
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff", "{path}");
        assert!(answer.headers.contains_key("cache-control"), "{path}");
    }
    let request = Request::get("/api/v1/films").header("host", "evil.example");
    assert_eq!(bench.ask(request.body(Body::empty()).unwrap()).await.status, StatusCode::MISDIRECTED_REQUEST);
    let metrics = bench.get("/metrics").await.text();
    for line in [
        "boneage_http_requests_total{method=\"GET\",route=\"/api/v1/films\",status=\"200\"} 1",
        "boneage_films{state=\"queued\"} 0",
        "boneage_http_request_seconds_count",
    ] {
        assert!(metrics.contains(line), "{line} is not in {metrics}");
    }
    assert_eq!(bench.get("/ready").await.status, StatusCode::OK);
    bench.service.bell.close();
    assert_eq!(bench.get("/ready").await.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn names_are_not_kept_where_the_store_is_deidentified() {
    let bench = Bench::new("[storage]\ndeidentify = true");
    assert_eq!(bench.upload(b"a film", &[]).await.json()["name"], "");
}
