use super::dimse::{CANCEL, ECHO, Request, STORE, status};
use super::receive::Receiving;
use super::{APPLICATION_CONTEXT, LONGEST_PDU, SILENCE, syntaxes};
use crate::service::Shared;
use bytes::BytesMut;
use dicom_ul::association::read_pdu_from_wire_async;
use dicom_ul::pdu::{
    AbortRQServiceProviderReason, AbortRQSource, AssociationAC, AssociationRJ, AssociationRJResult,
    AssociationRJServiceProviderPresentationReason, AssociationRJServiceUserReason, AssociationRJSource,
    AssociationRQ, PDataValue, PDataValueType, Pdu, PresentationContextProposed, PresentationContextResult,
    PresentationContextResultReason, UserVariableItem, write_pdu,
};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::OwnedSemaphorePermit;

/// Longest command, in bytes: none of ours has a fifth of it.
const LONGEST_COMMAND: usize = 4096;

/// Longest wait for the other side to close the connection.
const FAREWELL: Duration = Duration::from_secs(5);

/// Lowest bit: this version of the protocol (PS3.8, 9.3.2).
const PROTOCOL: u16 = 1;

/// A connection on which PDUs come and go.
pub(super) struct Wire<S> {
    stream: S,
    buffer: BytesMut,
}

/// A presentation context that was agreed on.
struct Context {
    class: String,
    syntax: String,
}

/// An association that stands.
pub(super) struct Association<S> {
    wire: Wire<S>,
    contexts: BTreeMap<u8, Context>,
    /// Who calls.
    peer: String,
    place: OwnedSemaphorePermit,
}

/// Why a connection ended before its time. Whoever is at the other end may have sent anything: none of it is told.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub(super) enum Broken {
    #[error("nothing came for too long")]
    Silence,
    #[error("the connection broke, or what came was no PDU")]
    Wire,
    #[error("the other side broke the protocol")]
    Protocol,
    #[error("the association was rejected: {0}")]
    Rejected(&'static str),
    #[error("the other side aborted")]
    Aborted,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub(super) fn new(stream: S) -> Self {
        Wire { stream, buffer: BytesMut::new() }
    }

    async fn read(&mut self) -> Result<Pdu, Broken> {
        let read = read_pdu_from_wire_async(&mut self.stream, &mut self.buffer, LONGEST_PDU, true);
        match tokio::time::timeout(SILENCE, read).await {
            Ok(Ok(pdu)) => Ok(pdu),
            Ok(Err(_)) => Err(Broken::Wire),
            Err(_) => Err(Broken::Silence),
        }
    }

    async fn write(&mut self, pdu: &Pdu) -> Result<(), Broken> {
        let mut bytes = Vec::new();
        write_pdu(&mut bytes, pdu).map_err(|_| Broken::Wire)?;
        let written = async {
            self.stream.write_all(&bytes).await?;
            self.stream.flush().await
        };
        match tokio::time::timeout(SILENCE, written).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Broken::Wire),
            Err(_) => Err(Broken::Silence),
        }
    }

    /// Waits until the other side closes the connection (PS3.8, 9.2.3, Sta13): whoever closes first may take his own last
    /// words from the wire.
    async fn closed(&mut self) {
        let mut rest = [0; 4096];
        let read = async { while self.stream.read(&mut rest).await.is_ok_and(|bytes| bytes > 0) {} };
        let _ = tokio::time::timeout(FAREWELL, read).await;
    }

    async fn abort(&mut self, reason: AbortRQServiceProviderReason, broken: Broken) -> Broken {
        let _ = self.write(&Pdu::AbortRQ { source: AbortRQSource::ServiceProvider(reason) }).await;
        self.closed().await;
        broken
    }

    async fn reject(
        &mut self,
        result: AssociationRJResult,
        source: AssociationRJSource,
        why: &'static str,
    ) -> Broken {
        let _ = self.write(&Pdu::AssociationRJ(AssociationRJ { result, source })).await;
        self.closed().await;
        Broken::Rejected(why)
    }

    /// Waits for a request to associate. `place` is asked for a place once there is one.
    pub(super) async fn associate(
        mut self,
        service: &Shared,
        place: impl FnOnce() -> Option<OwnedSemaphorePermit>,
    ) -> Result<Association<S>, Broken> {
        let request = match self.read().await {
            Ok(Pdu::AssociationRQ(request)) => request,
            Ok(_) => {
                return Err(self.abort(AbortRQServiceProviderReason::UnexpectedPdu, Broken::Protocol).await);
            }
            Err(Broken::Wire) => {
                // Half of the internet speaks HTTP at every door: told what it is, not worth a line in the log.
                return Err(self.abort(AbortRQServiceProviderReason::UnrecognizedPdu, Broken::Wire).await);
            }
            Err(broken) => return Err(broken),
        };
        if let Err((reason, why)) = recognised(service, &request) {
            let source = AssociationRJSource::ServiceUser(reason);
            return Err(self.reject(AssociationRJResult::Permanent, source, why).await);
        }
        let Some(place) = place() else {
            let source = AssociationRJSource::ServiceProviderPresentation(
                AssociationRJServiceProviderPresentationReason::LocalLimitExceeded,
            );
            return Err(self.reject(AssociationRJResult::Transient, source, "all places are taken").await);
        };
        let mut contexts = BTreeMap::new();
        let mut results = Vec::new();
        for proposed in request.presentation_contexts {
            let (result, context) = negotiate(proposed);
            if let Some(context) = context {
                contexts.insert(result.id, context);
            }
            results.push(result);
        }
        let accepted = Pdu::AssociationAC(AssociationAC {
            protocol_version: PROTOCOL,
            called_ae_title: request.called_ae_title,
            calling_ae_title: request.calling_ae_title.clone(),
            application_context_name: request.application_context_name,
            presentation_contexts: results,
            user_variables: vec![
                UserVariableItem::MaxLength(LONGEST_PDU),
                UserVariableItem::ImplementationClassUID(service.settings.uid_root.implementation()),
                UserVariableItem::ImplementationVersionName("BONEAGE".to_owned()),
            ],
        });
        self.write(&accepted).await?;
        Ok(Association { wire: self, contexts, peer: request.calling_ae_title, place })
    }
}

