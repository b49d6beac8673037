//! The DICOM node as it runs, asked by programs of others: DCMTK and pynetdicom. Where they are missing, a test says so
//! and is skipped; the continuous integration has both.

#[allow(dead_code)] // what only other tests use
mod bench;
mod others;
#[allow(dead_code)]
mod service;

use bench::Bench;
use others::python_with;
use serde_json::Value;
use service::Service;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);

fn fixture(name: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/dicom")).join(name)
}

/// Whether a program is there; if not, says that the test is skipped.
fn there(program: &str, argument: &str) -> bool {
    let ran = Command::new(program).arg(argument).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let there = ran.is_ok();
    if !there {
        eprintln!("skipped: {program} is not there; hint: install dcmtk");
    }
    there
}

/// A port that was free a moment ago.
fn free_port() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("its address").port().to_string()
}

fn storescu(port: &str, options: &[&str], file: &Path) -> std::process::Output {
    let mut command = Command::new("storescu");
    command.args(["-aec", "BONEAGE", "-aet", "CR1"]).args(options).args(["127.0.0.1", port]).arg(file);
    command.output().expect("storescu is there")
}

/// A program that ends with this.
struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(start.elapsed() < PATIENCE, "{what} did not come");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Gives a fixture a SOP instance UID of its own, where it stands in the clear.
fn renumber(file: &mut [u8], last: u8) {
    let number = b"1.2.826.0.1.3680043.8.498.1.1";
    for at in 0..file.len() - number.len() {
        if &file[at..at + number.len()] == number {
            file[at + number.len() - 1] = last;
        }
    }
}

#[test]
fn dcmtk_sends_in_every_transfer_syntax() {
    if !there("storescu", "--version") || !there("echoscu", "--version") {
        return;
    }
    let bench = Bench::new();
    let mut service = Service::start(&bench, &["--dicom", "0"]);
    let port = service.node();
    let echo = |called: &str| {
        let echo = Command::new("echoscu").args(["-aec", called, "127.0.0.1", &port]).output();
        echo.expect("echoscu is there").status.success()
    };
    assert!(echo("BONEAGE") && !echo("ANOTHER"));
    for (i, (name, option)) in [
        ("explicit.dcm", "-xe"),
        ("implicit.dcm", "-xi"),
        ("big_endian.dcm", "-xb"),
        ("deflated.dcm", "-xd"),
        ("jpeg_baseline.dcm", "-xy"),
        ("jpeg_extended.dcm", "-xx"),
        ("jpeg_lossless.dcm", "-xs"),
        ("rle.dcm", "-xr"),
        ("jpeg2000.dcm", "-xv"),
    ]
    .into_iter()
    .enumerate()
    {
        let mut file = std::fs::read(fixture(name)).expect("a fixture");
        renumber(&mut file, b'1' + i as u8);
        bench.write(name, &file);
        for _ in 0..2 {
            let sent = storescu(&port, &[option], &bench.path(name));
            assert!(sent.status.success(), "{name}: {}", String::from_utf8_lossy(&sent.stderr));
        }
    }
    let mut file = std::fs::read(fixture("right_chest.dcm")).expect("a fixture");
    renumber(&mut file, b'0');
    bench.write("chest.dcm", &file);
    let chest = storescu(&port, &["-xe"], &bench.path("chest.dcm"));
    assert!(chest.status.success(), "{}", String::from_utf8_lossy(&chest.stderr));
    let list = service.json("/api/v1/films?per_page=100");
    let films = list["films"].as_array().expect("films");
    let states: Vec<Value> =
        films.iter().map(|film| service.read(film["id"].as_str().expect("an id"))["state"].clone()).collect();
    assert!(states.iter().all(|state| state == "done" || state == "skipped"), "{states:?}");
    // What is deflated keeps the number of the first, which is there already.
    assert_eq!(states.len(), 9, "{films:?}");
    assert_eq!(states.iter().filter(|state| *state == "skipped").count(), 1, "the chest");
    assert!(films.iter().all(|film| film["sender"] == "CR1" && film["source"] == "dicom"));
}

