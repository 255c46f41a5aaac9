// Package shell turns an HTTP flow into text that does it again: a command for
// curl or HTTPie, or the messages as HTTP/1 writes them.
//
//	line, err := shell.AppendCurl(nil, f, nil)
//
// A command is one line for a POSIX shell: dash, bash from release 4 on, zsh, ksh
// or busybox.
// It sends the request of the flow: the method and the target with the bytes
// they were sent with, the headers in their order, the body byte for byte. What
// cannot be said that way is an [*Error] with the reason, and never replaced by
// something that looks like it.
//
// # The command line
//
// A command holds no control characters, no invalid UTF-8 and nothing that acts
// on a terminal, so it can be shown and pasted. A word that needs such bytes is
// made by printf, "$(printf 'a\377b')", which cannot end with a line feed and
// cannot have a NUL; a body that needs them is piped in, printf '…' | curl …,
// which can have any byte. In both every such byte is an octal escape, because
// that is what all shells understand.
//
// # curl
//
// Options say what curl would otherwise do its own way:
//
//   - -H 'Accept:', 'User-Agent:', 'Content-Type:', 'Expect:' and 'Host:' keep
//     curl from adding headers that the request lacks. The Host header is left to
//     curl if it is what curl would send, and the first. Otherwise it is given; a
//     first -H 'Host:' makes curl send it where it stands.
//   - --head, and --data-raw or --data-binary @- instead of -d, which opens files.
//   - --globoff, --path-as-is and --request-target keep the target as it was sent.
//   - --http1.0, --http1.1, --http2, --http2-prior-knowledge and --http3 ask for
//     the version, which decides on the case of header names, among others.
//   - --connect-to says where the request went, if the Host header does not.
//   - --compressed, if Accept-Encoding is sent, makes curl decode the response.
//
// Some things are not as in the flow, because curl decides on them:
//
//   - the lengths of the chunks of a chunked body;
//   - a Content-Length is sent if a body has neither that nor a Transfer-Encoding,
//     which HTTP/2 and 3 do not need, but a server that speaks only HTTP/1.1 does;
//   - white space around the value of a header is one space before it;
//   - recent releases send Connection behind the other headers;
//   - HTTP/2 and 3 have an :authority, if need be the host of the URL, and no Host
//     header. Two that differ are refused.
//
// Pseudo headers among the headers, as some importers leave them, are omitted if
// they say what the request says, and refused otherwise. Refused are also requests
// with trailers, CONNECT, HEAD with a body, a Content-Length that is not that of
// the body, header names that are no tokens, and line ends in headers, but for
// folded ones in HTTP/1.
//
// What a user's ~/.curlrc, .netrc and proxy variables change is theirs. The
// command needs curl 7.55, or 7.66 with support for HTTP/3.
//
// # HTTPie
//
// HTTPie speaks HTTP/1.1 only and puts headers into an order of its own. What was
// HTTP/2 is said as HTTP/1.1, with one Cookie header and, if a method that may
// have a body has none, a Content-Length that says so. HTTPie has no option to
// connect elsewhere than the URL says, so the URL says where the request went, and
// the Host header is given if it is another; with https, where the URL is also the
// name for TLS, that is refused. HTTPie frames the body (Content-Length,
// Transfer-Encoding) itself, and what it would frame in another way is refused, as
// are header names that begin with a dash, which would be options.
// It is stricter about what it can say: methods are capital
// letters; targets have no characters that belong escaped and no escapes in lower
// case; header values are UTF-8. The command needs HTTPie 3.2.
//
// # Raw
//
// A message of HTTP/1 is written with the stored bytes in their order, the body
// still in its content coding. HTTP/2 and 3 have no text form, so their messages
// are translated to HTTP/1.1, as a gateway would: the :authority becomes a Host
// header, several Cookie headers become one, Content-Length is added where
// nothing else says how long the body is, and trailers make the body chunked.
//
// # mitmproxy
//
// The formats are those of mitmproxy's export command. docs/commands.md says
// where they differ from it and why.
//
// # Limits and concurrency
//
// [Options.MaxBody] limits the body in a command and every decoded body. Words
// of a command are limited to 128 KiB each, as Linux does, and to 512 KiB
// together; longer bodies are piped. All functions may be called by several
// goroutines at once, for different flows.
package shell
