use super::{SILENCE, dimse};
use crate::clock::now;
use crate::results::{Format, results};
use crate::service::Service;
use crate::settings::Destination;
use crate::store::Delivery;
use boneage_dicom::{EXPLICIT_LITTLE_ENDIAN, IMPLICIT_LITTLE_ENDIAN, Parcel};
use dicom_ul::association::{CloseSocket, Error};
use dicom_ul::pdu::{PDataValue, PDataValueType, Pdu, PresentationContextResultReason};
use dicom_ul::{ClientAssociation, ClientAssociationOptions};
use std::io::{Read, Write};
use std::time::Duration;

/// How long this sleeps when nobody rings: deliveries that failed come due by themselves.
const NAP: Duration = Duration::from_secs(2);

/// Longest time until a connection stands.
const CONNECT: Duration = Duration::from_secs(10);

/// How long a delivery rests after its first failure; twice as long after each further one, up to [`MOST_REST`].
const REST: Duration = Duration::from_secs(5);
const MOST_REST: Duration = Duration::from_secs(15 * 60);

/// Longest answer, in bytes.
const LONGEST_ANSWER: usize = 4096;

/// Sends what is due at one destination, until its bell closes. A process that ends within a delivery makes it again:
/// the same objects with the same UIDs.
pub(crate) fn deliver(service: &Service, destination: &Destination) {
    while !destination.bell.is_closed() {
        match service.store.next_delivery(&destination.aet, now()) {
            Ok(Some(delivery)) => {
                if let Err(error) = make(service, destination, &delivery) {
                    tracing::error!(film = delivery.film, %error, "could not note a delivery");
                    destination.bell.wait(NAP);
                }
            }
            Ok(None) => destination.bell.wait(NAP),
            Err(error) => {
                tracing::error!(%error, "could not look for deliveries");
                destination.bell.wait(NAP);
            }
        }
    }
}

/// One try, and a note of how it went.
fn make(service: &Service, destination: &Destination, delivery: &Delivery) -> rusqlite::Result<()> {
    let Delivery { film, attempt, created_at } = delivery;
    let aet = destination.aet.as_str();
    match send(service, destination, film) {
        Ok(()) => {
            tracing::info!(film, destination = aet, "sent the results of a film");
            service.metrics.delivered("sent");
            service.store.delivered(film, aet, now())
        }
        Err(failure) => {
            let late = now() - created_at > service.settings.node.give_up.as_millis() as i64;
            let rest = REST.saturating_mul(1 << (attempt - 1).min(20)).min(MOST_REST);
            let rest = (!late && failure.may_pass).then_some(rest);
            let outcome = if rest.is_some() { "put_back" } else { "given_up" };
            let reason = failure.reason;
            tracing::warn!(
                film,
                destination = aet,
                attempt,
                reason,
                outcome,
                "could not send the results of a film"
            );
            service.metrics.delivered(outcome);
            service.store.not_delivered(film, aet, &reason, rest, now())
        }
    }
}

/// Why results were not sent. Whatever the other side sent is not told.
struct Failure {
    reason: String,
    may_pass: bool,
}

fn passing(reason: impl Into<String>) -> Failure {
    Failure { reason: reason.into(), may_pass: true }
}

fn lasting(reason: impl Into<String>) -> Failure {
    Failure { reason: reason.into(), may_pass: false }
}

fn send(service: &Service, destination: &Destination, film: &str) -> Result<(), Failure> {
    let row = service.store.film(film).map_err(|error| passing(error.to_string()))?;
    let row = row.ok_or_else(|| lasting("the film was deleted"))?;
    let formats: Vec<Format> = destination.send.iter().map(|&kind| Format::Object(kind)).collect();
    // What is kept of a film is kept whole or not at all: it will not be there the next time either.
    let files = results(service, &row, &formats).map_err(|error| lasting(error.to_string()))?;
    let parcels: Vec<Parcel<'_>> = files.iter().filter_map(|file| Parcel::of(file)).collect();
    let options = options(service, destination, &parcels);
    let address = destination.address.as_str();
    match &destination.tls {
        None => store_all(options.establish(address), &parcels),
        Some(tls) => {
            let options = options.tls_config(tls.clone()).server_name(destination.host());
            store_all(options.establish_tls(address), &parcels)
        }
    }
}

