#!/usr/bin/env python3
"""Answer questions about the texts that mitmproxy's filters search, one JSON line per file.

    python search_texts.py FILE...
    python search_texts.py --tables > internal/searchtext/tables.go

A FILE holds one question per line, a JSON array of its kind and its arguments; FUNCTIONS below says
which there are. A line of the answer is {"file": name, "answers": [...]} with one answer for each
question. Bytes are base64 in questions and answers, and so are texts: as UTF-8, in which a surrogate
U+DC00+b is the byte b. Where mitmproxy raises an exception the answer is {"error": class name}.

A FILE that ends in .mitm is a dump instead. "answers" then has one object for each flow, with its
searched texts.

With --tables the script prints the tables of Unicode 3.2 that IDNA 2003 needs, as a Go file.
"""

import sys

sys.dont_write_bytecode = True  # leave no __pycache__ beside the test data

import base64
import hashlib
import json
import stringprep
import unicodedata
import zlib

from mitmproxy.dns import DNSFlow, ResourceRecord
from mitmproxy.http import Headers, HTTPFlow, Message, Request, Response
from mitmproxy.net.http.url import parse_authority

from dump_states import flows, per_file


def unb64(s):
    return base64.b64decode(s)


def untext(s):
    return unb64(s).decode("utf-8", "surrogateescape")


def b64(b):
    return base64.b64encode(b).decode("ascii")


def text(s):
    return b64(s.encode("utf-8", "surrogateescape"))


def short(body):
    """A body, or its hash if it is long."""
    if body is None or len(body) <= 64:
        return body if body is None else b64(body)
    return f"{len(body)}:{hashlib.sha256(body).hexdigest()}"


def request(method, scheme, authority, path, version, host, port, host_headers):
    return Request(
        host=untext(host),
        port=int(port),
        method=unb64(method),
        scheme=unb64(scheme),
        authority=unb64(authority),
        path=unb64(path),
        http_version=unb64(version),
        headers=Headers([(b"hOST", unb64(v)) for v in host_headers]),
        content=b"",
        trailers=None,
        timestamp_start=0,
        timestamp_end=0,
    )


def urls(*args):
    """The pretty URL and the pretty host of a request."""
    r = request(*args)
    return [text(r.pretty_url), text(r.pretty_host)]


def authority(b):
    return text(request("", "", b, "", "", "", 0, []).authority)


def split(s):
    host, port = parse_authority(untext(s), check=False)
    return [text(host), -1 if port is None else port]


def idna(before, after, first, last):
    """The encoded names of the code points from first to last, null for an error."""

    def encode(c):
        try:
            return (untext(before) + chr(c) + untext(after)).encode("idna").decode("ascii")
        except UnicodeError:
            return None

    return [encode(c) for c in range(first, last + 1)]


def record(rtype, data):
    return text(str(ResourceRecord("", int(rtype), 1, 0, unb64(data))))


def untyped(v):
    """The value of typed JSON notation, see dump_states.py."""
    if isinstance(v, list):
        return [untyped(e) for e in v]
    if not isinstance(v, dict):
        return v
    ((kind, v),) = v.items()
    match kind:
        case "i":
            return int(v)
        case "f":
            return float(v)
        case "b":
            return unb64(v)
    return {untyped(k): untyped(e) for k, e in v}


def lines(metadata):
    return "\n".join(f"{key}: {value}" for key, value in metadata.items())


def metadata(v):
    return text(lines(untyped(v)))


def body(encoding, raw):
    m = Response.make(200, b"", {})
    m.headers = Headers([(b"content-encoding", unb64(e)) for e in encoding])
    m.raw_content = unb64(raw)
    return short(m.get_content(strict=False))


def inflate(wbits, raw):
    """What is left of zlib's exceptions: the output, and whether the stream has ended."""
    d = zlib.decompressobj(int(wbits))
    try:
        out = d.decompress(unb64(raw)) + d.flush()
    except zlib.error:
        return None
    return [short(out), d.eof]


FUNCTIONS = {f.__name__: f for f in (urls, authority, split, idna, record, metadata, body, inflate)}


def attempt(function, *args):
    try:
        return function(*args)
    except Exception as exc:
        return {"error": type(exc).__name__}


def answer(line):
    kind, *args = json.loads(line)
    return attempt(FUNCTIONS[kind], *args)


def address(a):
    return text(f"{a[0]}:{a[1]}") if a else None


