package migrate_test

import (
	"testing"

	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/migrate"
	"github.com/flowtool/flowtool/state"
)

// The times include opening the records.
func BenchmarkUp(b *testing.B) {
	for _, name := range []string{"http1.mitm", "ws.mitm", "http1-v21.mitm"} {
		b.Run(name, func(b *testing.B) { benchmarkUp(b, flowtest.Read(b, flowtest.Path("real", name))) })
	}
	for _, v := range flowtest.Vectors[vector](b, "migrate-vectors.jsonl.gz") {
		if v.ID == "helper/v0.11.3-http-backup" || v.ID == "helper/v6.0.2-ws-pair" {
			b.Run(v.ID, func(b *testing.B) { benchmarkUp(b, v.Input) })
		}
	}
}

func benchmarkUp(b *testing.B, data []byte) {
	b.ReportAllocs()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		s := migrate.NewStream(nil)
		for rest := data; len(rest) > 0; {
			var m *state.Map
			var n int
			m, n = record(rest)
			if _, err := s.Up(m); err != nil {
				b.Fatal(err)
			}
			rest = rest[n:]
		}
	}
}

func BenchmarkTo(b *testing.B) {
	data := flowtest.Read(b, flowtest.Path("real", "ws-v21.mitm"))
	for _, to := range []migrate.Version{migrate.Number(20), migrate.Number(17), migrate.Number(7), migrate.Tuple(0, 11)} {
		b.Run(to.String(), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				s := migrate.NewStream(nil)
				for rest := data; len(rest) > 0; {
					m, n := record(rest)
					if _, _, err := s.To(m, to); err != nil {
						b.Fatal(err)
					}
					rest = rest[n:]
				}
			}
		})
	}
}

func BenchmarkVersionOf(b *testing.B) {
	m, _ := record(flowtest.Read(b, flowtest.Path("real", "http1-v21.mitm")))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := migrate.VersionOf(m); err != nil {
			b.Fatal(err)
		}
	}
}
