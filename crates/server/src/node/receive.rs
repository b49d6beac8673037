use super::dimse::{Request, is_uid, status};
use crate::clock::now;
use crate::incoming::{Incoming, IncomingError};
use crate::service::{Service, Shared, blocking};
use crate::store::{Action, Arrival, Origin};
use boneage_dicom::{file_head, header};
use std::fs;

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
        let kept = blocking(service, move |service| {
            let bytes = fs::read(arrived.path())?;
            Ok::<_, std::io::Error>(match header(&bytes) {
                Err(_) => status::CANNOT_UNDERSTAND,
                Ok((header, source)) => {
                    // What the object says of itself counts as much as what the sender says of it.
                    let same = |own: &str, told: &str| own.is_empty() || own == told;
                    if !same(source.instance(), &request.instance) || !same(source.class(), &request.class) {
                        return Ok(status::DOES_NOT_MATCH);
                    }
                    drop(bytes);
                    let not_for_us = header.not_a_hand();
                    let name = match source.accession_number() {
                        _ if service.settings.deidentify => String::new(),
                        Some(number) => number,
                        None => format!("from {sender}"),
                    };
                    let origin = Origin::Node {
                        sender: &sender,
                        instance: &request.instance,
                        not_for_us: not_for_us.as_deref(),
                    };
                    keep(service, &Arrival { arrived: &arrived, sex: None, name: &name, origin, at: now() })?;
                    status::SUCCESS
                }
            })
        });
        match kept.await {
            Ok(Ok(status)) => status,
            Ok(Err(error)) | Err(error) => refused(error.into()),
        }
    }
}

fn keep(service: &Service, arrival: &Arrival<'_>) -> std::io::Result<()> {
    let accepted = service.store.accept(arrival)?;
    if !accepted.known {
        let film = Some(accepted.id.as_str());
        let added = service.store.audit("dicom", Action::Uploaded, film, "");
        added.map_err(std::io::Error::other)?;
        service.bell.ring();
    }
    Ok(())
}

/// The status for an object that was not stored; the log tells why.
fn refused(error: IncomingError) -> u16 {
    tracing::error!(%error, "could not store an object");
    status::OUT_OF_RESOURCES
}
