//! A watched folder without a model: the worker is played.

use super::Watcher;
use crate::ServerError;
use crate::folder::Picture;
use crate::reading::testing::{film, reading};
use crate::service::Shared;
use crate::service::testing::service;
use crate::store::{Query, State};
use std::fs;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

struct Bench {
    folder: TempDir,
    _data: TempDir,
    service: Shared,
}

impl Bench {
    fn new(settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let watch = format!("[watch]\nfolder = {:?}\nsettle_seconds = 0\n", folder.path());
        let (_data, service) = service(&format!("{watch}{settings}"));
        Bench { folder, _data, service }
    }

    fn watcher(&self) -> Watcher {
        Watcher::open(self.service.clone(), self.service.settings.watch.clone().unwrap()).unwrap()
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn has(&self, name: &str) -> bool {
        self.folder.path().join(name).exists()
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    /// Plays the worker: every film that waits gets a reading, or none.
    fn work(&self, months: Option<f32>) -> usize {
        let store = &self.service.store;
        let mut read = 0;
        while let Some(job) = store.lease(i64::MAX / 2, Duration::from_secs(9)).unwrap() {
            match months {
                Some(_) => store.finish(&job, &reading(months), None, 1000, &[]).unwrap(),
                None => store.fail(&job, "it is no film").unwrap(),
            };
            let png = crate::pictures::image(&film().plane).unwrap();
            store.folder().write_picture(&job.film, Picture::Image, &png).unwrap();
            store.settle(&job.film, &job.digest, false).unwrap();
            read += 1;
        }
        read
    }

    fn films(&self) -> u64 {
        self.service.store.films(&Query::default(), 0, 1).unwrap().1
    }
}

#[test]
fn a_film_is_read_told_and_moved() {
    let bench = Bench::new("");
    let mut watcher = bench.watcher();
    bench.put("female/ward/Doe.png", b"a film");
    bench.put("empty.png", b"");
    watcher.round();
    assert!(bench.has("female/ward/Doe.png"), "nothing leaves before it is told");
    let films = bench.service.store.films(&Query::default(), 0, 9).unwrap().0;
    let told = (films[0].name.as_str(), films[0].source.as_str(), films[0].sex, films[0].state);
    assert_eq!(told, ("Doe.png", "folder", Some(boneage_core::Sex::Female), State::Queued));
    assert_eq!(bench.work(Some(100.0)), 1);
    watcher.round();
    assert!(!bench.has("female/ward/Doe.png") && bench.has("done/female/ward/Doe.png"));
    let json: serde_json::Value =
        serde_json::from_str(&bench.text("results/female/ward/Doe.png.reading.json")).unwrap();
    assert_eq!((&json["months"], &json["file"]), (&100.0.into(), &"Doe.png".into()));
    let page = fs::read(bench.folder.path().join("results/female/ward/Doe.png.report.pdf")).unwrap();
    assert!(page.starts_with(b"%PDF-"));
    watcher.round();
    assert!(bench.has("empty.png"), "what is empty is still being written");
    assert_eq!(bench.films(), 1);
}

#[test]
fn the_same_bytes_are_read_once_and_told_by_each_name() {
    let bench = Bench::new("write = [\"fhir.json\"]\n");
    let mut watcher = bench.watcher();
    bench.put("hand.png", b"a film");
    watcher.round();
    bench.work(Some(100.0));
    watcher.round();
    for again in ["hand.png", "other.png"] {
        bench.put(again, b"a film");
    }
    watcher.round();
    watcher.round();
    assert_eq!((bench.work(Some(1.0)), bench.films()), (0, 1));
    for name in ["hand.png", "hand-2.png", "other.png"] {
        assert!(bench.has(&format!("done/{name}")), "{name}");
        assert!(bench.has(&format!("results/{name}.fhir.json")), "{name}");
    }
}

#[test]
fn what_cannot_be_read_lies_beside_its_reason_and_is_tried_again_when_it_comes_again() {
    let bench = Bench::new("[upload]\nmax_megabytes = 1\n");
    let mut watcher = bench.watcher();
    let chest = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/dicom/right_chest.dcm");
    bench.put("notes.txt", b"no film");
    bench.put("huge.png", &vec![7; 1_000_001]);
    bench.put("chest.dcm", &fs::read(Path::new(chest)).unwrap());
    watcher.round();
    assert_eq!(bench.work(None), 1, "the chest is not queued, the huge one not taken");
    watcher.round();
    assert_eq!(bench.text("failed/notes.txt.txt"), "it is no film\n");
    assert!(bench.text("failed/chest.dcm.txt").contains("the header says"));
    assert!(bench.text("failed/huge.png.txt").contains("1000000 bytes"));
    assert!(bench.has("failed/notes.txt") && !bench.has("notes.txt"));
    bench.put("notes.txt", b"no film");
    watcher.round();
    assert_eq!(bench.work(Some(90.0)), 1, "somebody may have mended the program");
    watcher.round();
    assert!(bench.has("done/notes.txt"));
}

#[test]
fn whoever_comes_after_a_kill_goes_on_and_does_not_queue_again_what_kills() {
    let bench = Bench::new("");
    let mut watcher = bench.watcher();
    bench.put("hand.png", b"a film");
    bench.put("killer.png", b"a film that ends the process");
    watcher.round();
    drop(watcher);
    let lease = || bench.service.store.lease(i64::MAX / 2, Duration::from_secs(9)).unwrap().unwrap();
    let jobs = [lease(), lease()];
    for job in &jobs {
        if bench.service.store.film(&job.film).unwrap().unwrap().name == "killer.png" {
            bench.service.store.fail(job, "boneage ended within each of 5 tries").unwrap();
        }
    }
    bench.service.store.free_leases(5).unwrap();
    bench.work(Some(100.0));
    let mut watcher = bench.watcher();
    watcher.round();
    watcher.round();
    assert!(bench.has("done/hand.png") && bench.has("results/hand.png.report.pdf"));
    assert!(bench.text("failed/killer.png.txt").contains("5 tries"));
    assert_eq!((bench.work(Some(1.0)), bench.films()), (0, 2));
}

#[test]
fn a_folder_has_one_watcher_and_must_be_there() {
    let bench = Bench::new("");
    let first = bench.watcher();
    let second = || Watcher::open(bench.service.clone(), bench.service.settings.watch.clone().unwrap());
    assert!(matches!(second(), Err(ServerError::Watched { .. })));
    drop(first);
    second().unwrap();
    let (_data, absent) = service("[watch]\nfolder = \"absent\"\n");
    let missing = Watcher::open(absent.clone(), absent.settings.watch.clone().unwrap());
    assert!(matches!(missing, Err(ServerError::File { .. })));
}
