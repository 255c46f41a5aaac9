#!/usr/bin/env python3
"""Print what mitmproxy reads from flow dumps, one JSON line per file.

    python dump_states.py FILE...

Run it with a Python that has mitmproxy installed; any release from 8 to 13 will do, and the release
decides the format version of the states. Each line is

    {"file": name, "flows": [state, ...], "error": null | {"class": ..., "message": ...}}

"flows" has the state of every flow that was read before the end or the error, in the key order of
get_state(), in the typed JSON notation that testdata/README.md explains. "error" is whatever ended
the reading: FlowReadException, or any other exception, because mitmproxy lets several of them escape.

Every file is read in a forked process of its own. mitmproxy keeps the state of its migrations (the
ids given to old connections, the handshakes that wait for their WebSocket flow) in module variables
that live as long as the process, so what one file contains would change what the next one becomes.
A fork gives each file fresh maps without touching them, and a crash costs one line, not the run.

Ids that a migration generates, and message times of 0 or null, which become the current time, differ
from run to run.

The exit status is 0 when every file has its line, whatever the line says, and 2 for wrong usage.
"""

import sys

sys.dont_write_bytecode = True  # leave no __pycache__ beside the test data

import base64
import json
import os

from mitmproxy.io import FlowReader


def typed(value):
    """The typed JSON notation of a value of a state."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return {"i": str(int(value))}
    if isinstance(value, float):
        return {"f": repr(float(value))}
    if isinstance(value, (bytes, bytearray)):
        return {"b": base64.b64encode(value).decode("ascii")}
    if isinstance(value, (list, tuple)):
        return [typed(v) for v in value]
    if isinstance(value, dict):
        return {"d": [[typed(k), typed(v)] for k, v in value.items()]}
    raise TypeError(f"a state cannot hold {type(value).__name__}")


def describe(exc):
    """The error member of a line."""
    return {"class": type(exc).__name__, "message": str(exc)}


def flows(path):
    """The flows that mitmproxy reads from path, and the exception that ended it or None."""
    read, error = [], None
    try:
        with open(path, "rb") as f:
            for flow in FlowReader(f).stream():
                read.append(flow)
    except KeyboardInterrupt:
        raise
    except BaseException as exc:  # panics of native extensions are no Exception
        error = exc
    # mitmproxy has read under the usual limit; showing the result may go as deep as it needs.
    sys.setrecursionlimit(100_000)
    return read, error


def per_file(paths, line):
    """Print line(path) as JSON for each path, computed in a forked process."""
    for path in paths:
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                print(json.dumps({"file": path, **line(path)}), flush=True)
                status = 0
            except BaseException as exc:
                print(f"{path}: {describe(exc)}", file=sys.stderr, flush=True)
            finally:
                os._exit(status)
        _, status = os.waitpid(pid, 0)
        if status:
            lost = {"class": "ChildProcessError", "message": f"reading ended with wait status {status}"}
            print(json.dumps({"file": path, "flows": None, "error": lost}), flush=True)


def states(path):
    read, error = flows(path)
    return {
        "flows": [typed(flow.get_state()) for flow in read],
        "error": error and describe(error),
    }


if __name__ == "__main__":
    if len(sys.argv) < 2:
        print(f"usage: {sys.argv[0]} FILE...", file=sys.stderr)
        sys.exit(2)
    per_file(sys.argv[1:], states)
