package har_test

import "github.com/flowtool/flowtool/internal/flowtest"

func docsFile() string { return flowtest.Path("..", "docs", "har.md") }
