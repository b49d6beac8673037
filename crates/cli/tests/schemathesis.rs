//! The running service asked by schemathesis, which makes requests from the OpenAPI document, right ones and wrong ones, and
//! looks at every answer. Where it is missing, the test says so and is skipped; the continuous integration has it.

#[allow(dead_code)] // what only other tests use
mod bench;
mod others;
#[allow(dead_code)]
mod service;

use bench::Bench;
use others::python_with;
use service::Service;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Longest that all its questions may take: a service that hangs fails the test.
const LONGEST: Duration = Duration::from_secs(240);

/// Asks with every check. `options` are further ones of schemathesis.
fn ask(service: &Service, bench: &Bench, options: &[&str]) {
    let Some(mut python) = python_with("schemathesis") else { return };
    let start = Instant::now();
    let ran = python
        .args(["-c", "from schemathesis.cli import schemathesis; schemathesis()", "run"])
        .arg(format!("{}/api/v1/openapi.json", service.address))
        .args(["--checks", "all", "--mode", "all", "--seed", "4", "--max-examples", "25"])
        .args(["--continue-on-failure", "--no-color", "--generation-database", "none"])
        .args(options)
        .env("SCHEMATHESIS_HOOKS", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/schemathesis_hooks.py"))
        .current_dir(bench.dir.path())
        .output()
        .expect("it is there");
    let told = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{told}\n{}", String::from_utf8_lossy(&ran.stderr));
    assert!(told.contains("No issues found") || told.contains("passed"), "it asked nothing: {told}");
    assert!(start.elapsed() < LONGEST, "{:?}", start.elapsed());
    assert_eq!(service.get("/ready"), "ready\n");
}

#[test]
fn the_service_answers_as_its_document_says() {
    let bench = Bench::new();
    let service = Service::start(&bench, &[]);
    ask(&service, &bench, &[]);
}

/// Made up ids are hardly ever there: here every question is about a film that is.
#[test]
fn a_film_that_is_read_answers_as_the_document_says() {
    let bench = Bench::new();
    let service = Service::start(&bench, &[]);
    let film = std::fs::read(bench.path("hand.png")).expect("the bench's film");
    let id = service.upload(&film, "hand.png", "female").expect("it is taken");
    assert_eq!(service.read(&id)["state"], "done");
    bench.write("schemathesis.toml", format!("[parameters]\n\"path.id\" = \"{id}\"\n").as_bytes());
    ask(&service, &bench, &["--exclude-method", "DELETE", "--phases", "coverage,fuzzing"]);
    assert_eq!(service.read(&id)["state"], "done");
}

#[test]
fn nobody_gets_past_the_login() {
    let bench = Bench::new();
    bench.write("boneage.toml", b"[access]\nlogin = true\n");
    let boneage = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_boneage"));
        command.args(args).args(["anna", "--data", "data"]).current_dir(bench.dir.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the command starts");
        child.stdin.take().expect("piped").write_all(b"four words will do\n").expect("a pipe");
        let output = child.wait_with_output().expect("it ends");
        String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned()
    };
    boneage(&["users", "add", "--role", "admin"]);
    let token = format!("Authorization: Bearer {}", boneage(&["users", "token"]));
    let service = Service::start(&bench, &["--config", "boneage.toml"]);
    ask(&service, &bench, &["--header", &token, "--phases", "coverage,fuzzing"]);
}
