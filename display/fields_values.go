package display

import (
	"strconv"

	"github.com/flowtool/flowtool/flow"
)

func boolField(name, doc string, get func(flow.Flow) bool) Field {
	return flowField(name, doc, func(f flow.Flow) string { return strconv.FormatBool(get(f)) })
}

func messagesField(name, doc string, get func(sent, received int) int) Field {
	return numberField(name, doc, func(c *cell) (int64, bool) {
		sent, received, ok := messageCounts(c.flow)
		return int64(get(sent, received)), ok
	})
}

func dnsField(name, doc string, get func(*flow.DNS) string) Field {
	return flowField(name, doc, func(f flow.Flow) string {
		if d, ok := f.(*flow.DNS); ok {
			return get(d)
		}
		return ""
	})
}

// rowOf returns the columns of the line of a flow.
func rowOf(f flow.Flow) row {
	switch f := f.(type) {
	case *flow.HTTP:
		return httpRow(f)
	case *flow.DNS:
		return dnsRow(f)
	case *flow.TCP:
		return streamRow(f, f.Messages())
	case *flow.UDP:
		return streamRow(f, f.Messages())
	}
	return row{size: -1}
}

// messageCounts counts the messages of a flow that may have some.
func messageCounts(f flow.Flow) (sent, received int, ok bool) {
	count := func(fromClient bool) {
		if fromClient {
			sent++
		} else {
			received++
		}
	}
	var messages []flow.Message
	switch f := f.(type) {
	case *flow.HTTP:
		ws := f.WebSocket()
		if ws == nil {
			return 0, 0, false
		}
		for i := range ws.Messages {
			count(ws.Messages[i].FromClient)
		}
	case *flow.TCP:
		messages = f.Messages()
	case *flow.UDP:
		messages = f.Messages()
	default:
		return 0, 0, false
	}
	for i := range messages {
		count(messages[i].FromClient)
	}
	return sent, received, true
}

func addressText(a *flow.Address) string {
	if a == nil {
		return ""
	}
	return a.String()
}
