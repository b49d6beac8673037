//! The node asked by another on this machine.

use super::dimse::{self, status};
use super::{FILMS, LONGEST_PDU, VERIFICATION, deliver, listen};
use crate::reading::Reading;
use crate::reading::testing::{assessment, film};
use crate::service::Shared;
use crate::service::testing::service;
use crate::store::{FilmRow, Query, State};
use boneage_dicom::{IMPLICIT_LITTLE_ENDIAN, Parcel};
use boneage_report::Reference;
use dicom_ul::association::Error;
use dicom_ul::pdu::{PDataValue, PDataValueType, Pdu, PresentationContextResultReason};
use dicom_ul::{ClientAssociation, ClientAssociationOptions};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

/// A running node with the threads that serve it.
struct Node {
    _dir: tempfile::TempDir,
    service: Shared,
    address: SocketAddr,
    _runtime: tokio::runtime::Runtime,
}

impl Node {
    fn new(settings: &str) -> Node {
        let (dir, service) = service(settings);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(listen(service.clone(), listener, None));
        Node { _dir: dir, service, address, _runtime: runtime }
    }

    fn films(&self) -> Vec<FilmRow> {
        self.service.store.films(&Query::default(), 0, 100).unwrap().0
    }

    fn call(&self, called: &str, calling: &str) -> Result<ClientAssociation<TcpStream>, Error> {
        let explicit = vec![boneage_dicom::EXPLICIT_LITTLE_ENDIAN];
        ClientAssociationOptions::new()
            .called_ae_title(called)
            .calling_ae_title(calling)
            .with_presentation_context(VERIFICATION, vec![IMPLICIT_LITTLE_ENDIAN])
            .with_presentation_context(FILMS[1], explicit.clone())
            .with_presentation_context("1.2.840.10008.5.1.4.1.1.2", explicit)
            .read_timeout(Duration::from_secs(20))
            .establish(self.address)
    }

    fn echoes(&self) -> bool {
        let mut association = self.call("BONEAGE", "CR1").unwrap();
        // C-ECHO is a C-STORE without an object, by its number.
        let mut command = dimse::store(1, VERIFICATION, "1.2");
        let at = command.windows(4).position(|tag| tag == [0, 0, 0, 1]).unwrap() + 8;
        command[at..at + 2].copy_from_slice(&dimse::ECHO.to_le_bytes());
        let at = command.windows(4).position(|tag| tag == [0, 0, 0, 8]).unwrap() + 8;
        command[at..at + 2].copy_from_slice(&0x0101u16.to_le_bytes());
        send(&mut association, 1, command, true);
        let echoed = answer(&mut association) == status::SUCCESS;
        association.release().unwrap();
        echoed
    }
}

/// Ends the threads that deliver, however the test ends.
struct Closing<'a>(&'a Shared);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.settings.node.destinations.iter().for_each(|destination| destination.bell.close());
    }
}

fn send(association: &mut ClientAssociation<TcpStream>, context: u8, data: Vec<u8>, is_last: bool) {
    let value_type = PDataValueType::Command;
    let value = PDataValue { presentation_context_id: context, value_type, is_last, data };
    association.send(&Pdu::PData { data: vec![value] }).unwrap();
}

fn answer(association: &mut ClientAssociation<TcpStream>) -> u16 {
    let Pdu::PData { data } = association.receive().unwrap() else { panic!("no answer") };
    dimse::status_of(&data[0].data, 1).unwrap()
}

fn store(association: &mut ClientAssociation<TcpStream>, file: &[u8]) -> u16 {
    let parcel = Parcel::of(file).unwrap();
    store_as(association, &parcel.instance, parcel.explicit())
}

fn store_as(association: &mut ClientAssociation<TcpStream>, instance: &str, data_set: &[u8]) -> u16 {
    send(association, 3, dimse::store(1, FILMS[1], instance), true);
    let mut data = association.send_pdata(3);
    data.write_all(data_set).unwrap();
    data.finish().unwrap();
    answer(association)
}

/// A fixture of the room dicom with a number of its own.
fn object(name: &str, number: u8) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/dicom");
    let mut file = std::fs::read(folder.join(name)).unwrap();
    let own = b"8.498.1.1";
    for at in 0..file.len() - own.len() {
        if &file[at..at + own.len()] == own {
            file[at + own.len() - 1] = b'0' + number;
        }
    }
    file
}

