//! A running `boneage serve`, asked over the network.

use crate::bench::Bench;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::JoinHandle;

/// A running `boneage serve`; killed when it is dropped.
pub(crate) struct Service {
    child: Child,
    pub(crate) address: String,
    stdout: BufReader<ChildStdout>,
    /// What it writes to stderr, read as it comes: a full pipe would hold it up.
    log: Option<JoinHandle<String>>,
}

impl Service {
    pub(crate) fn start(bench: &Bench, options: &[&str]) -> Self {
        Service::of(bench, &["serve"], options)
    }

    /// The service that a command starts.
    pub(crate) fn of(bench: &Bench, command: &[&str], options: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_boneage"))
            .args(command)
            .args(["--data", "data", "--listen", "127.0.0.1:0", "--model", "model.safetensors"])
            .args(options)
            .current_dir(bench.dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let mut stderr = child.stderr.take().expect("piped");
        let log = std::thread::spawn(move || {
            let mut text = String::new();
            stderr.read_to_string(&mut text).expect("UTF-8");
            text
        });
        let mut address = String::new();
        stdout.read_line(&mut address).expect("a line");
        if address.is_empty() {
            panic!("the service did not start: {}", log.join().expect("its words"));
        }
        Service { child, address: address.trim().to_owned(), stdout, log: Some(log) }
    }

    /// The port of its DICOM node; asked for once.
    pub(crate) fn node(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("a line");
        let address = line.trim().strip_prefix("dicom ").expect("the node's address");
        address.rsplit_once(':').expect("a port").1.to_owned()
    }

    pub(crate) fn get(&self, path: &str) -> String {
        let answer = ureq::get(format!("{}{path}", self.address)).call().expect("an answer");
        answer.into_body().read_to_string().expect("text")
    }

    pub(crate) fn json(&self, path: &str) -> Value {
        serde_json::from_str(&self.get(path)).expect("JSON")
    }

    /// Uploads; the film's id if the service said that it has it.
    pub(crate) fn upload(&self, bytes: &[u8], name: &str, sex: &str) -> Option<String> {
        let mut body = format!(
            "--b\r\ncontent-disposition: form-data; name=\"sex\"\r\n\r\n{sex}\r\n\
             --b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n"
        )
        .into_bytes();
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n--b--\r\n");
        let answer = ureq::post(format!("{}/api/v1/films", self.address))
            .header("content-type", "multipart/form-data; boundary=b")
            .send(&body)
            .ok()?;
        let film: Value = serde_json::from_str(&answer.into_body().read_to_string().ok()?).ok()?;
        film["id"].as_str().map(str::to_owned)
    }

    pub(crate) fn read(&self, id: &str) -> Value {
        self.json(&format!("/api/v1/films/{id}?wait_ms=30000"))
    }

    /// Ends it as the system would: at once, wherever it is.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ended");
    }

    /// Asks it to end, and gives what it wrote to stderr.
    #[cfg(unix)]
    pub(crate) fn stop(mut self) -> String {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill is there").success());
        assert!(self.child.wait().expect("it ended").success());
        let log = self.log.take().expect("it is stopped once");
        log.join().expect("its words")
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn stderr(child: &mut Child) -> String {
    let mut text = String::new();
    if let Some(mut stream) = child.stderr.take() {
        stream.read_to_string(&mut text).expect("UTF-8");
    }
    text
}
