// Package filter is the filter language of mitmproxy, with more operators.
//
// Most programs call [Parse] and match flows with what they get.
//
// # Grammar
//
// An expression is made of operators such as "~q" or "~b REGEX", and of regular
// expressions, which stand for "~u REGEX". White space is space, tab, CR and LF.
//
//	filter      <- item+                       all items; the loosest way to join
//	item        <- and ( "|" and )*            one of them
//	and         <- not ( "&" not )*            all of them
//	not         <- "!" not / atom
//	atom        <- "~" NAME / "~" NAME argument / regex / "(" filter ")"
//	regex       <- word / "…" / '…'
//	word        <- one or more characters, but no ( ) ~ ' " and no white space
//
// So "foo bar | baz" is foo and (bar or baz). The signs "!", "&" and "|" are
// characters of words like any others, except where they begin one and something
// follows that they can apply to: "foo|bar" is one regular expression, and
// "foo &" are two. [Expr.Warnings] points out where that was hardly meant.
//
// A backslash in a word belongs to the regular expression. In quotes it must be
// written twice, because there "\n", "\r", "\t", "\f" and "\0" stand for single
// characters, and from most other characters the backslash is just removed. The
// exceptions, which are errors in the parser library of mitmproxy, hold as well:
// "\x" and a hexadecimal digit and "2", "\u" and such a digit and "4" stand for a
// character, and "\03" to "\73" for two digits. Tabs are replaced by spaces up
// to the next multiple of eight columns before anything else happens.
//
// # Compatibility
//
// What mitmproxy accepts has the tree and the meaning it has in mitmproxy 13,
// see [Expr.Dump] and [Expr.Description]. That includes which regular
// expressions are valid. With [Options].Mitmproxy nothing else is accepted.
//
// Otherwise a text that mitmproxy does not accept is parsed again by wider
// rules, and [Expr].Extended is set:
//
//   - The name of an operator ends at any of ( ) ~ ' " too, and unless it takes
//     an argument at & | and ! as well: "(~q)", "~q|~s", "~b'x'". In mitmproxy
//     there must be white space, and "(~q)" is an error.
//   - Items may stand side by side in parentheses, too: "(~q foo)".
//   - There are more operators.
//   - A lone "&", "|" or "!" is an error and not a word. So is "~c 4xx".
//
// [Expr.String] prints what mitmproxy accepts, unless one of our own operators
// is in it.
//
// # Our own operators
//
// [Operators] lists all operators. These are not in mitmproxy:
//
//	~status LIST                  status of the response
//	~size ~sizeq ~sizes SIZES     bytes of bodies and messages; of the client; of the server
//	~dur DURATIONS                how long the exchange took
//	~time TIMES                   when the flow started
//	~index LIST                   number of the flow, counted from 0
//	~port LIST                    port of the server
//	~httpv ~tlsv ~formatv VERSIONS
//	~id PREFIXES                  how the id begins
//	~hn ~hnq ~hns NAME[=REGEX]    a header, in either message, the request, the response
//	~enc ~encq ~encs REGEX        content encoding, likewise
//	~sni REGEX                    server name of the TLS handshake
//	~errmsg REGEX                 message of the error
//	~edited                       was edited, and can be reverted
//
// A flow that does not have what an operator asks for is not matched, whatever the
// argument: a flow without a response is not in "~status 0..", and "!~status 200" is
// true for it.
//
//   - ~status, ~httpv, ~enc and ~hn are for HTTP flows. ~httpv is true for the version
//     of the request or of the response; "h2" and "h2c" count as 2.0, and "h3" as 3.0.
//     ~enc and ~hn look at every header of that name on its own.
//   - ~size is for all flows but those of DNS. It adds up request body, response body
//     and messages as they are stored, which is compressed if they were sent so. A body
//     that is missing counts as none: "~size 0" wants an empty one, or a WebSocket, TCP
//     or UDP flow with no bytes at all.
//   - ~dur goes from the start as in ~time to the end of the WebSocket if there is one,
//     else to the end of the response if there is one, else to the error. With TCP
//     and UDP it goes to the end of the server connection, or else that of the client, or
//     else the last message, and with DNS from query to answer. It is not known if the
//     start or that end is null or 0.
//   - ~time is the start of an HTTP request, and of the client connection of other
//     flows. Where it is null the connection, and then the creation of the flow, takes
//     its place. Where it is 0 it is not known.
//   - ~port is the port of the server's address, which is what was asked for. HTTP flows
//     without an address have that of the request.
//   - ~tlsv is true for the version of the client connection or of the server
//     connection. SSL 3.0 is 0.3, QUIC is 1.3, and DTLS has the numbers of its own.
//   - ~sni is that of the client connection only.
//   - ~formatv is the version that the flow was stored in before it was migrated, and
//     ~index its number; both are [Facts].
//   - ~edited is true if there is a backup, which mitmproxy keeps only as long as the
//     flow differs from it.
//
// Most arguments are lists of values, ranges and comparisons, such as
// "404,500..503" or ">=400"; [Arg] has the rules. White space is allowed after
// a comparison sign and around commas and "..". As words, lists end at &, | and
// ! too. All arguments may be in quotes.
//
// A status is a number, or a class such as 4xx or 40x.
//
// A size is a number with a unit, as in 0, 10k, 1.5M, 2GiB or 4kB. A k is always
// 1024 bytes, as in the flags of the command.
//
// A duration is a number with a unit (ns, us, ms, s, m, h, d), several of them,
// as in 1m30s, or a number of seconds. It must be in a comparison or a range.
//
// A time is one of
//
//	2024  2024-05  2024-05-01  2024-05-01T10  2024-05-01T10:00  2024-05-01T10:00:00
//	2024-05-01T10:00:00.25     with a fraction
//	2024-05-01T10:00Z          with a zone, Z or +02:00; otherwise Options.Location
//	1714557600  1714557600.25  seconds since 1970
//	start  start+10m  end-1h   relative to the first and last flow of the capture
//
// In quotes, a space may take the place of the T. A time stands for all that
// begins like it: a day, a minute, or what the last digit of a fraction counts.
// So "2024-05-01" is that day, ">2024-05-01" is after its end, and
// "2024-05-01..2024-05-03" are three days.
//
// A version is a number such as 2, which stands for all of its minor versions,
// or a pair such as 1.1 or 0.13, where 0.13 is after 0.2.
//
// # Groups of flows
//
// [Filter.MayMatch] rules out flows by what an index says of many of them, without
// looking at any.
//
// # Limits
//
// Parsing takes linear time. Parentheses and negations may nest 500 levels deep,
// see [Options].MaxDepth. The number of "~c" may have 4300 digits.
//
// A regular expression may search one text for [Options].Timeout, which concerns
// only those that cannot be run in linear time, and a body may have
// [Filter].MaxBody bytes when its content encoding is undone. Exceeding one of them
// is a [*MatchError] for the flow, never an answer; its cause is a [*TimeoutError] or
// a [*BodyLimitError].
package filter
