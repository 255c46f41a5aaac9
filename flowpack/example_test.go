package flowpack_test

import (
	"bytes"
	"fmt"
	"log"
	"os"
	"slices"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/flowpack"
)

// packed returns a flowpack of a dump.
func packed(name string) []byte {
	f, err := os.Open(name)
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	var out bytes.Buffer
	w := flowpack.NewWriter(&out, &flowpack.WriterOptions{ChunkSize: 20_000})
	for m, err := range dumpfile.NewReader(f, nil).States() {
		if err != nil {
			log.Fatal(err)
		}
		if err := w.WriteState(m); err != nil {
			log.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}
	return out.Bytes()
}

func ExampleReader_Flows() {
	r := flowpack.NewReader(bytes.NewReader(packed("../testdata/real/errors-v21.mitm")), nil)
	n := 0
	for f, err := range r.Flows() {
		if err != nil {
			log.Print(err) // something is damaged; the rest follows
			continue
		}
		if f, ok := f.(*flow.HTTP); ok && f.Request().Method == "CONNECT" {
			n++
		}
	}
	fmt.Println(n, "tunnels")
	// Output: 2 tunnels
}

// Chunks that cannot hold what is looked for are not even read.
func ExampleReader_Batches() {
	r := flowpack.NewReader(bytes.NewReader(packed("../testdata/real/http1-v21.mitm")), nil)
	wanted := func(c *flowpack.Chunk) bool {
		if c.Facts == nil || c.Facts.Statuses.Open {
			return true
		}
		return slices.Contains(c.Facts.Statuses.Values, 418)
	}
	for b, err := range r.Batches(2, wanted) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("chunk %d of %d has a teapot\n", b.Chunk.Number, len(r.Index()))
	}
	// Output:
	// chunk 5 of 12 has a teapot
	// chunk 9 of 12 has a teapot
}
