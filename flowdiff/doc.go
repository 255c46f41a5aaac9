// Package flowdiff finds out what differs: between a flow and its backup, between
// two flows, between two captures.
//
//	changes, err := flowdiff.Diff(a, b, nil) // two states
//	for _, c := range changes {
//		fmt.Println(c.Kind, c.Path)
//	}
//
// [Diff] takes states of the newest format version; package migrate makes them of
// older ones. For the edits in a flow f compare its backup with it:
//
//	changes, err := flowdiff.Diff(f.BackupState(), f.State(), &flowdiff.Options{Backup: true})
//	edits := flowdiff.Edits(changes)
//
// # What is compared, and how
//
// A [Change] has the path of a value in the state. Some places are compared by
// what they mean, and have paths of their own below that of the message:
//
//	/request/headers/accept     a header; its name is in lower case
//	/response/headers/via/1     the second of several headers with the name
//	/request/query/page         a parameter of the query; /request/path is without the query
//	/request/cookies/sid        a cookie, of requests and of responses
//	/request/content/user       a field of a form, urlencoded or multipart
//	/request/parts/user/filename, /request/parts/user/headers/content-type
//	                            what else a multipart form says of the field
//	/response/content/a/0/b     a value in a body of JSON
//	/response/content           a body that is text, or binary, or has changed its nature
//	/messages/3/content         a message of TCP or UDP, of WebSockets /websocket/messages/3/content;
//	                            also /timestamp, /from_client, /dropped, …
//	/backup/request/method      a value in a backup, which is compared as the flow it is
//
// Header blocks, parameters, forms, cookies, arrays and lists of messages are
// aligned, so that one element more or less does not shift the others, and elements
// that changed their places are [Moved]. An element that takes the place of another
// is one change; if their paths differ, such as those of two cookies that are set
// behind the same line, it has both (see [Change.From]).
//
// Bodies are compared after undoing their content codings: JSON by structure,
// forms by field, text by line, all else by size and hash. What means the same
// and is spelled differently, such as JSON with other spaces or data compressed
// otherwise, is one change with a note, and so are the same cookies in other lines.
// Where a value differs as well, only that is reported. JSON in which a key is there
// twice, or an escape is half of a character, is text. A body whose Content-Encoding
// was changed is not reported if the content is the same, as the header is.
//
// Comparing b with a gives the changes of comparing a with b, the other way round.
//
// # Backups
//
// A script may keep a backup of a flow while the exchange is still going on. What
// came about later by itself, such as the response, the connection to the server,
// or messages behind the last one, is a difference but no edit: it is marked as
// [Change.Progress] if [Options.Backup] is set. WebSocket messages that were injected
// or dropped are edits. Another address for a server that was not connected yet is
// an edit, unless the request was edited to go there.
//
// A response is progress if it was recorded, or a connection to the server was made
// after the backup. If that was there before, as it mostly is with HTTPS, the response
// has to have a header Date or Server; what is in doubt is an edit. If the server speaks
// HTTP/2 or HTTP/3, a response in HTTP/1 is an edit, and any other is progress.
//
// # What differs between any two captures
//
// [Options.IgnoreDefaults] leaves out the paths of [VolatilePaths], in backups as
// well. Of cookies it leaves out the attributes Expires and Max-Age, the order in
// requests, and the parts of values that look generated on both sides, if all else
// is the same; but not whether a line sets a cookie or deletes it, by an age of
// nothing or a date before that of the response. A part is what is between characters that are no letters, no digits
// and none of -_+/, without words in front and behind, such as the "sess_" of
// "sess_5f60eccf0c94ef14". It looks generated if it is
//
//   - a number of 10 digits and more,
//   - 16 and more hexadecimal digits, letters among them,
//   - 20 and more letters and digits that are well mixed and no base64 of text: at a
//     quarter of the places and more a letter and a digit meet, or a capital is
//     behind a small letter,
//   - a JSON Web Token, as a whole.
//
// # Pairing captures
//
// [Match] says which flows of two captures belong together. It needs an [Entry] of
// a few bytes for each flow, which a [Keyer] makes, so that a program reads both
// captures once for their entries, and then again for the flows that it compares.
//
// # JSON
//
// [Report.AppendJSON] writes one object:
//
//	{"status": "different",       equal, different, only_a, only_b
//	 "a": {"index": 3, "id": "…", "type": "http", "title": "GET http://…"},
//	 "b": {…},                    a or b is missing if there is no such flow
//	 "changes": [{
//	   "path": "/request/headers/accept",
//	   "from": "…",               where it was in a, if that is another path
//	   "kind": "changed",         added, removed, changed, moved
//	   "old": "*/*",              not if added; the position if moved
//	   "new": "text/html",        not if removed
//	   "delta": 1.5,              of times, in seconds
//	   "body": {                  of contents, instead of old and new
//	     "old": {"size": 10, "sha256": "…"}, "new": {…},
//	     "offset": 3,             of the first byte that differs, if one does
//	     "hunks": [{              if it is text: lines with ' ', '-' or '+' in front
//	       "old_start": 1, "old_lines": 1, "new_start": 1, "new_lines": 1, "lines": ["-a\n", "+b\n"]}]},
//	   "note": "…",               in words
//	   "progress": true           if it is no edit
//	 }],
//	 "elsewhere": true}           if the flow was edited, but only where options leave it out
//
// Values are those of package jsonl, with one difference: bytes that are UTF-8 are
// strings everywhere. Strings that are not UTF-8 are {"$base64": "…"}.
//
// [AppendPatch] writes the difference of two states as a JSON Patch (RFC 6902).
//
// # Limits
//
// Time grows little faster than the states, and memory with them, whatever is in
// them. Bodies beyond [Options.MaxBody], texts of more than 262144 lines, JSON of
// more than 262144 values, nested more than 200 deep or with more than 1000
// changes, forms of more than 65536 fields, and multipart forms of more than 10000
// parts are compared as something simpler.
// Where very long sequences differ in very many places, some elements may be
// reported as changed that a longer search would align.
//
// # Concurrency
//
// Comparing decodes states further, so two goroutines must not compare the same
// state at the same time.
package flowdiff
