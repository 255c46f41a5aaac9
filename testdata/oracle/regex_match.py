#!/usr/bin/env python3
"""Print what Python's re makes of regular expressions, one JSON line per file of cases.

    python regex_match.py FILE...

A file has one case per line:

    {"pattern": base64, "kind": "bytes" | "text", "flags": "ims", "subjects": [base64, ...]}

Patterns and subjects of text are decoded as UTF-8, with a surrogate for each byte that is not.
For each file a line is printed,

    {"file": name, "version": [major, minor], "unicode": "15.1.0", "results": [result, ...]}

with one result per case: "error" if the pattern does not compile, and else a string with a letter per
subject, "m" if the pattern matches somewhere, "n" if it does not, "t" if there was no answer within
half a second, and "x" if re itself failed, as it can: "SystemError: The span of capturing group is wrong,
please report a bug for the re module".
"""

import base64
import json
import re
import signal
import sys
import unicodedata
import warnings


class Timeout(Exception):
    pass


def on_alarm(signum, frame):
    raise Timeout


def decode(text, kind):
    data = base64.b64decode(text)
    return data if kind == "bytes" else data.decode("utf-8", "surrogateescape")


def search(pattern, subject):
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        return "m" if pattern.search(subject) else "n"
    except Timeout:
        return "t"
    except Exception:
        return "x"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def result(case):
    kind = case["kind"]
    flags = sum(getattr(re, letter.upper()) for letter in case["flags"])
    try:
        pattern = re.compile(decode(case["pattern"], kind), flags)
    except Exception:  # re.error, ValueError, OverflowError, RecursionError: all are invalid to mitmproxy
        return "error"
    return "".join(search(pattern, decode(s, kind)) for s in case["subjects"])


if __name__ == "__main__":
    if len(sys.argv) < 2:
        print(f"usage: {sys.argv[0]} FILE...", file=sys.stderr)
        sys.exit(2)
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGALRM, on_alarm)
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8") as f:
            results = [result(json.loads(line)) for line in f]
        line = {"file": path, "version": sys.version_info[:2], "unicode": unicodedata.unidata_version}
        print(json.dumps({**line, "results": results}), flush=True)
