use super::dimse::{Request, is_uid, status};
use crate::clock::now;
use crate::incoming::{Arrived, Incoming, IncomingError};
use crate::service::{Service, Shared, blocking};
use crate::store::{Arrival, Origin};
use boneage_core::Digest;
use boneage_dicom::{file_head, header};
use std::fs::File;
use std::io::{self, Read};

/// As much of an object as is looked at before it is acknowledged, in bytes: the header of any film.
const HEAD: u64 = 1 << 20;

/// An object that is coming by C-STORE.
pub(super) struct Receiving {
    pub(super) request: Request,
    pub(super) context: u8,
    /// The file, or the status that the sender will be told at the end.
    file: Result<Incoming, u16>,
}

impl Receiving {
    /// Makes room for an object of this transfer syntax.
    pub(super) async fn begin(service: &Shared, request: Request, context: u8, syntax: &str) -> Self {
        let file = if !is_uid(&request.instance) {
            Err(status::INVALID_INSTANCE)
        } else {
            let head = file_head(&request.class, &request.instance, syntax, &service.settings.uid_root);
            match Incoming::create(service.store.folder(), service.settings.max_bytes).await {
                Ok(mut file) => file.add(&head).await.map(|()| file).map_err(refused),
                Err(error) => Err(refused(error.into())),
            }
        };
        Receiving { request, context, file }
    }

    /// What came next. After a fault the rest is passed over: the sender listens only when it is done.
    pub(super) async fn add(&mut self, bytes: &[u8]) {
        if let Ok(file) = &mut self.file
            && let Err(error) = file.add(bytes).await
        {
            self.file = Err(refused(error));
        }
    }

    /// The end of the object: it is on the disk, and its row with it, when this returns success.
    pub(super) async fn end(self, service: &Shared, sender: &str) -> u16 {
        let Receiving { request, file, .. } = self;
        let arrived = match file {
            Ok(file) => file.arrived().await,
            Err(status) => return status,
        };
        let arrived = match arrived {
            Ok(arrived) => arrived,
            Err(error) => return refused(error.into()),
        };
        let sender = sender.to_owned();
        let kept = blocking(service, move |service| keep(service, &request, &arrived, &sender));
        match kept.await {
            Ok(Ok(status)) => status,
            Ok(Err(error)) | Err(error) => refused(error.into()),
        }
    }
}

/// Makes a film of what has come, if it is what the sender says; the status that he is told.
fn keep(service: &Service, request: &Request, arrived: &Arrived, sender: &str) -> io::Result<u16> {
    let mut head = Vec::new();
    File::open(arrived.path())?.take(HEAD).read_to_end(&mut head)?;
    let Ok((header, source)) = header(&head) else { return Ok(status::CANNOT_UNDERSTAND) };
    // What the object says of itself counts as much as what the sender says of it.
    let same = |own: &str, told: &str| own.is_empty() || own == told;
    if !same(source.instance(), &request.instance) || !same(source.class(), &request.class) {
        return Ok(status::DOES_NOT_MATCH);
    }
    let deidentify = service.settings.deidentify;
    let name = match source.accession_number() {
        _ if deidentify => String::new(),
        Some(number) => number,
        None => format!("from {sender}"),
    };
    // Its number leads to the patient; its digest tells as well whether it came before.
    let instance =
        if deidentify { Digest::of(request.instance.as_bytes()).0 } else { request.instance.clone() };
    let not_for_us = header.not_a_hand();
    let origin = Origin::Node { sender, instance: &instance, not_for_us: not_for_us.as_deref() };
    let arrival = Arrival { arrived, sex: None, name: &name, origin, by: sender, at: now() };
    let accepted = service.store.accept(&arrival)?;
    if !accepted.known && not_for_us.is_some() {
        service.store.settle(&accepted.id, &arrived.digest, deidentify)?;
    }
    service.bell.ring();
    Ok(status::SUCCESS)
}

/// The status for an object that was not stored; the log tells why.
fn refused(error: IncomingError) -> u16 {
    tracing::error!(%error, "could not store an object");
    status::OUT_OF_RESOURCES
}