def searched(flow):
    """The texts of a flow, by operator."""
    d = {
        "src": address(flow.client_conn.peername),
        "dst": address(flow.server_conn.address),
        "meta": text(lines(flow.metadata)),
    }
    if isinstance(flow, HTTPFlow):
        d["urls"] = [text(flow.request.pretty_url), text(flow.request.pretty_host)]
        d["headers"] = [text_of(m) for m in (flow.request, flow.response)]
        d["bodies"] = [m and short(m.get_content(strict=False)) for m in (flow.request, flow.response)]
    if isinstance(flow, DNSFlow):
        d["bodies"] = [m and short(str(m).encode()) for m in (flow.request, flow.response)]
    return d


def text_of(message: Message | None):
    return message and b64(bytes(message.headers))


def answers(path):
    if path.endswith(".mitm"):
        return [attempt(searched, flow) for flow in flows(path)[0]]
    with open(path, encoding="utf-8") as f:
        return [answer(line) for line in f]


def ranges(predicate):
    """The ranges of code points that satisfy predicate, in lists below and above U+FFFF."""
    found = [], []
    for c in range(0x110000):
        if predicate(chr(c)):
            rs = found[c > 0xFFFF]
            if rs and rs[-1][1] == c - 1:
                rs[-1][1] = c
            else:
                rs.append([c, c])
    return found


def print_rows(indent, items, width=100):
    row = indent
    for item in items:
        if len(row.expandtabs(4)) + len(item) + 1 > width:
            print(row.rstrip())
            row = indent
        row += item + " "
    if row.strip():
        print(row.rstrip())


def print_table(name, comment, predicate):
    print(f"\n// {comment}\nvar {name} = &unicode.RangeTable{{")
    for size, rs in zip((16, 32), ranges(predicate)):
        if rs:
            print(f"\tR{size}: []unicode.Range{size}{{")
            print_rows("\t\t", [f"{{{a:#x}, {b:#x}, 1}}," for a, b in rs])
            print("\t},")
    print("}")


def case_folds():
    """The code points whose B.2 mapping does not follow from simple lower case and normalization."""
    old = unicodedata.ucd_3_2_0

    def simple(c):
        low = c.lower()
        return low if len(low) == 1 else "i"  # U+0130 is the only one

    def fold(c):
        return folds.get(c) or simple(c)

    def b2(c):
        a = fold(c)
        b = old.normalize("NFKC", a)
        again = old.normalize("NFKC", "".join(map(fold, b)))
        return a if again == b else again

    folds = {}
    todo = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    while todo := [c for c in todo if b2(c) != stringprep.map_table_b2(c)]:
        new = {c: f for c in todo if c not in folds and (f := stringprep.map_table_b3(c)) != simple(c)}
        if not new:
            sys.exit(f"B.2 cannot be computed for {todo}")
        # A code point that decomposes may only need the fold of what it decomposes to.
        folds |= {c: f for c, f in new.items() if old.normalize("NFKC", c) == c} or new
    return sorted(folds.items())


def escaped(s):
    return "".join(c if " " < c < "\x7f" else f"\\u{ord(c):04x}" for c in s)


def tables():
    s = stringprep
    print("// Code generated by testdata/oracle/search_texts.py --tables. DO NOT EDIT.\n")
    print("package searchtext\n\nimport \"unicode\"")
    print_table("unassigned32", "unassigned32 are the code points without a meaning in Unicode 3.2 (RFC 3454, A.1).", s.in_table_a1)
    print_table("mappedToNothing", "mappedToNothing is table B.1 of RFC 3454.", s.in_table_b1)
    c = [s.in_table_c12, s.in_table_c22, s.in_table_c3, s.in_table_c4, s.in_table_c5, s.in_table_c6, s.in_table_c7, s.in_table_c8, s.in_table_c9]
    print_table("prohibited", "prohibited are tables C.1.2, C.2.2 and C.3 to C.9 of RFC 3454.", lambda x: any(f(x) for f in c))
    print_table("rightToLeft", "rightToLeft is table D.1 of RFC 3454.", s.in_table_d1)
    print_table("leftToRight", "leftToRight is table D.2 of RFC 3454.", s.in_table_d2)
    print("\n// caseFolds are the case foldings of RFC 3454, B.3, that are more than [unicode.ToLower]")
    print("// and do not follow from it by normalization.")
    print("var caseFolds = []caseFold{")
    print_rows("\t", [f"{{{ord(c):#x}, \"{escaped(f)}\"}}," for c, f in case_folds()])
    print("}")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        print(f"usage: {sys.argv[0]} FILE... | --tables", file=sys.stderr)
        sys.exit(2)
    if sys.argv[1] == "--tables":
        tables()
    else:
        per_file(sys.argv[1:], lambda path: {"answers": answers(path)})