#[test]
fn an_object_is_stored_once_and_what_is_no_hand_is_left_alone() {
    let node = Node::new("");
    let mut association = node.call("BONEAGE", "CR1").unwrap();
    let hand = object("explicit.dcm", 3);
    for _ in 0..2 {
        assert_eq!(store(&mut association, &hand), status::SUCCESS);
    }
    assert_eq!(store(&mut association, &object("right_chest.dcm", 4)), status::SUCCESS);
    association.release().unwrap();
    let films = node.films();
    let mut states: Vec<_> = films.iter().map(|film| film.state).collect();
    states.sort_by_key(|state| state.as_str());
    assert_eq!(states, [State::Queued, State::Skipped]);
    let film = films.iter().find(|film| film.state == State::Queued).unwrap();
    assert_eq!((film.sender.as_deref(), film.source.as_str()), (Some("CR1"), "dicom"));
    assert_eq!(film.name, "A7", "its accession number");
    let stored = std::fs::read(node.service.store.folder().upload(&film.digest)).unwrap();
    let read = boneage_dicom::read(&stored, &Default::default()).unwrap();
    assert_eq!(read.header.sex, Some(boneage_core::Sex::Female));
    assert_eq!(Parcel::of(&stored).unwrap().explicit(), Parcel::of(&hand).unwrap().explicit());
    assert_eq!(std::fs::read_dir(node.service.store.folder().incoming()).unwrap().count(), 0);
}

#[test]
fn a_deidentified_store_keeps_no_number_and_no_chest() {
    let node = Node::new("[storage]\ndeidentify = true");
    let mut association = node.call("BONEAGE", "CR1").unwrap();
    for (name, number) in [("explicit.dcm", 3), ("explicit.dcm", 3), ("right_chest.dcm", 4)] {
        assert_eq!(store(&mut association, &object(name, number)), status::SUCCESS);
    }
    association.release().unwrap();
    let films = node.films();
    assert_eq!(films.len(), 2);
    for film in &films {
        assert!(film.name.is_empty() && !film.instance.as_deref().unwrap().contains('.'), "{film:?}");
        let there = node.service.store.folder().upload(&film.digest).exists();
        assert_eq!(there, film.state == State::Queued, "{film:?}");
    }
}

#[test]
fn what_cannot_be_kept_is_not_said_to_be_stored() {
    let node = Node::new("[upload]\nmax_megabytes = 1");
    let mut association = node.call("BONEAGE", "CR1").unwrap();
    let hand = object("explicit.dcm", 3);
    let set = Parcel::of(&hand).unwrap().explicit().to_vec();
    assert_eq!(store_as(&mut association, "1.2.3", &set), status::DOES_NOT_MATCH);
    assert_eq!(store_as(&mut association, "", &set), status::INVALID_INSTANCE);
    assert_eq!(store_as(&mut association, "1.2.3", b"no data set"), status::CANNOT_UNDERSTAND);
    assert_eq!(store_as(&mut association, "1.2.3", &vec![0; 2_000_000]), status::OUT_OF_RESOURCES);
    assert_eq!(store(&mut association, &hand), status::SUCCESS);
    association.release().unwrap();
    assert_eq!(node.films().len(), 1);
    assert_eq!(std::fs::read_dir(node.service.store.folder().incoming()).unwrap().count(), 0);
}

#[test]
fn only_those_who_are_known_by_our_name() {
    let node = Node::new("[dicom]\nallow = [\"CR1\"]");
    let rejected = |called, calling| match node.call(called, calling) {
        Err(Error::Rejected { association_rj, .. }) => association_rj.source.to_string(),
        other => panic!("{:?}", other.map(drop)),
    };
    assert!(rejected("ANY", "CR1").contains("called AE title"));
    assert!(rejected("BONEAGE", "CR2").contains("calling AE title"));
    let association = node.call("BONEAGE", "CR1").unwrap();
    let contexts = association.presentation_contexts().iter();
    let accepted: Vec<&str> = contexts
        .filter(|context| context.reason == PresentationContextResultReason::Acceptance)
        .map(|context| context.abstract_syntax.as_str())
        .collect();
    assert_eq!(accepted, [VERIFICATION, FILMS[1]], "and no computed tomography");
    association.release().unwrap();
}

#[test]
fn places_are_counted_and_come_free() {
    let node = Node::new("[dicom]\nassociations = 1");
    let first = node.call("BONEAGE", "CR1").unwrap();
    match node.call("BONEAGE", "CR1") {
        Err(Error::Rejected { association_rj, .. }) => {
            assert_eq!(association_rj.source.to_string(), "local limit exceeded");
        }
        other => panic!("{:?}", other.map(drop)),
    }
    first.release().unwrap();
    let start = Instant::now();
    while node.call("BONEAGE", "CR1").map(|free| free.release().unwrap()).is_err() {
        assert!(start.elapsed() < Duration::from_secs(10), "the place does not come free");
    }
}

