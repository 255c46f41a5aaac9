package flowdiff_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/flowtool/flowtool/display"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/flowdiff"
)

// call returns a POST to one and the same place. Nothing but the bodies tells calls
// apart.
func call(t testing.TB, sent, got string, status int) flow.Flow {
	t.Helper()
	req, err := flow.NewRequest("POST", "http://a.example/graphql", flow.Headers{}, []byte(sent))
	if err != nil {
		t.Fatal(err)
	}
	resp := flow.NewResponse(status, flow.Headers{}, []byte(got))
	return flow.NewHTTP(flow.NewClientConn(), flow.NewServerConn(nil), req, resp)
}

// stream returns a TCP flow of a query and an answer.
func stream(query, answer string) flow.Flow {
	f := flow.NewTCP(flow.NewClientConn(), flow.NewServerConn(&flow.Address{Host: "db.example", Port: 5432}))
	f.SetMessages([]flow.Message{
		{FromClient: true, Content: flow.NewBody([]byte(query))},
		{Content: flow.NewBody([]byte(answer))},
	})
	return f
}

// socket returns a WebSocket with a message in each direction.
func socket(t testing.TB, sent, got string) flow.Flow {
	t.Helper()
	f := call(t, "", "", 101).(*flow.HTTP)
	f.SetWebSocket(&flow.WebSocket{Messages: []flow.WebSocketMessage{
		{FromClient: true, Content: flow.NewBody([]byte(sent))},
		{Content: flow.NewBody([]byte(got))},
	}})
	return f
}

// lookup returns an exchange of DNS that asks for the address of one and the same
// name.
func lookup(address string) flow.Flow {
	q := &flow.DNSMessage{Query: true, Questions: []flow.DNSQuestion{{Name: "a.example", Type: 1, Class: 1}}}
	a := &flow.DNSMessage{Questions: q.Questions, Answers: []flow.DNSRecord{{Name: "a.example", Type: 1, Class: 1, TTL: 60, Data: address}}}
	return flow.NewDNS(flow.NewClientConn(), flow.NewServerConn(nil), q, a)
}

