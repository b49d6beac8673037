"""Reads a FHIR R4 Bundle from stdin with a library that is not ours, and says what it understood: one line an Observation."""

import sys

from fhir.resources.R4B.bundle import Bundle

bundle = Bundle.model_validate_json(sys.stdin.read())
assert bundle.type == "collection", bundle.type
resources = [entry.resource for entry in bundle.entry]
urls = [entry.fullUrl for entry in bundle.entry]
for resource in resources:
    kind = resource.get_resource_type()
    if kind == "DiagnosticReport":
        # What a report rests on is in the bundle.
        assert all(result.reference in urls for result in resource.result), resource.result
    else:
        assert kind == "Observation", kind
        codes = [(coding.system, coding.code) for coding in resource.code.coding]
        assert ("http://loinc.org", "37362-1") in codes, codes
        quantity = resource.valueQuantity
        told = f"{quantity.value} {quantity.code}" if quantity else resource.dataAbsentReason.coding[0].code
        print(resource.status, told, len(resource.component or []))