/// Whether this is our name and the caller's is known.
fn recognised(
    service: &Shared,
    request: &AssociationRQ,
) -> Result<(), (AssociationRJServiceUserReason, &'static str)> {
    let node = &service.settings.node;
    if request.protocol_version & PROTOCOL == 0 {
        return Err((AssociationRJServiceUserReason::NoReasonGiven, "another version of the protocol"));
    }
    if request.application_context_name.trim_end_matches('\0') != APPLICATION_CONTEXT {
        let reason = AssociationRJServiceUserReason::ApplicationContextNameNotSupported;
        return Err((reason, "another application context"));
    }
    if request.called_ae_title != node.aet {
        let reason = AssociationRJServiceUserReason::CalledAETitleNotRecognized;
        return Err((reason, "it calls another AE title"));
    }
    if !node.allow.is_empty() && !node.allow.contains(&request.calling_ae_title) {
        let reason = AssociationRJServiceUserReason::CallingAETitleNotRecognized;
        return Err((reason, "its AE title is not in the list"));
    }
    Ok(())
}

/// What becomes of a presentation context: the first of its transfer syntaxes that is taken.
fn negotiate(proposed: PresentationContextProposed) -> (PresentationContextResult, Option<Context>) {
    let trimmed = |uid: &str| uid.trim_end_matches(['\0', ' ']).to_owned();
    let class = trimmed(&proposed.abstract_syntax);
    let taken = syntaxes(&class);
    let syntax =
        proposed.transfer_syntaxes.iter().map(|uid| trimmed(uid)).find(|uid| taken.contains(&uid.as_str()));
    let reason = match &syntax {
        Some(_) => PresentationContextResultReason::Acceptance,
        None if taken.is_empty() => PresentationContextResultReason::AbstractSyntaxNotSupported,
        None => PresentationContextResultReason::TransferSyntaxesNotSupported,
    };
    // Of a refused context the transfer syntax means nothing, but must be there (PS3.8, 9.3.3.2).
    let told = syntax.clone().unwrap_or_else(|| boneage_dicom::IMPLICIT_LITTLE_ENDIAN.to_owned());
    let result = PresentationContextResult { id: proposed.id, reason, transfer_syntax: told };
    (result, syntax.map(|syntax| Context { class, syntax }))
}

