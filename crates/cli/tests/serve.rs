//! The service as it runs: started as a process, asked over the network, killed.

#[allow(dead_code)] // what only other tests use
mod bench;
#[allow(dead_code)] // what only other tests use
mod service;

use bench::{Bench, run};
use service::{Service, stderr};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[cfg(unix)]
#[test]
fn a_film_is_read_and_no_name_is_in_the_log() {
    let bench = Bench::new();
    let start = Instant::now();
    let service = Service::start(&bench, &[]);
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    assert!(service.get("/").contains("<title>boneage</title>"));
    assert_eq!(service.get("/ready"), "ready\n");
    let hand = std::fs::read(bench.path("hand.png")).expect("the bench's film");
    let id = service.upload(&hand, "Doe^Jane.png", "female").expect("it is taken");
    let read = service.read(&id);
    assert_eq!((&read["state"], &read["months"]), (&"done".into(), &122.4.into()), "{read}");
    assert_eq!(read["name"], "Doe^Jane.png");
    let broken = service.upload(&hand[..hand.len() / 2], "Roe.png", "male").expect("it is taken");
    let failed = service.read(&broken);
    assert_eq!(failed["state"], "failed");
    assert!(failed["failure"].as_str().is_some_and(|why| why.contains("truncated")), "{failed}");
    for name in ["image", "attention", "hand"] {
        let mut picture = Vec::new();
        let path = format!("{}/api/v1/films/{id}/{name}.png", service.address);
        let answer = ureq::get(path).call();
        if name == "hand" && answer.is_err() {
            continue; // The blob of the bench need not look like a hand.
        }
        answer.expect(name).into_body().into_reader().read_to_end(&mut picture).expect("bytes");
        assert!(image::load_from_memory(&picture).is_ok(), "{name}");
    }
    assert_eq!(service.get("/api/v1/films?search=Doe").matches("Doe^Jane").count(), 1);
    let log = service.stop();
    assert!(log.contains("answered a request") && log.contains("read a film"), "{log}");
    assert!(!log.contains("Doe") && !log.contains("Roe") && !log.contains("search"), "{log}");
}

#[test]
fn whoever_is_killed_loses_nothing_and_doubles_nothing() {
    let bench = Bench::new();
    let mut acknowledged = BTreeSet::new();
    let mut number = 0;
    for round in 0..4 {
        let service = Service::start(&bench, &[]);
        // Each round ends at another moment of an upload or a reading.
        let address = service.address.clone();
        let end = Instant::now() + Duration::from_millis(250 + 170 * round);
        // A page of the worklist holds 200.
        while Instant::now() < end && number < 40 * (round as u32 + 1) {
            number += 1;
            let bytes = bench.numbered(number);
            acknowledged.extend(service.upload(&bytes, "film.png", "male"));
        }
        // One more is on its way when the process dies.
        let last = bench.numbered(number + 1);
        let sender = std::thread::spawn(move || {
            let _ = ureq::post(format!("{address}/api/v1/films"))
                .header("content-type", "multipart/form-data; boundary=b")
                .send(&[b"--b\r\ncontent-disposition: form-data; name=\"file\"\r\n\r\n", &last[..]].concat());
        });
        service.kill();
        sender.join().expect("it only sends");
    }
    assert!(acknowledged.len() >= 4, "{acknowledged:?}");
    let service = Service::start(&bench, &[]);
    for id in &acknowledged {
        assert_eq!(service.read(id)["state"], "done", "{id} is lost");
    }
    // What was sent again is the same film.
    for number in 1..=3 {
        let id = service.upload(&bench.numbered(number), "film.png", "male").expect("it is taken");
        assert!(acknowledged.contains(&id));
    }
    let list = service.json("/api/v1/films?per_page=200");
    let total = list["total"].as_u64().expect("a number") as usize;
    // Those that died on their way out of the kernel may be there without a word: at most one a round.
    assert!((acknowledged.len()..=acknowledged.len() + 4).contains(&total), "{total} films");
    let digests: BTreeSet<String> =
        list["films"].as_array().expect("films").iter().map(|film| film["digest"].to_string()).collect();
    assert_eq!(digests.len(), total, "a film is there twice");
    assert_eq!(std::fs::read_dir(bench.path("data/incoming")).expect("a folder").count(), 0);
}

#[test]
fn one_folder_is_served_once() {
    let bench = Bench::new();
    let _service = Service::start(&bench, &[]);
    let second = run(
        bench.dir.path(),
        &["serve", "--data", "data", "--listen", "127.0.0.1:0", "--model", "model.safetensors"],
    );
    assert_eq!(second.code, 2);
    assert!(second.stderr.contains("served by another boneage"), "{}", second.stderr);
}

#[test]
fn nothing_stands_open_to_other_machines() {
    let bench = Bench::new();
    let serve = |config: &str| {
        bench.write("boneage.toml", config.as_bytes());
        run(
            bench.dir.path(),
            &["serve", "--data", "data", "--config", "boneage.toml", "--model", "model.safetensors"],
        )
    };
    let open = "listen = \"0.0.0.0:0\"\n";
    for (config, part) in [
        (open.to_owned(), "people must log in"),
        (format!("{open}[access]\nlogin = true\n"), "connections must be encrypted"),
        (format!("{open}[access]\nlogin = true\n[tls]\nproxy = true\n"), "there is no user yet"),
        ("lsiten = 1".to_owned(), "lsiten"),
    ] {
        let ran = serve(&config);
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert!(ran.stderr.contains(part), "{config}: {}", ran.stderr);
    }
}

#[test]
fn users_are_added_listed_and_removed() {
    let bench = Bench::new();
    let mut child = Command::new(env!("CARGO_BIN_EXE_boneage"))
        .args(["users", "add", "anna", "--role", "admin", "--data", "data"])
        .current_dir(bench.dir.path())
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    child.stdin.take().expect("piped").write_all(b"four words will do\n").expect("it reads");
    assert!(child.wait().expect("it ends").success(), "{}", stderr(&mut child));
    let users = |args: &[&str]| run(bench.dir.path(), &[&["users"], args, &["--data", "data"]].concat());
    assert_eq!(users(&["list"]).stdout, "anna\tadmin\n");
    assert_eq!(users(&["token", "anna"]).stdout.trim().len(), 64);
    assert_eq!(users(&["remove", "anna"]).code, 0);
    assert_eq!(users(&["remove", "anna"]).code, 2);
    assert_eq!(users(&["list"]).stdout, "");
}

#[test]
fn the_settings_in_force_can_be_printed_and_read_again() {
    let bench = Bench::new();
    let printed = run(bench.dir.path(), &["serve", "--print-config", "--data", "here"]).stdout;
    assert!(printed.contains("data = \"here\"") && printed.contains("[access]\nlogin = false"), "{printed}");
    bench.write("boneage.toml", printed.as_bytes());
    let again = run(bench.dir.path(), &["serve", "--print-config", "--config", "boneage.toml"]).stdout;
    assert_eq!(again, printed);
}
