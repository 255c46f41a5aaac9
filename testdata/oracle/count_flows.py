#!/usr/bin/env python3
"""Print how many flows mitmproxy reads from each dump, one JSON line per file.

    python count_flows.py FILE...

Each line is {"file": name, "flows": count, "error": null | class name}. The count is of the flows
read before the end or the error. As in dump_states.py, which explains why, every file is read in a
process of its own.
"""

import sys

sys.dont_write_bytecode = True  # leave no __pycache__ beside the test data

from dump_states import flows, per_file


def count(path):
    read, error = flows(path)
    return {"flows": len(read), "error": error and type(error).__name__}


if __name__ == "__main__":
    if len(sys.argv) < 2:
        print(f"usage: {sys.argv[0]} FILE...", file=sys.stderr)
        sys.exit(2)
    per_file(sys.argv[1:], count)