// TestPairAlike: flows that ask the same place for different things of the same size
// find their other half, with ids that are all new, whatever is missing, new or in
// another order.
func TestPairAlike(t *testing.T) {
	const n = 200
	columns, err := display.ParseColumns("method,host")
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("query text ", 3000)
	for _, kind := range []struct {
		name    string
		flow    func(i, capture int) flow.Flow
		columns *display.Columns
		ordered bool // what is in another order cannot be told apart
	}{
		{name: "bodies", flow: func(i, _ int) flow.Flow {
			return call(t, fmt.Sprintf(`{"op":"query%06d"}`, i), fmt.Sprintf(`{"data":"result%06d"}`, i), 200)
		}},
		{name: "bodies, by fields", columns: columns, flow: func(i, _ int) flow.Flow {
			return call(t, fmt.Sprintf(`{"op":"query%06d"}`, i), "{}", 200)
		}},
		{name: "long requests that end differently", flow: func(i, _ int) flow.Flow {
			return call(t, fmt.Sprintf("%s%06d", long, i), "{}", 200)
		}},
		{name: "only the answers differ", flow: func(i, _ int) flow.Flow { return call(t, "{}", fmt.Sprintf(`{"n":%06d}`, i), 200) }},
		{name: "answers change", flow: func(i, capture int) flow.Flow {
			return call(t, fmt.Sprintf("%06d", i), fmt.Sprintf(`{"n":%d, "capture":%d}`, i, capture), 200+100*(i+capture)%2)
		}},
		{name: "requests change, sizes do not", flow: func(i, capture int) flow.Flow {
			return call(t, fmt.Sprintf(`{"op":"%s","nonce":%d}`, strings.Repeat("x", i), capture), "{}", 200)
		}},
		{name: "some change", ordered: true, flow: func(i, capture int) flow.Flow {
			if i%3 > 0 {
				return call(t, fmt.Sprint("nonce ", capture), fmt.Sprint("result ", capture), 200)
			}
			return call(t, fmt.Sprint("query ", i), "{}", 200)
		}},
		{name: "TCP", flow: func(i, _ int) flow.Flow { return stream(fmt.Sprintf("select %06d", i), "none") }},
		{name: "TCP, answers", flow: func(i, _ int) flow.Flow { return stream("select", fmt.Sprintf("%06d", i)) }},
		{name: "WebSocket", flow: func(i, _ int) flow.Flow { return socket(t, fmt.Sprintf("hello %06d", i), "hello") }},
		{name: "DNS", flow: func(i, _ int) flow.Flow { return lookup(string([]byte{10, 0, byte(i >> 8), byte(i)})) }},
	} {
		rng := rand.New(rand.NewPCG(5, 5))
		all := make([]int, n)
		for i := range all {
			all[i] = i
		}
		shuffled := slices.Clone(all)
		rng.Shuffle(n, func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		for _, tt := range []struct {
			name    string
			a, b    []int
			ordered bool
		}{
			{"same", all, all, true},
			{"first one missing", all, all[1:], true},
			{"last one missing", all, all[:n-1], true},
			{"one inserted", slices.Delete(slices.Clone(all), 90, 91), all, true},
			{"some missing on both sides", slices.Delete(slices.Clone(all), 30, 31), slices.Delete(slices.Clone(all), 120, 121), true},
			{"shuffled", all, shuffled, false},
			{"shuffled, some missing", all, shuffled[40:], false},
		} {
			if kind.ordered && !tt.ordered {
				continue
			}
			t.Run(kind.name+"/"+tt.name, func(t *testing.T) {
				k := flowdiff.NewKeyer(kind.columns)
				entries := func(which []int, capture int) (out []flowdiff.Entry) {
					for _, i := range which {
						out = append(out, k.Entry(kind.flow(i, capture), int64(i), 0))
					}
					return out
				}
				a, b := entries(tt.a, 1), entries(tt.b, 2)
				inB := map[int]bool{}
				for _, i := range tt.b {
					inB[i] = true
				}
				common := 0
				for _, i := range tt.a {
					if inB[i] {
						common++
					}
				}
				right := 0
				p := flowdiff.Match(a, b, flowdiff.Auto)
				for _, x := range p.Pairs {
					if a[x.A].Index == b[x.B].Index {
						right++
					}
				}
				if right != common {
					t.Errorf("%d pairs of %d are right", right, common)
				}
			})
		}
	}
}

// TestPairCycle: calls that come again and again in the same order, and get another
// answer each time, are not shifted by those that are missing.
func TestPairCycle(t *testing.T) {
	const n = 200
	k := flowdiff.NewKeyer(nil)
	for _, tt := range []struct {
		name     string
		from, to int   // which calls are missing
		anchors  []int // calls with an answer that is always the same
	}{
		{name: "first one missing", from: 0, to: 1},
		{name: "last one missing", from: n - 1, to: n},
		{name: "ten missing in the middle", from: 90, to: 100},
		{name: "ten missing between anchors", from: 90, to: 100, anchors: []int{50, 150}},
		{name: "ten missing before the only anchor", from: 20, to: 30, anchors: []int{100}},
		{name: "ten missing behind the only anchor", from: 120, to: 130, anchors: []int{100}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var a, b []flowdiff.Entry
			for i := range n {
				got := func(capture int) string {
					if slices.Contains(tt.anchors, i) {
						return fmt.Sprintf(`{"n":%06d}`, i)
					}
					return fmt.Sprintf(`{"n":%06d}`, 1000*capture+i)
				}
				sent := fmt.Sprintf(`{"op":%02d}`, i%20)
				a = append(a, k.Entry(call(t, sent, got(1), 200), int64(i), 0))
				if i < tt.from || i >= tt.to {
					b = append(b, k.Entry(call(t, sent, got(2), 200), int64(i), 0))
				}
			}
			for range 2 { // there and back
				right := 0
				for _, x := range flowdiff.Match(a, b, flowdiff.Auto).Pairs {
					if a[x.A].Index == b[x.B].Index {
						right++
					}
				}
				if want := n - (tt.to - tt.from); right != want {
					t.Errorf("%d pairs of %d are right", right, want)
				}
				a, b = b, a
			}
		})
	}
}
