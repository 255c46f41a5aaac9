package shell

import (
	"errors"

	"github.com/flowtool/flowtool/flow"
)

// A Format is what a flow can be turned into. Its value is its name.
type Format string

// The formats.
const (
	Curl        Format = "curl"         // a command, see [AppendCurl]
	HTTPie      Format = "httpie"       // a command, see [AppendHTTPie]
	Raw         Format = "raw"          // both messages, see [AppendRaw]
	RawRequest  Format = "raw-request"  // see [AppendRawRequest]
	RawResponse Format = "raw-response" // see [AppendRawResponse]
)

// Formats returns all formats.
func Formats() []Format { return []Format{Curl, HTTPie, Raw, RawRequest, RawResponse} }

// IsCommand tells whether f is a command of one line, to which a line end can be
// added. The other formats are messages, which may have any byte.
func (f Format) IsCommand() bool { return f == Curl || f == HTTPie }

// Options are what can be chosen. A nil pointer and zero fields mean the
// defaults.
type Options struct {
	// Decode undoes the content coding of bodies. The Content-Encoding header is
	// removed and Content-Length set to the new length, or added, unless there is
	// a Transfer-Encoding. A body that cannot be decoded completely stays as it is
	// with its headers; one that is longer than MaxBody is an error.
	Decode bool

	// PreserveIP makes curl connect to the IP address that mitmproxy connected
	// to, if that is known and no upstream proxy was between. Without it, names
	// are resolved when the command runs. The other formats ignore it.
	PreserveIP bool

	// AnyVersion leaves out the options that ask curl for the HTTP version of the
	// flow. Header names may then be sent in another case.
	AnyVersion bool

	// NoCompressed leaves out --compressed, so that curl shows a response in the
	// content coding that the Accept-Encoding header asked for. The request is the
	// same in both cases.
	NoCompressed bool

	// MaxBody limits the body in a command, and every body that is decoded, in
	// bytes. The default is [DefaultMaxBody].
	MaxBody int64
}

// DefaultMaxBody is the default of [Options.MaxBody]. A command is up to four
// times as long as the body.
const DefaultMaxBody = 16 << 20

func (o *Options) withDefaults() Options {
	var r Options
	if o != nil {
		r = *o
	}
	if r.MaxBody <= 0 {
		r.MaxBody = DefaultMaxBody
	}
	return r
}

// Append appends f in a format, without a line end behind it. The error is an
// [*Error]; dst is then returned as it was. What is not an HTTP flow is an error
// that unwraps to [ErrNotHTTP].
func Append(dst []byte, format Format, f flow.Flow, opts *Options) ([]byte, error) {
	h, ok := f.(*flow.HTTP)
	if !ok {
		return dst, &Error{Format: format, Part: f.Type() + " flow", Err: ErrNotHTTP}
	}
	switch format {
	case Curl:
		return AppendCurl(dst, h, opts)
	case HTTPie:
		return AppendHTTPie(dst, h, opts)
	case Raw:
		return AppendRaw(dst, h, opts)
	case RawRequest:
		return AppendRawRequest(dst, h, opts)
	case RawResponse:
		return AppendRawResponse(dst, h, opts)
	}
	return dst, &Error{Format: format, Part: "format", Err: errors.New("is not known")}
}

// result returns what an Append function returns: out, or dst and the error of
// the format.
func result(dst, out []byte, format Format, err error) ([]byte, error) {
	if err == nil {
		return out, nil
	}
	e, ok := errors.AsType[*Error](err)
	if !ok {
		e = &Error{Part: "body", Err: err}
	}
	e.Format = format
	return dst, e
}
