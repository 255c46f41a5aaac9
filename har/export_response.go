package har

import (
	"strconv"
	"time"

	"github.com/flowtool/flowtool/flow"
)

// response appends the response of a flow.
func (r *renderer) response(h *flow.HTTP) {
	s, failure := h.Response(), h.Error()
	if s == nil {
		r.raw(`{"status":0,"statusText":"","httpVersion":"","cookies":[],"headers":[],` +
			`"content":{"size":0,"mimeType":"x-unknown"},"redirectURL":"","headersSize":-1,"bodySize":-1`)
		if !r.opts.Plain {
			r.raw(`,"_transferSize":0`)
		}
		r.tie.sum.addInt(0)
		r.tie.sum.add(nil)
		r.tie.sum.add(nil)
		r.tie.summed(partResponse)
		if failure != nil {
			if !r.opts.Plain {
				r.raw(`,"_error":`)
				r.str(failure.Msg)
			}
			r.raw(`,"comment":`)
			r.str(failure.Msg)
		}
		r.raw("}")
		return
	}
	s.Headers.All()
	r.raw(`{"status":`)
	r.int(int64(s.StatusCode))
	r.tie.sum.addInt(int64(s.StatusCode))
	r.raw(`,"statusText":`)
	r.text = appendLatin1(r.text[:0], s.Reason)
	r.tie.sum.add(r.bytes(r.text))
	r.raw(`,"httpVersion":`)
	r.sumStr(s.HTTPVersion)
	r.tie.summed(partResponse)
	r.raw(`,"cookies":[`)
	var received time.Time
	if t := moment(s.TimestampStart, 0); t > 0 {
		received = flow.Seconds(t).Time()
	}
	responseCookies(&s.Headers, received, r.setCookie)
	r.raw(`],"headers":`)
	r.headers(&s.Headers, partResponseHeaders)
	body := r.content(&s.HTTPMessage, "response")
	if body.exact && isMostlyBinary(body.data) {
		body.text = nil // valid as text, but hardly meant to be some
	}
	r.raw(`,"content":`)
	r.responseContent(s, &body)
	r.raw(`,"redirectURL":`)
	location := ""
	if s.StatusCode >= 300 && s.StatusCode <= 399 {
		location = s.Headers.Get("Location")
	}
	r.str(location)
	size := headersSize(&s.HTTPMessage, len(s.HTTPVersion)+1+len(strconv.Itoa(s.StatusCode))+1+len(s.Reason))
	r.raw(`,"headersSize":`)
	r.int(size)
	r.raw(`,"bodySize":`)
	r.int(body.size)
	if size >= 0 && body.size >= 0 && !r.opts.Plain {
		r.raw(`,"_transferSize":`)
		r.int(size + body.size)
	}
	if failure != nil {
		r.raw(`,"comment":`)
		r.str(failure.Msg)
	}
	r.raw("}")
}

func (r *renderer) setCookie(c *cookie) {
	r.comma()
	r.pair(c.name, c.value)
	r.raw(`,"path":`)
	r.str(c.path)
	r.raw(`,"domain":`)
	r.str(c.domain)
	if !c.expires.IsZero() {
		r.raw(`,"expires":"`)
		r.dst = appendTime(r.dst, c.expires.Truncate(time.Millisecond))
		r.raw(`"`)
	}
	r.raw(`,"httpOnly":`)
	r.bool(c.httpOnly)
	r.raw(`,"secure":`)
	r.bool(c.secure)
	if c.sameSite != "" {
		r.raw(`,"sameSite":`)
		r.str(c.sameSite)
	}
	r.raw("}")
}

// responseContent appends the body of a response.
func (r *renderer) responseContent(s *flow.Response, body *content) {
	r.raw(`{"size":`)
	r.int(int64(len(body.data)))
	if saved := int64(len(body.data)) - body.size; saved > 0 && body.size >= 0 {
		r.raw(`,"compression":`)
		r.int(saved)
	}
	r.raw(`,"mimeType":`)
	r.str(s.Headers.Get("Content-Type"))
	if body.data == nil {
		r.raw(`,"comment":"` + notCaptured + `"}`)
		return
	}
	shows := body.shows()
	r.raw(`,"text":`)
	if body.text != nil {
		r.body(body.text, asText)
	} else {
		r.body(body.data, asBase64)
		r.raw(`,"encoding":"base64"`)
	}
	switch {
	case shows:
	case body.text != nil:
		r.tie.sum.add(body.text)
		r.tie.sum.addAbsent()
	default:
		r.tie.sum.addBase64(body.data)
		r.tie.sum.addString("base64")
	}
	r.raw("}")
	if shows {
		r.tie.shows(partResponseContent)
	} else {
		r.tie.summed(partResponseContent)
	}
}
