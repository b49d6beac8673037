//! `boneage watch` as it runs: killed again and again while films lie in the folder.

#[allow(dead_code)] // what only other tests use
mod bench;
#[allow(dead_code)] // what only other tests use
mod service;

use bench::{Bench, run};
use service::Service;
use std::time::{Duration, Instant};

/// Films in the folder, and lives of the process but for the last.
const FILMS: u32 = 12;
const LIVES: u64 = 6;

#[test]
fn nothing_is_lost_and_nothing_read_twice_however_often_it_is_killed() {
    let bench = Bench::new();
    bench
        .write("boneage.toml", b"[watch]\nsettle_seconds = 0\nwrite = [\"reading.json\", \"overlay.png\"]\n");
    std::fs::create_dir_all(bench.path("films/female")).expect("a folder");
    for number in 0..FILMS {
        let film = bench.numbered(number);
        bench.write(&format!("films/female/{number}.png"), &film);
    }
    bench.write("films/notes.txt", b"no film");
    let options = ["--config", "boneage.toml"];
    let start = || Service::of(&bench, &["watch", "films", "--out", "told"], &options);
    for life in 0..LIVES {
        let service = start();
        std::thread::sleep(Duration::from_millis(150 + 331 * life % 900));
        service.kill();
    }
    let service = start();
    let second =
        run(bench.dir.path(), &["watch", "films", "--data", "other", "--model", "model.safetensors"]);
    assert_eq!(second.code, 2, "{}", second.stderr);
    assert!(second.stderr.contains("watched by another"), "{}", second.stderr);
    let begun = Instant::now();
    let lie = |number: u32| bench.path(&format!("films/done/female/{number}.png")).exists();
    while !(0..FILMS).all(lie) || bench.path("films/notes.txt").exists() {
        assert!(begun.elapsed() < Duration::from_secs(90), "not all films were read");
        std::thread::sleep(Duration::from_millis(50));
    }
    for number in 0..FILMS {
        let told =
            std::fs::read(bench.path(&format!("told/female/{number}.png.reading.json"))).expect("a reading");
        let told: serde_json::Value = serde_json::from_slice(&told).expect("JSON");
        assert_eq!((&told["months"], &told["sex"]["value"]), (&122.4.into(), &"female".into()), "{told}");
        assert!(bench.path(&format!("told/female/{number}.png.overlay.png")).exists());
    }
    let why = std::fs::read_to_string(bench.path("films/failed/notes.txt.txt")).expect("a reason");
    assert!(why.contains("not an image") || why.contains("format"), "{why}");
    let films = service.json("/api/v1/films?per_page=100");
    assert_eq!(films["total"], FILMS + 1, "each once");
    #[cfg(unix)]
    {
        let log = service.stop();
        assert!(!log.contains("notes") && !log.contains(".png"), "{log}");
    }
}
