package dumpfile

import (
	"bytes"
	"slices"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/state"
)

// Picks are what [Batch.Pick] found.
type Picks struct {
	found         []state.Picked
	lookups       []tnetstring.Lookup
	values, inner []state.Value
}

// Of returns what was found in record i of those that were asked for. It is nil if
// the record has to be asked itself, with [state.Value.Pick]: then it is not in memory,
// or something is wrong with it. It is valid until the next Pick.
func (p *Picks) Of(i int) *state.Picked {
	if p.found[i].Values == nil {
		return nil
	}
	return &p.found[i]
}

// Pick looks up keys in n records, from number first of the batch on. That takes less
// time than asking one record after the other; see [tnetstring.Codec.PickEach].
func (b *Batch) Pick(p *Picks, first, n int, keys *state.Keys) {
	p.found = slices.Grow(p.found[:0], n)[:n]
	clear(p.found)
	records := b.Records[first : first+n]
	codec := records[0].in.codec

	p.begin(records, &p.values, len(keys.Keys))
	for i := range records {
		if raw := records[i].raw; raw != nil {
			p.lookups[i].Payload = raw[bytes.IndexByte(raw, ':')+1 : len(raw)-1]
		}
	}
	codec.PickEach(p.lookups, keys.Keys)
	for i := range p.lookups {
		if l := &p.lookups[i]; l.Done {
			p.found[i].Values = l.Values
		}
	}
	if len(keys.InnerKeys) == 0 {
		return
	}

	p.begin(records, &p.inner, len(keys.InnerKeys))
	for i := range p.found {
		if vals := p.found[i].Values; vals != nil && vals[keys.Inner].Kind() == state.KindMap {
			p.lookups[i].Payload = vals[keys.Inner].Payload()
		}
	}
	codec.PickEach(p.lookups, keys.InnerKeys)
	for i := range p.lookups {
		if l := &p.lookups[i]; l.Done && len(l.Payload) > 0 {
			p.found[i].Inner = l.Values
		}
	}
}

// begin makes room for n values of each record.
func (p *Picks) begin(records []Record, values *[]state.Value, n int) {
	*values = slices.Grow((*values)[:0], n*len(records))[:n*len(records)]
	p.lookups = slices.Grow(p.lookups[:0], len(records))[:len(records)]
	for i := range records {
		p.lookups[i] = tnetstring.Lookup{Source: records[i].src, Values: (*values)[i*n:][:n]}
	}
}
