package har

import (
	"strings"
	"unicode/utf8"

	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/internal/coding"
)

// request appends the request of a flow.
func (r *renderer) request(h *flow.HTTP) {
	q := h.Request()
	q.Headers.All() // decoded at once, since much of it is going to be looked at
	r.raw(`{"method":`)
	method := q.Method
	if !utf8.ValidString(method) {
		method = string(appendValid(nil, method))
	}
	r.sumStr(strings.ToUpper(method))
	url, ok := requestURL(h)
	if !ok {
		r.note("no URL can have the host %.100q", q.PrettyHost())
	}
	r.raw(`,"url":`)
	r.sumStr(url)
	r.raw(`,"httpVersion":`)
	r.sumStr(q.HTTPVersion)
	r.tie.summed(partRequest)
	r.raw(`,"cookies":[`)
	requestCookies(&q.Headers, func(c *cookie) {
		r.comma()
		r.pair(c.name, c.value)
		r.raw("}")
	})
	r.raw(`],"headers":`)
	r.headers(&q.Headers, partRequestHeaders)
	r.raw(`,"queryString":[`)
	queryParams(pathQuery(q.Path), func(p *param) bool {
		r.comma()
		r.pair(p.name, p.value)
		r.raw("}")
		return true
	})
	r.raw(`],"headersSize":`)
	r.int(headersSize(&q.HTTPMessage, len(q.Method)+1+targetSize(q)+1+len(q.HTTPVersion)))
	body := r.content(&q.HTTPMessage, "request")
	r.raw(`,"bodySize":`)
	r.int(body.size)
	if body.size > 0 && body.data != nil {
		r.postData(q, &body)
	}
	if body.size < 0 {
		r.raw(`,"comment":"` + notCaptured + `"`)
	}
	r.raw("}")
}

// targetSize returns the size of the target in the first line of a request.
func targetSize(q *flow.Request) int {
	switch {
	case q.IsConnect():
		return len(q.Authority)
	case q.Authority != "":
		return len(q.Scheme) + len("://") + len(q.Authority) + len(q.Path)
	}
	return len(q.Path)
}

// maxParams is how many fields of a form are listed at most: with a name of one
// character each takes twelve times as much as in the form.
const maxParams = 1 << 16

// postData appends the body of a request.
func (r *renderer) postData(q *flow.Request, body *content) {
	contentType := q.Headers.Get("Content-Type")
	r.raw(`,"postData":{"mimeType":`)
	r.str(contentType)
	r.raw(`,"text":`)
	text, form, shows := body.text, asText, body.shows()
	switch {
	case text != nil:
	case shows && coding.IsFallback(body.data, contentType):
		text, form = body.data, asLatin1
	default:
		s, _, _ := coding.Text(body.data, contentType)
		text = []byte(strings.ToValidUTF8(s, "\ufffd"))
	}
	r.body(text, form)
	if !shows {
		r.tie.sum.add(text)
	}
	r.raw(`,"params":[`)
	n := 0
	err := formParams(body.data, contentType, func(p *param) bool {
		if n++; n > maxParams {
			return false
		}
		r.comma()
		r.raw(`{"name":`)
		r.str(p.name)
		if p.isFile {
			r.raw(`,"fileName":`)
			r.str(p.fileName)
		} else {
			r.raw(`,"value":`)
			r.str(p.value)
		}
		if p.contentType != "" {
			r.raw(`,"contentType":`)
			r.str(p.contentType)
		}
		r.raw("}")
		return true
	})
	r.raw("]")
	if n > maxParams {
		r.note("only the first %d fields of the form are listed", maxParams)
	} else if err != nil {
		r.note("request form: %v", err)
	}
	switch {
	case body.text == nil && r.opts.Plain:
		r.note("request body is not text, and not all of it is written")
	case body.text == nil:
		r.raw(`,"_textB64":`)
		r.body(body.data, asBase64)
		if !shows {
			r.tie.sum.addBase64(body.data)
		}
	case !shows:
		r.tie.sum.addAbsent()
	}
	r.raw("}")
	if shows {
		r.tie.shows(partRequestContent)
	} else {
		r.tie.summed(partRequestContent)
	}
}
