use super::corpus::{Seed, seeds};
use super::damage::{broken, damaged};
use anyhow::{Context, Result, ensure};
use boneage_core::stream;
use serde_json::json;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

/// Longest wait for an answer: the service itself waits 30 s for an uploader.
const PATIENCE: Duration = Duration::from_secs(60);

/// Sends cases to the service at an address, as forms that are sound, broken, cut short, or told to be of another length; what
/// was answered, as JSON.
pub(crate) fn send(address: &str, first: u64, count: u64) -> Result<String> {
    let seeds = seeds()?;
    let address = address.trim_start_matches("http://");
    let (mut answers, mut longest) = (BTreeMap::<String, u64>::new(), (0.0, first));
    for case in first..first + count {
        let (request, ends) = request(&seeds, case);
        let start = Instant::now();
        let status = ask(address, &request, ends).with_context(|| format!("case {case}"))?;
        let took = start.elapsed().as_secs_f64();
        if took > longest.0 {
            longest = (took, case);
        }
        *answers.entry(status).or_default() += 1;
    }
    Ok(json!({ "answers": answers, "seconds": longest.0, "case": longest.1 }).to_string())
}

/// The request of a case, and whether the connection ends with it.
fn request(seeds: &[Seed], case: u64) -> (Vec<u8>, bool) {
    let mut draws = stream(case, &["forms"]);
    let file = damaged(seeds, case);
    let sex = ["female", "male", "", "none"][draws.below(4)];
    let mut form = format!(
        "--b\r\ncontent-disposition: form-data; name=\"sex\"\r\n\r\n{sex}\r\n\
         --b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"film\"\r\n\r\n"
    )
    .into_bytes();
    form.extend_from_slice(&file);
    form.extend_from_slice(b"\r\n--b--\r\n");
    let kind = draws.below(6);
    if kind == 3 {
        // The head of the form alone: what comes behind is the file's.
        let head = form.len().min(200);
        let mended = broken(form[..head].to_vec(), b"--b\r\n\r\n\r\n--b--", &mut draws);
        form.splice(..head, mended);
    }
    let length = match kind {
        4 => form.len() + 1 + draws.below(5000),
        5 => draws.below(form.len()),
        _ => form.len(),
    };
    let head = format!(
        "POST /api/v1/films HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
         content-type: multipart/form-data; boundary=b\r\ncontent-length: {length}\r\n\r\n"
    );
    ([head.into_bytes(), form].concat(), kind == 4)
}

/// The status of the answer, or how there was none.
fn ask(address: &str, request: &[u8], ends: bool) -> Result<String> {
    let mut stream = TcpStream::connect(address).context("the service does not accept")?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    // Whoever has told us already that he will not have it may close.
    let written = stream.write_all(request);
    if ends {
        let _ = stream.shutdown(Shutdown::Write);
    }
    let mut answer = Vec::new();
    let read = stream.take(1 << 20).read_to_end(&mut answer);
    let head = String::from_utf8_lossy(answer.get(..answer.len().min(64)).unwrap_or_default()).into_owned();
    match head.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)) {
        Some(status) => Ok(status.to_owned()),
        None => {
            ensure!(
                !read.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock),
                "no answer within {PATIENCE:?}"
            );
            let word = if ends || written.is_err() { "closed" } else { "closed without an answer" };
            Ok(word.to_owned())
        }
    }
}
