package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/flow"
)

// TestPeakMemoryHAR exports large bodies, which need not be in memory but as what they
// are in the file: alone, one behind the other, and behind many small flows. The files
// are mapped, and what was looked at of these counts.
func TestPeakMemoryHAR(t *testing.T) {
	if testing.Short() || raceDetector {
		t.Skip("writes large files, measures memory")
	}
	dir := t.TempDir()
	large := textLines(64 << 20)
	for i, rng := 0, rand.New(rand.NewPCG(1, 2)); i < len(large)/2; i++ {
		large[i] = byte(rng.Uint32()) // no text
	}
	upload := testHTTP("POST", "http://shop.example/upload", large, nil)
	for _, tt := range []struct {
		name  string
		write func(io.Writer) error
		limit int // in megabytes
	}{
		{"text", writeFlows(func() []flow.Flow { return []flow.Flow{bodyFlow(textLines(64 << 20))} }), 112},
		{"upload", writeFlows(func() []flow.Flow { return []flow.Flow{upload} }), 136},
		{"bodies", writeBodies, 54},
		{"large behind small", func(w io.Writer) error {
			d := dumpfile.NewWriter(w)
			f := bodyFlow(textLines(2 << 10))
			for i := range 20_000 {
				f.SetID(flowID(i))
				if err := d.WriteFlow(f); err != nil {
					return err
				}
			}
			upload.SetID(flowID(20_000))
			if err := d.WriteFlow(upload); err != nil {
				return err
			}
			return d.Close()
		}, 188},
	} {
		path := filepath.Join(dir, fmt.Sprintf("%s.mitm", tt.name))
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := tt.write(f); err != nil {
			t.Fatal(err)
		}
		f.Close()
		t.Run(tt.name, func(t *testing.T) {
			checkPeak(t, nil, tt.limit, "flowtool", "convert", "-j", "2", "--to", "har", "-o", "/dev/null", path)
		})
	}
}
