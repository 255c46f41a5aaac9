#!/usr/bin/env python3
"""Read flow dumps with mitmproxy and print what it writes for them, one JSON line per file.

    python resave.py FILE...

Run it with a Python that has mitmproxy installed, of any release from 3.0 on. Each line is

    {"file": name, "format": version, "flows": count, "saved": base64, "error": null | {"class": ..., "message": ...}}

"format" is the format version that the release writes, an integer. "saved" is what it writes for the
flows that it read before the end or the error, of which there are "flows". As in dump_states.py, which
explains why, every file is read in a process of its own.
"""

import sys

sys.dont_write_bytecode = True  # leave no __pycache__ beside the test data

import base64
import io

from mitmproxy import version
from mitmproxy.io import FlowWriter

from dump_states import describe, flows, per_file


def saved(path):
    read, error = flows(path)
    out = io.BytesIO()
    count = 0
    try:
        writer = FlowWriter(out)
        for flow in read:
            writer.add(flow)
            count += 1
    except Exception as exc:
        error = exc
    return {
        "format": version.FLOW_FORMAT_VERSION,
        "flows": count,
        "saved": base64.b64encode(out.getvalue()).decode("ascii"),
        "error": error and describe(error),
    }


if __name__ == "__main__":
    if len(sys.argv) < 2:
        print("usage: {} FILE...".format(sys.argv[0]), file=sys.stderr)
        sys.exit(2)
    per_file(sys.argv[1:], saved)