fn store_all<S: CloseSocket + Read + Write>(
    established: Result<ClientAssociation<S>, Error>,
    parcels: &[Parcel<'_>],
) -> Result<(), Failure> {
    let mut association = established.map_err(|error| passing(told(&error)))?;
    for (number, parcel) in parcels.iter().enumerate() {
        if let Err(failure) = store(&mut association, number as u16 + 1, parcel) {
            let _ = association.abort();
            return Err(failure);
        }
    }
    // All was said to be stored: how the association ends changes nothing.
    let _ = association.release();
    Ok(())
}

fn options<'a>(
    service: &'a Service,
    destination: &'a Destination,
    parcels: &[Parcel<'_>],
) -> ClientAssociationOptions<'a> {
    let mut options = ClientAssociationOptions::new()
        .calling_ae_title(service.settings.node.aet.as_str())
        .called_ae_title(destination.aet.as_str())
        .connection_timeout(CONNECT)
        .read_timeout(SILENCE)
        .write_timeout(SILENCE);
    for parcel in parcels {
        let syntaxes = [EXPLICIT_LITTLE_ENDIAN, IMPLICIT_LITTLE_ENDIAN].map(str::to_owned).to_vec();
        options = options.with_presentation_context(parcel.class.clone(), syntaxes);
    }
    options
}

fn store<S: CloseSocket + Read + Write>(
    association: &mut ClientAssociation<S>,
    message: u16,
    parcel: &Parcel<'_>,
) -> Result<(), Failure> {
    let context = association
        .presentation_contexts()
        .iter()
        .find(|context| {
            context.reason == PresentationContextResultReason::Acceptance
                && context.abstract_syntax == parcel.class
        })
        .ok_or_else(|| passing(format!("it does not take objects of class {}", parcel.class)))?;
    let (id, syntax) = (context.id, context.transfer_syntax.trim_end_matches('\0'));
    let implicit;
    let data_set = match syntax {
        EXPLICIT_LITTLE_ENDIAN => parcel.explicit(),
        IMPLICIT_LITTLE_ENDIAN => {
            implicit = parcel.implicit().ok_or_else(|| lasting("the object is damaged"))?;
            &implicit
        }
        _ => return Err(passing("it chose a transfer syntax that was not offered")),
    };
    let command = PDataValue {
        presentation_context_id: id,
        value_type: PDataValueType::Command,
        is_last: true,
        data: dimse::store(message, &parcel.class, &parcel.instance),
    };
    association.send(&Pdu::PData { data: vec![command] }).map_err(|error| passing(told(&error)))?;
    let mut data = association.send_pdata(id);
    let sent = data.write_all(data_set).and_then(|()| data.finish());
    sent.map_err(|error| passing(format!("the connection broke: {}", error.kind())))?;
    let status = dimse::status_of(&answer(association)?, message)
        .ok_or_else(|| passing("its answer is none to this request"))?;
    match status {
        // Stored; B000H to BFFFH: stored, with something changed (PS3.4, B.2.3).
        0x0000 | 0xB000..=0xBFFF => Ok(()),
        status => Err(passing(format!("it refused an object with status {status:04X}"))),
    }
}

/// The command of the next message.
fn answer<S: CloseSocket + Read + Write>(association: &mut ClientAssociation<S>) -> Result<Vec<u8>, Failure> {
    let mut command = Vec::new();
    loop {
        let Pdu::PData { data } = association.receive().map_err(|error| passing(told(&error)))? else {
            return Err(passing("it ended the association"));
        };
        for value in data {
            if value.value_type != PDataValueType::Command {
                return Err(passing("its answer is none to this request"));
            }
            command.extend(value.data);
            if command.len() > LONGEST_ANSWER {
                return Err(passing("its answer does not end"));
            }
            if value.is_last {
                return Ok(command);
            }
        }
    }
}

/// An error in words; never with what was received.
fn told(error: &Error) -> String {
    match error {
        Error::ToAddress { source, .. } | Error::Connect { source, .. } => {
            format!("could not connect: {source}")
        }
        Error::TlsHandshake { source, .. } => format!("could not encrypt the connection: {source}"),
        Error::TlsConnection { source, .. } => format!("could not encrypt the connection: {source}"),
        Error::Timeout { .. } => "it did not answer in time".to_owned(),
        Error::Rejected { association_rj, .. } => {
            format!("it rejected the association: {}", association_rj.source)
        }
        Error::NoAcceptedPresentationContexts { .. } => "it takes none of the objects".to_owned(),
        _ => "the association broke".to_owned(),
    }
}
