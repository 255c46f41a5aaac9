// Package har reads and writes HTTP flows as HAR 1.2, the format in which
// browsers, proxies and API tools exchange HTTP traffic.
//
//	w := har.NewWriter(out, nil)
//	for f, err := range dump.Flows() { // of a dumpfile.Reader
//		if err != nil {
//			return err
//		}
//		if err := w.WriteFlow(f); err != nil && !errors.Is(err, har.ErrNotHTTP) {
//			return err
//		}
//	}
//	return w.Close()
//
// The other way, [Reader.Flows] gives the flows of a HAR, whatever program wrote
// it. docs/har.md says where every field comes from and goes to, and where this
// package differs from mitmproxy's own export and import.
//
// # Export
//
// A [Writer] writes flows one after the other, in memory that follows one flow.
// Programs with several goroutines render entries with an [Encoder] and hand them
// to [Writer.WriteEntry] in the order of the flows, which settles what depends on
// it: which flow counts the time that its connection took. Nothing about an HTTP
// flow makes the export fail. What HAR cannot express is replaced by something
// safe, and [Entry.Notes] and the comment of the entry say so. Other flows have
// no place in HAR: [ErrNotHTTP].
//
// # The private field
//
// HAR has no place for much of a flow: bytes that are not text, compressed
// bodies, connections, certificates, exact times, marks, backups. Every entry
// has it in a field of its own, unless [WriterOptions] ask for plain HAR:
//
//	"_mitm": {
//	  "v": 1,
//	  "from": ["request.headers", "response.headers", "response.content"],
//	  "sums": {"request": "b3f0c2…", "response": "09ab41…"},
//	  "state": {…}
//	}
//
// state is the state of the flow, format version 21, in the form of package
// jsonl. What the visible fields hold byte for byte is null in it, and named in
// from; it is taken from there:
//
//	request.headers     name and value of each of request.headers, as UTF-8
//	request.content     request.postData._textB64 in base64 if it is there,
//	                    else request.postData.text as UTF-8
//	response.headers    as request.headers
//	response.content    response.content.text, in base64 if response.content.encoding
//	                    says so, else as UTF-8
//	websocket.messages  for the content of every message, which is null, data of
//	                    the _webSocketMessages: as UTF-8 for opcode 1, in base64
//	                    for all others
//
// Nothing else is needed, and no entry needs another: entries can be removed,
// sorted and put into other files. The state that comes out is the one that
// went in, and so are the bytes of its record in a dump.
//
// # Edited entries
//
// Somebody may edit the visible fields. What is in from is taken from there
// anyway. Of everything else that is visible, sums has a sum of what the export
// wrote. If it is another one when the entry is read, the visible fields count
// for this part as if there were no private field, and state for all other
// parts:
//
//	part              is summed                             stands for, in the state
//	comment           comment                               comment
//	request           method, url, httpVersion              request: method, scheme, host, port,
//	                                                        authority, path, http_version
//	request.headers   name, value, name, value …            request.headers
//	request.content   postData.text, postData._textB64      request.content
//	response          status, statusText, httpVersion       response: status_code, reason,
//	                                                        http_version, and whether there is one
//	response.headers  name, value, name, value …            response.headers
//	response.content  content.text, content.encoding        response.content
//	websocket         type, opcode, data of every message   websocket.messages
//
// A part that is in from has no sum, and neither has one of which all values
// are absent or null. Of parts of the state that the visible fields cannot
// change by this rule, times above all, those of the state are kept. If the
// number of messages, or the type or opcode of one, is not that of the messages
// in the state, websocket.messages cannot be taken from the visible messages one
// by one; then they count as a whole.
//
// What cannot be used of the visible fields, such as a status that is no number, is
// told in the metadata, under har.notes, and state counts as far as it has the part.
// A body that is not as long as bodySize was edited: if Content-Length was bodySize,
// it becomes the new length. A state that is not that of an HTTP flow of version 21,
// because readers of dumps would stop at it, is not used at all, and noted.
//
// A sum is the first 16 hexadecimal digits, in lower case, of the SHA-256 of
// the values, each as its length in bytes in decimal, a colon and itself. A
// string is its UTF-8, an integer its decimal digits; a value that is absent or
// null is a single hyphen, without length and colon.
//
// # Reading
//
// A [Reader] finds entries without decoding them, so that programs can hand
// batches of them to several goroutines:
//
//	r := har.NewReader(in, nil)
//	for f, err := range r.Flows() {
//		if err != nil {
//			log.Print(err) // a *har.Error: the other entries are read
//			continue
//		}
//		fmt.Println(f.(*flow.HTTP).PrettyURL())
//	}
//
// An entry needs a method and a URL; everything else may be missing. What the
// standard fields do not say is not made up, and what they say that flows have
// no place for becomes metadata, see docs/har.md.
package har
