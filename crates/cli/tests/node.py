"""Asks a running DICOM node in pynetdicom's words: PORT ARCHIVE_PORT FILM. Its results come back to ARCHIVE_PORT, which
takes Implicit VR Little Endian alone."""

import sys
import time

from pydicom import dcmread
from pynetdicom import AE, evt
from pynetdicom.sop_class import CTImageStorage, DigitalXRayImageStorageForPresentation, Verification

IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
RESULTS = {
    "1.2.840.10008.5.1.4.1.1.7",
    "1.2.840.10008.5.1.4.1.1.88.22",
    "1.2.840.10008.5.1.4.1.1.104.1",
}

port, archive_port, film = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
received = []


def keep(event):
    data_set = event.dataset
    assert event.context.transfer_syntax == IMPLICIT
    # Whatever is not as it should be is raised here.
    _ = str(data_set)
    received.append(data_set)
    # As archives do: stored, but one element was changed.
    return 0xB000


archive = AE(ae_title="ARCHIVE")
for uid in RESULTS:
    archive.add_supported_context(uid, IMPLICIT)
server = archive.start_server(("127.0.0.1", archive_port), block=False, evt_handlers=[(evt.EVT_C_STORE, keep)])


def associate(calling="CR1", called="BONEAGE"):
    ae = AE(ae_title=calling)
    ae.add_requested_context(Verification)
    ae.add_requested_context(DigitalXRayImageStorageForPresentation, [EXPLICIT, IMPLICIT])
    ae.add_requested_context(CTImageStorage)
    return ae.associate("127.0.0.1", port, ae_title=called)


for calling, called in [("CR2", "BONEAGE"), ("CR1", "ANOTHER")]:
    # Rejected; pynetdicom takes an answer that comes at once for an abort now and then.
    assert not associate(calling, called).is_established, (calling, called)

association = associate()
assert association.is_established
assert association.send_c_echo().Status == 0
assert {context.abstract_syntax for context in association.rejected_contexts} == {CTImageStorage}
data_set = dcmread(film)
for _ in range(3):
    assert association.send_c_store(data_set).Status == 0
association.release()

# Half an association and half an object keep nobody out.
half = associate()
half.abort()
again = associate()
assert again.send_c_echo().Status == 0
again.release()

deadline = time.monotonic() + 60
while len(received) < len(RESULTS) and time.monotonic() < deadline:
    time.sleep(0.05)
assert {result.SOPClassUID for result in received} == RESULTS, received
for result in received:
    assert result.StudyInstanceUID == data_set.StudyInstanceUID
    assert result.PatientID == data_set.PatientID
    assert result.SOPInstanceUID != data_set.SOPInstanceUID
server.shutdown()
