//go:build (amd64 || arm64) && !purego

package tnetstring

// prefetch asks for the memory around p without waiting for it. Reading it would do so
// as well, but an instruction that waits keeps those behind it from being finished, of
// which the processor has room for some hundreds: two or three steps of a picker. This
// one is finished at once, and takes a tenth off the time of a filter.
//
//go:noescape
func prefetch(p *byte)
