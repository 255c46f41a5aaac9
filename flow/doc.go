// Package flow gives names and types to the states in a dump.
//
// A flow is one exchange that mitmproxy recorded: a request with its response,
// a TCP or UDP connection, a DNS query. On disk it is a state, an ordered map
// (see package state). This package lays a typed view over that map:
//
//	f, err := flow.View(m)
//	if h, ok := f.(*flow.HTTP); ok {
//		fmt.Println(h.Request().Method, h.Request().PrettyURL())
//	}
//
// Every [Flow] is one of [*HTTP], [*TCP], [*UDP] and [*DNS]; a WebSocket
// connection is an HTTP flow whose [HTTP.WebSocket] is not nil.
//
// # Parts
//
// Plain facts, such as the comment, are methods of the flow. Everything larger
// is a part, a struct with exported fields: connections, messages, the error.
// A part is decoded when it is asked for the first time, and from then on the
// struct is what counts: edit its fields and they are in what [Flow.State] and
// [Flow.GetState] return. Where the file has bytes that are short, such as a
// method or a path, the field is a string that holds exactly these bytes,
// whether they are UTF-8 or not. Null and the empty string are both "" in a
// struct, except where the difference matters: bodies ([Body]), times
// ([Timestamp]), addresses (pointers) and trailers (nil).
//
// # Three ways from a state to a flow
//
// [View] looks at the type only and accepts whatever the rest is; a field of the
// wrong type reads as its zero value. [FromState] is strict: every key of
// format version 21 has to be there, no other, and every value of the type the
// format says. [Repair] makes an imperfect state acceptable for FromState and
// reports what it did.
//
// FromState is meant to accept what mitmproxy writes, and is stricter than
// mitmproxy's reader where that one does not look: the types of id, marked,
// comment, metadata and the other common keys, and the elements of messages.
// It is more lenient in two places: certificates are kept without parsing
// them, and a proxy mode may be any text. Like mitmproxy it turns integers and
// booleans into floats where a connection, error, WebSocket or DNS time is
// expected, and booleans and floats into integers in several other places;
// nothing else is converted.
//
// # What is not edited keeps its bytes
//
// Decoding leaves no trace in the state. When a part is written back, it is
// compared with the state field by field and only what differs is set. So a
// flow that was only looked at is written exactly as it was read, and an
// edited one keeps the encoding of every field that was not edited: an integer
// time stays an integer, a certificate stays as it is formatted.
//
// # Backups
//
// [Flow.Backup] keeps the state as it is, [Flow.Revert] returns to it, and
// [Flow.Modified] tells whether there is a difference. A backup that was read
// from a file is kept as it is. One that was made by this process is part of
// the state only while the flow differs from it.
//
// # Concurrency
//
// The methods of the lifecycle (Intercept, Resume, WaitForResume, Kill,
// Killable, Live, Intercepted) are safe for concurrent use. Everything else is
// not, not even reading, because parts are decoded on demand.
package flow
