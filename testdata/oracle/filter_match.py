#!/usr/bin/env python3
"""Print which flows mitmproxy's filters match, one JSON line per file.

    python filter_match.py EXPRESSIONS DUMP...

EXPRESSIONS is a JSON array of filter expressions. Its line is

    {"file": name, "version": mitmproxy's, "pyparsing": version, "invalid": {number: error, ...}}

with the expressions that mitmproxy does not accept. The line of a dump is

    {"file": name, "flows": n, "answers": [letters, ...], "raised": {class: [[expression, flow], ...]}}

"answers" has a string for each expression, with a letter for each flow that could be read: "m" if the
filter matches, "n" if it does not, "x" if it raised an exception, which "raised" has by class, and "t"
if there was no answer within a second. The string is empty for invalid expressions.

Expressions are parsed once. Dumps are read in forked processes, for the reasons that dump_states.py
gives.

The exit status is 0 when every file has its line, and 2 for wrong usage.
"""

import sys

sys.dont_write_bytecode = True  # leave no __pycache__ beside the test data

import json
import signal
import warnings
from importlib.metadata import version

from mitmproxy import flowfilter
from mitmproxy.version import VERSION

from dump_states import flows, per_file


class Timeout(Exception):
    pass


def on_alarm(signum, frame):
    raise Timeout


def parse_all(path):
    """The filters in a file, None for each that is invalid, and the errors of those."""
    filters, invalid = [], {}
    with open(path, encoding="utf-8") as f:
        for i, expression in enumerate(json.load(f)):
            try:
                filters.append(flowfilter.parse(expression))
            except Exception as exc:
                filters.append(None)
                invalid[i] = f"{type(exc).__name__}: {exc}"
    return filters, invalid


def ask(matches, flow):
    """The letter of a filter and a flow, and the exception if there was one."""
    signal.setitimer(signal.ITIMER_REAL, 1)
    try:
        return ("m" if matches(flow) else "n"), None
    except Timeout:
        return "t", None
    except Exception as exc:
        return "x", exc
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def answers(filters, path):
    read, _ = flows(path)
    lines, raised = [], {}
    for i, matches in enumerate(filters):
        letters = ""
        for n, flow in enumerate(read if matches else []):
            letter, exc = ask(matches, flow)
            letters += letter
            if exc is not None:
                raised.setdefault(type(exc).__name__, []).append([i, n])
        lines.append(letters)
    return {"flows": len(read), "answers": lines, "raised": raised}


if __name__ == "__main__":
    if len(sys.argv) < 2:
        print(f"usage: {sys.argv[0]} EXPRESSIONS DUMP...", file=sys.stderr)
        sys.exit(2)
    warnings.simplefilter("ignore")  # Python warns of some regular expressions
    signal.signal(signal.SIGALRM, on_alarm)
    filters, invalid = parse_all(sys.argv[1])
    about = {"version": VERSION, "pyparsing": version("pyparsing"), "invalid": invalid}
    print(json.dumps({"file": sys.argv[1], **about}), flush=True)
    per_file(sys.argv[2:], lambda path: answers(filters, path))
