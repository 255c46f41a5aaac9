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
//	~size ~sizeq ~sizes SIZES     bytes in bodies and messages; of the client; of the server
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
// # Limits
//
// Parsing takes linear time. Parentheses and negations may nest 500 levels deep,
// see [Options].MaxDepth. The number of "~c" may have 4300 digits.
package filter
