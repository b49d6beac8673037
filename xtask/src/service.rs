use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// A running `boneage serve` on a port of its own; killed when it is dropped.
pub(crate) struct Service {
    child: Child,
    address: String,
    node: String,
    /// From before it was started until it answered.
    pub(crate) started: Duration,
    _stdout: BufReader<ChildStdout>,
}

impl Service {
    /// Starts the program `boneage` on a data folder.
    pub(crate) fn start(boneage: &Path, data: &Path) -> Result<Self> {
        let start = Instant::now();
        let mut child = Command::new(boneage)
            .args(["serve", "--quiet", "--listen", "127.0.0.1:0", "--dicom", "0", "--data"])
            .arg(data)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| boneage.display().to_string())?;
        let mut stdout = BufReader::new(child.stdout.take().context("stdout was asked for")?);
        let mut address = String::new();
        stdout.read_line(&mut address)?;
        ensure!(!address.is_empty(), "boneage serve ended before it told its address");
        let mut node = String::new();
        stdout.read_line(&mut node)?;
        let port = node.trim().rsplit_once(':').context("boneage serve did not tell its node")?.1.to_owned();
        let mut service = Service {
            child,
            address: address.trim().to_owned(),
            node: port,
            started: Duration::ZERO,
            _stdout: stdout,
        };
        service.get("/ready")?;
        service.started = start.elapsed();
        Ok(service)
    }

    fn get(&self, path: &str) -> Result<Vec<u8>> {
        let answer = ureq::get(format!("{}{path}", self.address)).call().with_context(|| path.to_owned())?;
        Ok(answer.into_body().read_to_vec()?)
    }

    /// A film's picture.
    pub(crate) fn image(&self, id: &str) -> Result<Vec<u8>> {
        self.get(&format!("/api/v1/films/{id}/image.png"))
    }

    /// Every film.
    pub(crate) fn films(&self) -> Result<Vec<Value>> {
        let mut films = Vec::new();
        for page in 1.. {
            let answer: Value =
                serde_json::from_slice(&self.get(&format!("/api/v1/films?per_page=200&page={page}"))?)?;
            let more = answer["films"].as_array().context("a list of films")?;
            if more.is_empty() {
                break;
            }
            films.extend_from_slice(more);
        }
        Ok(films)
    }

    /// How many films are in a state.
    pub(crate) fn count(&self, state: &str) -> Result<u64> {
        let answer: Value =
            serde_json::from_slice(&self.get(&format!("/api/v1/films?state={state}&per_page=1"))?)?;
        answer["total"].as_u64().context("a number of films")
    }

    /// Uploads a film; its id, once the service says that it has it.
    pub(crate) fn upload(&self, bytes: &[u8]) -> Result<String> {
        upload(&self.address, bytes)
    }

    /// Where it answers.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The port of its DICOM node.
    pub(crate) fn node(&self) -> &str {
        &self.node
    }

    /// Waits until a film is read, or failed.
    pub(crate) fn read(&self, id: &str) -> Result<Value> {
        loop {
            let film: Value =
                serde_json::from_slice(&self.get(&format!("/api/v1/films/{id}?wait_ms=30000"))?)?;
            match film["state"].as_str() {
                Some("queued" | "leased") => {}
                Some(_) => return Ok(film),
                None => bail!("an answer without a state"),
            }
        }
    }

    /// Memory that it holds at the moment, in megabytes of 1,000,000 bytes.
    pub(crate) fn megabytes(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kilobytes * 1024.0 / 1e6)
    }

    /// Ends it at once, wherever it is.
    pub(crate) fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Uploads a film to the service at an address; its id, once the service says that it has it.
pub(crate) fn upload(address: &str, bytes: &[u8]) -> Result<String> {
    let mut body = b"--b\r\ncontent-disposition: form-data; name=\"sex\"\r\n\r\nfemale\r\n\
        --b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"film.png\"\r\n\r\n"
        .to_vec();
    body.extend_from_slice(bytes);
    body.extend_from_slice(b"\r\n--b--\r\n");
    let answer = ureq::post(format!("{address}/api/v1/films"))
        .header("content-type", "multipart/form-data; boundary=b")
        .send(&body)?;
    let film: Value = serde_json::from_slice(&answer.into_body().read_to_vec()?)?;
    film["id"].as_str().map(str::to_owned).context("a film without an id")
}

/// Whether the DICOM node at a port answers C-ECHO by DCMTK's echoscu.
pub(crate) fn echo(node: &str) -> bool {
    dcmtk("echoscu").args(["127.0.0.1", node]).status().is_ok_and(|status| status.success())
}

/// Sends a file by DCMTK's storescu; whether the node at a port said that it has it.
pub(crate) fn store(node: &str, file: &Path) -> bool {
    dcmtk("storescu").args(["127.0.0.1", node]).arg(file).status().is_ok_and(|status| status.success())
}

/// A program of DCMTK that calls the service.
pub(crate) fn dcmtk(program: &str) -> Command {
    let mut command = Command::new(program);
    command.args(["-aec", "BONEAGE", "-to", "10"]).stdout(Stdio::null()).stderr(Stdio::null());
    command
}