#[test]
fn results_come_back_although_everybody_dies_on_the_way() {
    if !there("storescu", "--version") || !there("storescp", "--version") || !there("dsrdump", "--version") {
        return;
    }
    let bench = Bench::new();
    let archive = free_port();
    bench.write(
        "boneage.toml",
        format!("[[dicom.destinations]]\naet = \"ARCHIVE\"\naddress = \"127.0.0.1:{archive}\"\n").as_bytes(),
    );
    let options = ["--dicom", "0", "--config", "boneage.toml"];
    let mut first = Service::start(&bench, &options);
    let port = first.node();
    let sent = storescu(&port, &[], &fixture("explicit.dcm"));
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    let id = first.json("/api/v1/films")["films"][0]["id"].as_str().expect("a film").to_owned();
    assert_eq!(first.read(&id)["state"], "done");
    let deliveries = format!("/api/v1/films/{id}/deliveries");
    // Nobody is there yet.
    let failure =
        wait_for("a failed delivery", || first.json(&deliveries)[0]["failure"].as_str().map(str::to_owned));
    assert!(failure.contains("could not connect"), "{failure}");
    first.kill();
    let folder = bench.path("archive");
    std::fs::create_dir(&folder).expect("a folder");
    let _scp = Ends(
        Command::new("storescp")
            .args(["-aet", "ARCHIVE", "-od"])
            .arg(&folder)
            .arg(&archive)
            .spawn()
            .expect("storescp is there"),
    );
    let second = Service::start(&bench, &options);
    wait_for("the results", || (second.json(&deliveries)[0]["state"] == "sent").then_some(()));
    let mut classes = BTreeSet::new();
    for entry in std::fs::read_dir(&folder).expect("the archive") {
        let path = entry.expect("a file").path();
        let (_, source) = boneage_dicom::header(&std::fs::read(&path).expect("a file")).expect("an object");
        if source.class().contains(".88.") {
            let told = Command::new("dsrdump").arg(&path).output().expect("dsrdump is there");
            let text = String::from_utf8_lossy(&told.stdout).into_owned();
            // The fixture is too small to be read, and the report says so.
            assert!(told.status.success() && text.contains("the image is 36 x 40 pixels"), "{text}");
        }
        classes.insert(source.class().to_owned());
    }
    let wanted = ["7", "88.22", "104.1"].map(|end| format!("1.2.840.10008.5.1.4.1.1.{end}"));
    assert_eq!(classes, BTreeSet::from(wanted));
    #[cfg(unix)]
    {
        let log = second.stop();
        assert!(log.contains("sent the results"), "{log}");
        assert!(!log.contains("Nobody") && !log.contains("A7") && !log.contains("1.2.826"), "{log}");
    }
}

#[test]
fn results_go_encrypted_and_to_nobody_else() {
    let help = Command::new("storescp").arg("--help").output();
    if !help.is_ok_and(|help| String::from_utf8_lossy(&help.stdout).contains("--enable-tls")) {
        eprintln!("skipped: storescp with TLS is not there; hint: install dcmtk");
        return;
    }
    let bench = Bench::new();
    for name in ["archive", "own"] {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        bench.write(&format!("{name}.pem"), made.cert.pem().as_bytes());
        bench.write(&format!("{name}.key"), made.signing_key.serialize_pem().as_bytes());
    }
    std::fs::create_dir(bench.path("archive")).expect("a folder");
    let port = free_port();
    let _scp = Ends(
        Command::new("storescp")
            .args(["-aet", "ARCHIVE", "-od", "archive", "+tls", "archive.key", "archive.pem"])
            .args(["-rc", "+cf", "own.pem", &port])
            .current_dir(bench.dir.path())
            .spawn()
            .expect("storescp is there"),
    );
    let own = "certificate = \"own.pem\"\nkey = \"own.key\"\n";
    let to = |aet: &str, how: &str| {
        format!("[[dicom.destinations]]\naet = \"{aet}\"\naddress = \"localhost:{port}\"\n{how}")
    };
    let settings = [
        to("ARCHIVE", &format!("tls = true\nauthority = \"archive.pem\"\n{own}")),
        to("STRANGER", &format!("tls = true\nauthority = \"own.pem\"\n{own}")),
        to("UNNAMED", "tls = true\nauthority = \"archive.pem\"\n"),
        to("PLAIN", ""),
    ];
    bench.write("boneage.toml", settings.concat().as_bytes());
    let mut service = Service::start(&bench, &["--dicom", "0", "--config", "boneage.toml"]);
    let node = service.node();
    let sent = storescu(&node, &[], &fixture("explicit.dcm"));
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    let id = service.json("/api/v1/films")["films"][0]["id"].as_str().expect("a film").to_owned();
    let path = format!("/api/v1/films/{id}/deliveries");
    let deliveries = wait_for("an end of each try", || {
        let deliveries = service.json(&path).as_array().expect("deliveries").clone();
        let tried = deliveries.iter().all(|one| one["state"] == "sent" || one["failure"].is_string());
        (deliveries.len() == 4 && tried).then_some(deliveries)
    });
    for delivery in deliveries {
        let archive = delivery["destination"] == "ARCHIVE";
        assert_eq!(delivery["state"] == "sent", archive, "{delivery}");
        if delivery["destination"] == "STRANGER" {
            let failure = delivery["failure"].as_str().expect("a failure");
            assert!(failure.contains("could not encrypt the connection"), "{failure}");
        }
    }
    assert_eq!(std::fs::read_dir(bench.path("archive")).expect("the archive").count(), 3);
}

#[test]
fn pynetdicom_agrees() {
    let Some(mut python) = python_with("pynetdicom") else { return };
    let bench = Bench::new();
    let archive = free_port();
    let destination =
        format!("[[dicom.destinations]]\naet = \"ARCHIVE\"\naddress = \"127.0.0.1:{archive}\"\n");
    bench.write("boneage.toml", format!("[dicom]\nallow = [\"CR1\"]\n{destination}").as_bytes());
    let mut service = Service::start(&bench, &["--dicom", "0", "--config", "boneage.toml"]);
    let port = service.node();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/node.py");
    let ran = python
        .args([Path::new(script), Path::new(&port), Path::new(&archive), &fixture("explicit.dcm")])
        .output()
        .expect("it is there");
    let told = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{told}");
    assert_eq!(service.json("/api/v1/films")["total"], 1);
}