#[test]
fn whoever_says_nothing_or_nonsense_keeps_nobody_out() {
    let node = Node::new("");
    let connect = || TcpStream::connect(node.address).unwrap();
    let silent: Vec<TcpStream> = (0..300).map(|_| connect()).collect();
    assert!(node.echoes());
    let huge = [[1, 0].as_slice(), &u32::MAX.to_be_bytes(), &[0; 100]].concat();
    let unfinished = [[1, 0].as_slice(), &200u32.to_be_bytes(), &[0; 10]].concat();
    let mut data = vec![4, 0];
    data.extend((LONGEST_PDU + 1).to_be_bytes());
    for bytes in [b"GET / HTTP/1.1\r\n\r\n".as_slice(), &huge, &data, &[4, 0, 0, 0, 0, 0], &[9; 64]] {
        let mut stream = connect();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(bytes).unwrap();
        let mut told = [0; 10];
        stream.read_exact(&mut told).unwrap();
        assert_eq!(told[0], 7, "{bytes:?} is answered by A-ABORT");
    }
    let mut halves: Vec<TcpStream> = (0..50).map(|_| connect()).collect();
    halves.iter_mut().for_each(|half| half.write_all(&unfinished).unwrap());
    assert!(node.echoes());
    drop((silent, halves));
}

type Fault<'a> = &'a dyn Fn(&mut ClientAssociation<TcpStream>);

#[test]
fn an_association_that_breaks_the_protocol_is_aborted_and_stores_nothing() {
    let node = Node::new("");
    let hand = object("explicit.dcm", 3);
    let parcel = Parcel::of(&hand).unwrap();
    let faults: [Fault<'_>; 4] = [
        // Data without a command; on a context that nobody agreed on; a command that does not end; half an object.
        &|association| association.send_pdata(3).finish().unwrap(),
        &|association| send(association, 99, dimse::store(1, FILMS[1], "1.2"), true),
        &|association| (0..9).for_each(|_| send(association, 3, vec![0; 1000], false)),
        &|association| {
            send(association, 3, dimse::store(1, FILMS[1], &parcel.instance), true);
            send(association, 3, dimse::store(1, FILMS[1], &parcel.instance), true);
        },
    ];
    for fault in faults {
        let mut association = node.call("BONEAGE", "CR1").unwrap();
        fault(&mut association);
        assert!(matches!(association.receive(), Ok(Pdu::AbortRQ { .. })));
    }
    assert_eq!(node.films().len(), 0);
    assert!(node.echoes());
    assert_eq!(std::fs::read_dir(node.service.store.folder().incoming()).unwrap().count(), 0);
}

#[test]
fn results_are_sent_until_the_destination_has_them() {
    let archive = Node::new("[dicom]\naet = \"ARCHIVE\"");
    let settings = format!(
        "[[dicom.destinations]]\naet = \"ARCHIVE\"\naddress = \"{}\"\nsend = [\"sc\"]\n\
         [[dicom.destinations]]\naet = \"NOBODY\"\naddress = \"{}\"\nsend = [\"sc\"]\n",
        archive.address, archive.address
    );
    let node = Node::new(&settings);
    let mut association = node.call("BONEAGE", "CR1").unwrap();
    store(&mut association, &object("explicit.dcm", 3));
    association.release().unwrap();
    let store = &node.service.store;
    let job = store.lease(i64::MAX / 2, Duration::from_secs(9)).unwrap().unwrap();
    let mut reading = Reading::of(&assessment(), &film(), &Reference::brush_foundation(), 12);
    reading.dicom = true;
    assert!(store.finish(&job, &reading, None, crate::clock::now(), &["ARCHIVE", "NOBODY"]).unwrap());
    let png = crate::pictures::image(&film().plane).unwrap();
    store.folder().write_picture(&job.film, crate::folder::Picture::Image, &png).unwrap();
    store.settle(&job.film, &job.digest, false).unwrap();
    std::thread::scope(|scope| {
        for destination in &node.service.settings.node.destinations {
            scope.spawn(|| deliver(&node.service, destination));
        }
        let _closing = Closing(&node.service);
        let start = Instant::now();
        loop {
            let rows = store.deliveries(&job.film).unwrap();
            let [sent, refused] = rows.as_slice() else { panic!("{rows:?}") };
            if sent.state == "sent" && refused.attempts > 0 {
                assert_eq!(refused.state, "waiting");
                assert!(refused.failure.as_deref().unwrap().contains("called AE title"), "{refused:?}");
                break;
            }
            assert!(start.elapsed() < Duration::from_secs(30), "{rows:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    let kept = &archive.films()[0];
    assert_eq!(kept.sender.as_deref(), Some("BONEAGE"));
    let object = std::fs::read(archive.service.store.folder().upload(&kept.digest)).unwrap();
    assert_eq!(boneage_dicom::header(&object).unwrap().1.class(), FILMS[3]);
}
