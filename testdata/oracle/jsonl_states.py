#!/usr/bin/env python3
"""Compare what a reader of JSON Lines makes of flows with what mitmproxy reads.

    python jsonl_states.py BASE...

For each BASE, BASE.mitm is a dump and BASE.jsonl its lines; jsonl.py in the folder of the first is the
reader, the program in docs/jsonl.md. Prints a JSON line per BASE:

    {"name": BASE, "flows": number, "errors": [text, ...]}

The states are those that mitmproxy's tnetstring module loads, before any migration. Types, values and
the order of keys must be the same; a dict is stored back to front, so its order is the reverse there.
"""

import sys

sys.dont_write_bytecode = True  # leave no __pycache__ beside the test data

import json
import os

from mitmproxy.io import tnetstring


def differ(want, got, path=""):
    """Where two states differ, or None."""
    if type(want) is not type(got):
        return f"{path}: {type(got).__name__}, want {type(want).__name__}"
    if isinstance(want, dict):
        a, b = list(want.items())[::-1], list(got.items())
        if [repr(k) for k, _ in a] != [repr(k) for k, _ in b]:
            return f"{path}: keys {[k for k, _ in b]}, want {[k for k, _ in a]}"
        pairs = [(k, v, w) for (k, v), (_, w) in zip(a, b)]
    elif isinstance(want, list):
        if len(want) != len(got):
            return f"{path}: {len(got)} elements, want {len(want)}"
        pairs = [(i, v, w) for i, (v, w) in enumerate(zip(want, got))]
    else:
        return None if repr(want) == repr(got) else f"{path}: {got!r:.200}, want {want!r:.200}"
    for k, v, w in pairs:
        if d := differ(v, w, f"{path}/{k}"):
            return d
    return None


def compare(base, reader):
    errors, flows = [], 0
    with open(base + ".mitm", "rb") as dump, open(base + ".jsonl", encoding="utf-8", newline="\n") as lines:
        for flows, line in enumerate(lines, 1):
            want = tnetstring.load(dump)
            try:
                error = differ(want, reader.state(line))
            except Exception as exc:
                error = f": {type(exc).__name__}: {exc}"
            if error:
                errors.append(f"flow {flows - 1}{error}")
        if dump.read(1):
            errors.append("the dump has more flows")
    return {"name": base, "flows": flows, "errors": errors}


if __name__ == "__main__":
    if len(sys.argv) < 2:
        print(f"usage: {sys.argv[0]} BASE...", file=sys.stderr)
        sys.exit(2)
    sys.path.insert(0, os.path.dirname(sys.argv[1]))
    import jsonl

    for name in sys.argv[1:]:
        print(json.dumps(compare(name, jsonl)), flush=True)
