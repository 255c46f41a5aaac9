#!/usr/bin/env python3
"""Print how mitmproxy parses filter expressions, one JSON line per file.

    python filter_parse.py FILE...

Each file is a JSON array of expressions. Run it with a Python that has mitmproxy installed; release 11
or later will do. Each line is

    {"file": name, "pyparsing": version, "results": [{"dump": text} | {"error": text}, ...]}

"dump" is what the filter prints of its own tree. "pyparsing" is the version of the parser library,
which decides what escapes in quotes mean.

The time mitmproxy takes grows exponentially with the nesting of an expression.

The exit status is 0 when every file has its line, and 2 for wrong usage.
"""

import sys

sys.dont_write_bytecode = True  # leave no __pycache__ beside the test data

import io
import json
import warnings
from importlib.metadata import version

from mitmproxy import flowfilter


def parse(expression):
    try:
        tree = flowfilter.parse(expression)
    except Exception as exc:
        return {"error": f"{type(exc).__name__}: {exc}"}
    if tree is None:  # releases before 10
        return {"error": "None"}
    out = io.StringIO()
    tree.dump(fp=out)
    return {"dump": out.getvalue()}


def main(paths):
    warnings.simplefilter("ignore")  # Python warns of some regular expressions
    for path in paths:
        with open(path, encoding="utf-8") as f:
            results = [parse(expression) for expression in json.load(f)]
        print(json.dumps({"file": path, "pyparsing": version("pyparsing"), "results": results}), flush=True)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        print(f"usage: {sys.argv[0]} FILE...", file=sys.stderr)
        sys.exit(2)
    main(sys.argv[1:])
