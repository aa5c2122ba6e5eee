"""What the contract says in words only, for Schemathesis to keep to."""

import os

import schemathesis
from hypothesis import strategies

# Opaque: as sites gave them out.
schemathesis.openapi.format(
    "tandem-session", strategies.sampled_from(os.environ["TANDEM_SESSIONS"].split(" "))
)


@schemathesis.hook
def map_body(context, body):
    """JSON Schema cannot say which numbers a double brings back as written; of a float, Python writes such a text."""
    if isinstance(body, dict):
        return {name: map_body(context, value) for name, value in body.items()}
    if isinstance(body, list):
        return [map_body(context, value) for value in body]
    if isinstance(body, int) and abs(body) > 2**53:
        return float(body)
    return body


@schemathesis.hook
def before_call(context, case, kwargs):
    """Schemathesis writes a header whose text is a JSON string without its quotes; an entity tag is one with them."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    for name in ("If-Match", "If-None-Match"):
        tag = (case.headers or {}).get(name)
        if tag is not None and tag != "*" and '"' not in tag:
            case.headers[name] = f'"{tag}"'


def of_one_write(event):
    """An event of one write by its source: JSON Schema cannot say how the parts of an event fit each other."""
    clock = event["event_id"].split("|")[-1].split(".")[0]
    stamp = f"{clock}.{event['source']}"
    fields = event["state"]["stamps"]
    return {
        **event,
        "event_id": f"{event['source']}|{event['key']}|{stamp}",
        "state": {"stamps": {name: stamp for name in fields}, "vector": {event["source"]: stamp}},
    }


@schemathesis.hook("before_call")
def send_consistent_events(context, case, kwargs):
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if isinstance(case.body, dict) and isinstance(case.body.get("event"), dict):
        case.body = {**case.body, "event": of_one_write(case.body["event"])}
