"""Shows the output of "go test -json" as "go test" would, and counts the tests.

    go test -json ... | python3 gotest.py SUMMARY TALLY TESTS
    python3 gotest.py TESTS

The line of every package is appended to SUMMARY, "PASSED FAILED" to TALLY, and
a line for every test to TESTS: what became of it, its package and its name.
With TESTS alone, the tests are shown that were skipped every time; the exit
status is 1 if there are any.

Subtests count like tests; a package that fails without a test that does, for
example because it does not compile, counts as a failed one. The exit status is
1 if anything failed or if there was no test at all.
"""

import json
import sys


def never_ran(tests_name):
    skipped, ran = set(), set()
    with open(tests_name) as f:
        for line in f:
            action, *test = line.split(maxsplit=2)
            (skipped if action == "skip" else ran).add(tuple(test))
    never = sorted(skipped - ran)
    for package, test in never:
        print("skipped every time:", package, test, end="")
    return 1 if never else 0


def main(summary_name, tally_name, tests_name):
    passed = failed = 0
    output = {}  # of the tests that are not done yet
    broken = {}  # packages with failed tests
    summary = []
    tests = []
    for line in sys.stdin:
        try:
            event = json.loads(line)
        except ValueError:
            print(line, end="")  # what is not of a test, such as an error of the go command
            continue
        action = event["Action"]
        package = event.get("Package", event.get("ImportPath", ""))
        test = event.get("Test")
        key = package, test
        if action in ("output", "build-output"):
            if test is None:
                text = event["Output"]
                if text.startswith(("ok ", "FAIL\t", "?  ")):
                    summary.append(text)
                if text not in ("PASS\n", "FAIL\n"):
                    print(text, end="")
            else:
                output.setdefault(key, []).append(event["Output"])
        elif action in ("pass", "fail", "skip"):
            text = output.pop(key, [])
            if action == "fail":
                print("".join(text), end="")
            if test is not None:
                tests.append("%s %s %s\n" % (action, package, test))
                passed += action == "pass"
                failed += action == "fail"
                if action == "fail":
                    broken[package] = True
            elif action == "fail" and package not in broken:
                failed += 1
                # Where a test never ended, its output says why.
                for (p, _), text in output.items():
                    if p == package:
                        print("".join(text), end="")
        sys.stdout.flush()
    with open(summary_name, "a") as f:
        f.writelines(summary)
    with open(tests_name, "a") as f:
        f.writelines(tests)
    with open(tally_name, "a") as f:
        f.write("%d %d\n" % (passed, failed))
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(never_ran(*sys.argv[1:]) if len(sys.argv) == 2 else main(*sys.argv[1:]))
