#!/usr/bin/env python
"""Print what an old release of mitmproxy reads from dumps of its own format, one JSON line per file.

    python release_flows.py FILE...

It runs on Python 2.7 and 3.6 to 3.13, with the releases from 0.11 to 10. Each line is

    {"file": name, "release": "0.18.3", "format": "0.18",
     "flows": [facts, ...], "saved": base64, "error": null | {"class": ..., "message": ...}}

"format" is the version that the release writes. The facts are taken from the attributes of the flow that
the release made. What a release does not know is null. Texts are bytes in UTF-8, with one character for
each byte; bodies are the hexadecimal SHA-256 of what was transferred. "saved" is what the release writes
for the flows. "error" is what ended the reading or the writing.

Nothing is migrated, so one process can read all files: see dump_states.py.
"""

from __future__ import print_function

import sys

sys.dont_write_bytecode = True  # leave no __pycache__ beside the test data

import base64
import hashlib
import importlib
import io
import json


def attribute(name, *modules):
    """The attribute of the first of modules that there is; they moved from release to release."""
    errors = []
    for module in modules:
        try:
            return getattr(importlib.import_module(module), name)
        except ImportError as exc:
            errors.append("%s: %s" % (module, exc))
    raise ImportError("; ".join(errors))


FlowReader = attribute("FlowReader", "mitmproxy.io", "mitmproxy.flow", "libmproxy.flow")
FlowWriter = attribute("FlowWriter", "mitmproxy.io", "mitmproxy.flow", "libmproxy.flow")
VERSION = attribute("VERSION", "mitmproxy.version", "libmproxy.version", "netlib.version")


def to_bytes(value):
    """Text as bytes; bytes as they are."""
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    return value.encode("utf-8") if sys.version_info[0] == 2 else value.encode("utf-8", "surrogateescape")


def text(value):
    """A text or bytes as JSON can hold it."""
    return None if value is None else to_bytes(value).decode("latin-1")


def digest(value):
    """The hash of a body. Until 0.17 one that is missing is 0."""
    return None if value is None or value == 0 else hashlib.sha256(to_bytes(value)).hexdigest()


def first(obj, *names):
    """The first of the attributes that obj has, or None."""
    for name in names:
        try:
            return getattr(obj, name)
        except AttributeError:
            pass
    return None


def address(value):
    """[host, port], or None for one that is empty."""
    if value is not None and not isinstance(value, (tuple, list)):
        value = value.address  # a type of its own
    return [text(value[0]), value[1]] if value and value[0] else None


def fields(headers):
    """The header fields in their order."""
    pairs = first(headers, "fields", "lst")
    return [[text(name), text(value)] for name, value in pairs]


def http_version(message):
    value = first(message, "http_version", "httpversion")
    return "HTTP/%d.%d" % tuple(value) if isinstance(value, (tuple, list)) else text(value)


def message_facts(message):
    # What is between the attributes and the message decodes and guesses.
    data = first(message, "data") or message
    facts = {
        "version": http_version(data),
        "headers": fields(data.headers),
        "body": digest(first(data, "content", "body")),
        "start": data.timestamp_start,
        "end": data.timestamp_end,
    }
    if hasattr(data, "method"):
        facts.update(
            method=text(data.method),
            scheme=text(data.scheme),
            host=text(data.host),
            port=data.port,
            path=text(data.path),
        )
    else:
        facts.update(status=first(data, "status_code", "code"), reason=text(first(data, "reason", "msg")))
    return facts


def messages(sent):
    return [
        {"client": bool(m.from_client), "body": digest(m.content), "time": float(m.timestamp), "opcode": opcode(m)}
        for m in sent
    ]


def opcode(message):
    """1 for text and 2 for binary messages of WebSockets."""
    value = getattr(message, "type", None)
    return None if value is None else int(value)


def dns_facts(message):
    records = list(message.answers) + list(message.authorities) + list(message.additionals)
    return {
        "id": message.id,
        "query": message.query,
        "questions": ["%s %d %d" % (text(q.name), q.type, q.class_) for q in message.questions],
        "records": ["%s %d %d %d %s" % (text(r.name), r.type, r.class_, r.ttl, digest(r.data)) for r in records],
    }


def flow_facts(flow):
    facts = {
        "type": text(flow.type),
        "id": text(flow.id),
        "client": address(first(flow.client_conn, "peername", "address")),
        "server": address(flow.server_conn.address),
        "error": text(flow.error.msg) if flow.error else None,
        "backup": bool(flow._backup),
        "marked": None if first(flow, "marked") is None else bool(flow.marked),
        "comment": text(first(flow, "comment")),
    }
    if facts["type"] == "http":
        facts["request"] = message_facts(flow.request)
        facts["response"] = message_facts(flow.response) if flow.response else None
        if first(flow, "websocket"):
            facts["messages"] = messages(flow.websocket.messages)
    elif facts["type"] == "dns":
        facts["query"] = dns_facts(flow.request)
        facts["answer"] = dns_facts(flow.response) if flow.response else None
    else:
        facts["messages"] = messages(flow.messages)
    return facts


def read(path):
    flows, error, saved = [], None, io.BytesIO()
    writer = FlowWriter(saved)
    try:
        with open(path, "rb") as f:
            for flow in FlowReader(f).stream():
                flows.append(flow_facts(flow))
                writer.add(flow)
    except Exception as exc:
        error = {"class": type(exc).__name__, "message": str(exc)}
    return {"flows": flows, "saved": base64.b64encode(saved.getvalue()).decode("ascii"), "error": error}


def format_version():
    try:
        return str(attribute("FLOW_FORMAT_VERSION", "mitmproxy.version"))
    except (AttributeError, ImportError):  # until 2.0 it was the number of the release
        return ".".join(VERSION.split(".")[:2])


if __name__ == "__main__":
    if len(sys.argv) < 2:
        print("usage: %s FILE..." % sys.argv[0], file=sys.stderr)
        sys.exit(2)
    for name in sys.argv[1:]:
        line = {"file": name, "release": VERSION, "format": format_version()}
        line.update(read(name))
        print(json.dumps(line))