impl<S: AsyncRead + AsyncWrite + Unpin> Association<S> {
    /// Answers until the other side releases the association.
    pub(super) async fn answer(mut self, service: &Shared) -> Result<(), Broken> {
        let mut command = Vec::new();
        let mut receiving = None;
        loop {
            match self.wire.read().await {
                Ok(Pdu::PData { data }) => {
                    for value in data {
                        if let Err(broken) = self.take(service, value, &mut command, &mut receiving).await {
                            return Err(self
                                .wire
                                .abort(AbortRQServiceProviderReason::UnexpectedPduParameter, broken)
                                .await);
                        }
                    }
                }
                Ok(Pdu::ReleaseRQ) => {
                    self.wire.write(&Pdu::ReleaseRP).await?;
                    drop(self.place);
                    self.wire.closed().await;
                    return Ok(());
                }
                Ok(Pdu::AbortRQ { .. }) => return Err(Broken::Aborted),
                Ok(_) => {
                    let reason = AbortRQServiceProviderReason::UnexpectedPdu;
                    return Err(self.wire.abort(reason, Broken::Protocol).await);
                }
                Err(broken @ Broken::Wire) => {
                    let reason = AbortRQServiceProviderReason::InvalidPduParameter;
                    return Err(self.wire.abort(reason, broken).await);
                }
                Err(broken) => return Err(broken),
            }
        }
    }

    /// A piece of a command, or of the data set that follows it.
    async fn take(
        &mut self,
        service: &Shared,
        value: PDataValue,
        command: &mut Vec<u8>,
        receiving: &mut Option<Receiving>,
    ) -> Result<(), Broken> {
        let context = self.contexts.get(&value.presentation_context_id).ok_or(Broken::Protocol)?;
        match (value.value_type, &mut *receiving) {
            (PDataValueType::Command, None) => {
                command.extend(value.data);
                if command.len() > LONGEST_COMMAND {
                    return Err(Broken::Protocol);
                }
                if !value.is_last {
                    return Ok(());
                }
                let request = Request::parse(&std::mem::take(command)).ok_or(Broken::Protocol)?;
                let answer = match request.field {
                    STORE if request.has_data && request.class == context.class => {
                        let id = value.presentation_context_id;
                        *receiving = Some(Receiving::begin(service, request, id, &context.syntax).await);
                        return Ok(());
                    }
                    ECHO if !request.has_data => request.answer(status::SUCCESS),
                    // It asks for no answer.
                    CANCEL => return Ok(()),
                    _ if request.has_data => return Err(Broken::Protocol),
                    _ => request.answer(status::UNRECOGNIZED),
                };
                self.send(value.presentation_context_id, answer).await
            }
            (PDataValueType::Data, Some(object)) if object.context == value.presentation_context_id => {
                object.add(&value.data).await;
                if !value.is_last {
                    return Ok(());
                }
                let object = receiving.take().expect("it is being received");
                let request = object.request.clone();
                let status = object.end(service, &self.peer).await;
                service.metrics.stored(status == status::SUCCESS);
                tracing::info!(stored = status == status::SUCCESS, "took an object");
                self.send(value.presentation_context_id, request.answer(status)).await
            }
            _ => Err(Broken::Protocol),
        }
    }

    async fn send(&mut self, context: u8, command: Vec<u8>) -> Result<(), Broken> {
        let value = PDataValue {
            presentation_context_id: context,
            value_type: PDataValueType::Command,
            is_last: true,
            data: command,
        };
        self.wire.write(&Pdu::PData { data: vec![value] }).await
    }
}
