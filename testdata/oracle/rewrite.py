#!/usr/bin/env python3
"""Read all flows of a dump with mitmproxy and write them again with mitmproxy.

    python rewrite.py IN OUT

OUT has the format version of the installed mitmproxy release. When reading ends with an error, the
flows before it are written and the exit status is 1; it is 0 when the whole input was read and
written, and 2 for wrong usage.

mitmproxy keeps the state of its migrations for as long as a process lives, so this script takes one
file and a further file needs a further run.
"""

import sys

sys.dont_write_bytecode = True  # leave no __pycache__ beside the test data

import os

from mitmproxy.io import FlowReader, FlowWriter


def main(source, target):
    if os.path.exists(target) and os.path.samefile(source, target):
        print("rewrite: IN and OUT are the same file", file=sys.stderr)
        return 2
    written = 0
    with open(source, "rb") as i, open(target, "wb") as o:
        writer = FlowWriter(o)
        try:
            for flow in FlowReader(i).stream():
                writer.add(flow)
                written += 1
        except Exception as exc:
            print(f"rewrite: {type(exc).__name__} after {written} flows: {exc}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        print(f"usage: {sys.argv[0]} IN OUT", file=sys.stderr)
        sys.exit(2)
    sys.exit(main(*sys.argv[1:]))
