#!/usr/bin/env python3
"""Compare what a reader of flowpacks makes of flows with what mitmproxy reads.

    python flowpack_states.py BASE...

For each BASE, BASE.mitm is a dump and BASE.flowpack the same flows; flowpack.py in the folder of the
first is the reader, the program in docs/flowpack.md, which needs zstandard and msgpack. Prints a JSON
line per BASE:

    {"name": BASE, "flows": number, "chunks": number, "errors": [text, ...]}

The states are those that mitmproxy's tnetstring module loads, before any migration. Types, values and
the order of keys must be the same. The flows are read twice, from start to end and chunk by chunk, and
what the summary says of a chunk is compared with its flows.
"""

import sys

sys.dont_write_bytecode = True  # leave no __pycache__ beside the test data

import json
import os

from jsonl_states import differ
from mitmproxy.io import tnetstring


def summarized(facts, states):
    """What a summary says wrongly of states of format version 21."""
    if len(states) != facts["flows"]:
        yield f"{facts['flows']} flows, want {len(states)}"
    if facts["opaque"] or any(s.get("version") != 21 for s in states):
        return
    http = [s for s in states if s["type"] == "http"]
    responses = [s["response"] for s in http if s["response"]]
    want = {
        "versions": {"21"},
        "types": {s["type"] for s in states},
        "methods": {s["request"]["method"].decode("utf-8", "surrogateescape") for s in http},
        "statuses": {r["status_code"] for r in responses},
        "ids": {s["id"][:6] for s in states},
    }
    for key, values in want.items():
        if key not in facts["open"] and values != set(facts[key]):
            yield f"{key} {facts[key]}, want {values}"
    missing = {s["request"]["host"] for s in http} - set(facts["hosts"])
    if "hosts" not in facts["open"] and missing:
        yield f"hosts without {missing}"


def compare(base, reader):
    errors, want = [], []
    with open(base + ".mitm", "rb") as dump:
        while dump.read(1):
            dump.seek(-1, os.SEEK_CUR)
            want.append(tnetstring.load(dump))
    with open(base + ".flowpack", "rb") as file:
        whole = list(reader.flows(file))
        places = reader.chunks(file)
        single = []
        for n, place in enumerate(places):
            states = reader.chunk(file, *place)
            single += states
            errors += [f"chunk {n}: {e}" for e in summarized(place[2], states)]
    for name, got in ("the file", whole), ("the chunks", single):
        if len(got) != len(want):
            errors.append(f"{len(got)} flows in {name}, want {len(want)}")
        for n, (a, b) in enumerate(zip(want, got)):
            if error := differ(a, b):
                errors.append(f"flow {n} in {name}{error}")
    return {"name": base, "flows": len(whole), "chunks": len(places), "errors": errors}


if __name__ == "__main__":
    if len(sys.argv) < 2:
        print(f"usage: {sys.argv[0]} BASE...", file=sys.stderr)
        sys.exit(2)
    sys.path.insert(0, os.path.dirname(sys.argv[1]))
    import flowpack

    for name in sys.argv[1:]:
        print(json.dumps(compare(name, flowpack)), flush=True)
