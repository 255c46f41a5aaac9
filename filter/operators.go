package filter

import (
	"slices"

	"github.com/flowtool/flowtool/internal/pyregexp"
)

// An ArgKind says what kind of argument an operator takes.
type ArgKind int

// The kinds of arguments. The first three are those of mitmproxy.
const (
	NoArg       ArgKind = iota
	RegexArg            // a regular expression
	CodeArg             // a number of decimal digits
	StatusArg           // response statuses: 200,4xx,500..599,>=400
	SizeArg             // numbers of bytes: 0,10k..1M,>2G
	DurationArg         // durations: >1s,100ms..2s
	TimeArg             // points in time: 2024-05-01,end-1h..
	IDArg               // beginnings of ids: 8d2f,51c0
	IndexArg            // numbers of flows: 0,4-9,20-
	VersionArg          // versions: 1.1,2,<1.2
	PortArg             // port numbers: 443,8000-8999
	HeaderArg           // a header name, perhaps with a regular expression: NAME=REGEX
)

// list tells whether arguments of kind k are lists, which cannot contain the
// signs of the filter language.
func (k ArgKind) list() bool { return k >= StatusArg && k <= PortArg }

// regex tells whether arguments of kind k contain a regular expression.
func (k ArgKind) regex() bool { return k == RegexArg || k == HeaderArg }

// An Operator is a row of the table of operators. Rows are shared and must not
// be modified.
type Operator struct {
	Code    string  // its name, without "~"
	Arg     ArgKind // what follows the name
	Ours    bool    // mitmproxy does not have it
	ArgName string  // what to call the argument in help, such as "REGEX"
	Summary string  // what it is true for, in a few words
	Example string  // a filter that uses it

	subject string         // its part of [Expr.Description]
	dump    string         // its name in [Expr.Dump]
	kind    pyregexp.Kind  // of a regular expression, what it is searched in
	flags   pyregexp.Flags // of a regular expression, beside IgnoreCase

	cost  cost // of build's matcher
	build func(c *compiler, op *Op) matcher

	types  flowTypes                           // of flows that it can be true for; 0 if all
	answer func(c *ChunkFacts, op *Op) answers // for flows of these types; nil if nothing is known
}

// String returns the operator as it is written, such as "~bq".
func (o *Operator) String() string { return "~" + o.Code }

const (
	onText  = pyregexp.Text
	onBytes = pyregexp.Bytes

	multiline = pyregexp.Multiline
	dotAll    = pyregexp.DotAll
)

// operators is the one table that lexer, parser, descriptions, matchers, help,
// completion and documents follow. An operator is a row.
var operators = []Operator{
	{Code: "all", Summary: "every flow", Example: "~all",
		subject: "all flows", dump: "FAll",
		cost: costMeta, build: always, answer: certainly},

	// The type and state of the flow.
	{Code: "http", Summary: "HTTP flows, WebSockets included", Example: "~http & ~e",
		subject: "is an HTTP Flow", dump: "FHTTP",
		cost: costMeta, build: isType(typeHTTP), types: ofHTTP, answer: certainly},
	{Code: "websocket", Summary: "WebSocket flows", Example: "~websocket",
		subject: "is a Websocket Flow", dump: "FWebSocket",
		cost: costMeta, build: hasWebSocket, types: ofHTTP},
	{Code: "tcp", Summary: "TCP flows", Example: "~tcp",
		subject: "is a TCP Flow", dump: "FTCP",
		cost: costMeta, build: isType(typeTCP), types: ofTCP, answer: certainly},
	{Code: "udp", Summary: "UDP flows", Example: "~udp",
		subject: "is a UDP Flow", dump: "FUDP",
		cost: costMeta, build: isType(typeUDP), types: ofUDP, answer: certainly},
	{Code: "dns", Summary: "DNS flows", Example: "~dns",
		subject: "is a DNS Flow", dump: "FDNS",
		cost: costMeta, build: isType(typeDNS), types: ofDNS, answer: certainly},
	{Code: "q", Summary: "HTTP and DNS flows without a response", Example: "~q",
		subject: "has no response", dump: "FReq",
		cost: costMeta, build: hasResponse(false), types: ofHTTP | ofDNS, answer: responseAnswers(false)},
	{Code: "s", Summary: "HTTP and DNS flows with a response", Example: "~s",
		subject: "has response", dump: "FResp",
		cost: costMeta, build: hasResponse(true), types: ofHTTP | ofDNS, answer: responseAnswers(true)},
	{Code: "e", Summary: "flows with an error", Example: "~e",
		subject: "has error", dump: "FErr",
		cost: costMeta, build: hasError},
	{Code: "a", Summary: "responses that are assets: scripts, style sheets, images, fonts", Example: "!~a",
		subject: "is asset", dump: "FAsset",
		cost: costHead, build: isAsset, types: ofHTTP},
	{Code: "marked", Summary: "marked flows", Example: "~marked",
		subject: "is marked", dump: "FMarked",
		cost: costMeta, build: isMarked},
	{Code: "marker", Arg: RegexArg, ArgName: "REGEX", Summary: "the marker", Example: "~marker grapes",
		subject: "marker", dump: "FMarker", kind: onText,
		cost: costMeta, build: searchTop("marked")},
	{Code: "comment", Arg: RegexArg, ArgName: "REGEX", Summary: "the comment", Example: "~comment todo",
		subject: "comment", dump: "FComment", kind: onText, flags: multiline,
		cost: costMeta, build: searchTop("comment")},
	{Code: "meta", Arg: RegexArg, ArgName: "REGEX", Summary: "the metadata, a line KEY: VALUE for each entry", Example: "~meta ^tag:",
		subject: "flow metadata", dump: "FMeta", kind: onText, flags: multiline,
		cost: costText, build: searchMetadata},
	{Code: "replay", Summary: "replayed flows", Example: "~replay",
		subject: "flow has been replayed", dump: "FReplay",
		cost: costMeta, build: isReplay("")},
	{Code: "replayq", Summary: "flows whose request was replayed", Example: "~replayq",
		subject: "request has been replayed", dump: "FReplayClient",
		cost: costMeta, build: isReplay("request")},
	{Code: "replays", Summary: "flows whose response was replayed", Example: "~replays",
		subject: "response has been replayed", dump: "FReplayServer",
		cost: costMeta, build: isReplay("response")},

	// Where it went.
	{Code: "u", Arg: RegexArg, ArgName: "REGEX", Summary: "the URL, or the name a DNS query asks for; ~u may be left out", Example: "~u /api/",
		subject: "url", dump: "FUrl", kind: onText,
		cost: costText, build: searchURL, types: ofHTTP | ofDNS},
	{Code: "d", Arg: RegexArg, ArgName: "REGEX", Summary: "the host of the request", Example: `~d \.example$`,
		subject: "domain", dump: "FDomain", kind: onText,
		cost: costHead, build: searchHost, types: ofHTTP, answer: hostAnswers},
	{Code: "m", Arg: RegexArg, ArgName: "REGEX", Summary: "the method of the request", Example: "~m ^POST$",
		subject: "method", dump: "FMethod", kind: onBytes,
		cost: costHead, build: searchMethod, types: ofHTTP, answer: methodAnswers},
	{Code: "src", Arg: RegexArg, ArgName: "REGEX", Summary: "the address of the client, HOST:PORT", Example: "~src ^127",
		subject: "source address", dump: "FSrc", kind: onText,
		cost: costHead, build: searchAddress(partClient, "peername")},
	{Code: "dst", Arg: RegexArg, ArgName: "REGEX", Summary: "the address of the server, HOST:PORT", Example: "~dst :8080$",
		subject: "destination address", dump: "FDst", kind: onText,
		cost: costHead, build: searchAddress(partServer, "address")},

	// What was said.
	{Code: "c", Arg: CodeArg, ArgName: "N", Summary: "the status of the response is N", Example: "~c 404",
		subject: "response code", dump: "FCode",
		cost: costHead, build: matchCode, types: ofHTTP, answer: codeAnswers},
	{Code: "h", Arg: RegexArg, ArgName: "REGEX", Summary: "the headers of request or response, a line NAME: VALUE for each", Example: "~h ^server:",
		subject: "header", dump: "FHead", kind: onBytes, flags: multiline,
		cost: costText, build: onMessages(searchHeaderBlock, partRequest, partResponse), types: ofHTTP},
	{Code: "hq", Arg: RegexArg, ArgName: "REGEX", Summary: "the headers of the request", Example: "~hq ^cookie:",
		subject: "req. header", dump: "FHeadRequest", kind: onBytes, flags: multiline,
		cost: costText, build: onMessages(searchHeaderBlock, partRequest), types: ofHTTP},
	{Code: "hs", Arg: RegexArg, ArgName: "REGEX", Summary: "the headers of the response", Example: "~hs ^set-cookie:",
		subject: "resp. header", dump: "FHeadResponse", kind: onBytes, flags: multiline,
		cost: costText, build: onMessages(searchHeaderBlock, partResponse), types: ofHTTP},
	{Code: "t", Arg: RegexArg, ArgName: "REGEX", Summary: "the content type of request or response", Example: "~t json",
		subject: "content type", dump: "FContentType", kind: onBytes,
		cost: costHead, build: onMessages(searchHeader("content-type"), partRequest, partResponse), types: ofHTTP},
	{Code: "tq", Arg: RegexArg, ArgName: "REGEX", Summary: "the content type of the request", Example: "~tq form",
		subject: "req. content type", dump: "FContentTypeRequest", kind: onBytes,
		cost: costHead, build: onMessages(searchHeader("content-type"), partRequest), types: ofHTTP},
	{Code: "ts", Arg: RegexArg, ArgName: "REGEX", Summary: "the content type of the response", Example: "~ts ^text/html",
		subject: "resp. content type", dump: "FContentTypeResponse", kind: onBytes,
		cost: costHead, build: onMessages(searchHeader("content-type"), partResponse), types: ofHTTP},
	{Code: "b", Arg: RegexArg, ArgName: "REGEX", Summary: "the body of request or response, or a message", Example: "~b password",
		subject: "body", dump: "FBod", kind: onBytes, flags: dotAll,
		cost: costBody, build: searchContent(fromClient | fromServer)},
	{Code: "bq", Arg: RegexArg, ArgName: "REGEX", Summary: "the body of the request, or a message of the client", Example: "~bq password",
		subject: "body request", dump: "FBodRequest", kind: onBytes, flags: dotAll,
		cost: costBody, build: searchContent(fromClient)},
	{Code: "bs", Arg: RegexArg, ArgName: "REGEX", Summary: "the body of the response, or a message of the server", Example: `~bs "\"error\""`,
		subject: "body response", dump: "FBodResponse", kind: onBytes, flags: dotAll,
		cost: costBody, build: searchContent(fromServer)},

	// What mitmproxy does not have.
	{Ours: true, Code: "status", Arg: StatusArg, ArgName: "LIST", Summary: "the status of the response is in LIST", Example: "~status 4xx,500..503",
		subject: "response status", dump: "FStatus",
		cost: costHead, build: matchStatus, types: ofHTTP, answer: statusAnswers},
	{Ours: true, Code: "size", Arg: SizeArg, ArgName: "SIZES", Summary: "bytes of all bodies and messages, as they are stored", Example: "~size >10M",
		subject: "size", dump: "FSize",
		cost: costHead, build: matchSize(fromClient | fromServer), types: ofHTTP | ofTCP | ofUDP},
	{Ours: true, Code: "sizeq", Arg: SizeArg, ArgName: "SIZES", Summary: "bytes of the request body or of the messages of the client", Example: "~sizeq 1..",
		subject: "request size", dump: "FSizeRequest",
		cost: costHead, build: matchSize(fromClient), types: ofHTTP | ofTCP | ofUDP},
	{Ours: true, Code: "sizes", Arg: SizeArg, ArgName: "SIZES", Summary: "bytes of the response body or of the messages of the server", Example: "~sizes 100k..2M",
		subject: "response size", dump: "FSizeResponse",
		cost: costHead, build: matchSize(fromServer), types: ofHTTP | ofTCP | ofUDP},
	{Ours: true, Code: "dur", Arg: DurationArg, ArgName: "DURATIONS", Summary: "how long the exchange took", Example: "~dur >1.5s",
		subject: "duration", dump: "FDuration",
		cost: costHead, build: matchDuration},
	{Ours: true, Code: "time", Arg: TimeArg, ArgName: "TIMES", Summary: "when the flow started", Example: "~time 2024-05-01T10:00..",
		subject: "start time", dump: "FTime",
		cost: costHead, build: matchTime, answer: timeAnswers},
	{Ours: true, Code: "id", Arg: IDArg, ArgName: "PREFIXES", Summary: "how the id of the flow begins", Example: "~id 8d2f",
		subject: "id", dump: "FId",
		cost: costMeta, build: matchID, answer: idAnswers},
	{Ours: true, Code: "index", Arg: IndexArg, ArgName: "LIST", Summary: "the number of the flow, counted from 0", Example: "~index 0,4-9,20-",
		subject: "flow number", dump: "FIndex",
		cost: costMeta, build: matchIndex, answer: indexAnswers},
	{Ours: true, Code: "httpv", Arg: VersionArg, ArgName: "VERSIONS", Summary: "the HTTP version of request or response", Example: "~httpv 2",
		subject: "http version", dump: "FHTTPVersion",
		cost: costHead, build: onMessages(matchHTTPVersion, partRequest, partResponse), types: ofHTTP},
	{Ours: true, Code: "tlsv", Arg: VersionArg, ArgName: "VERSIONS", Summary: "the TLS version of the client or of the server connection", Example: "~tlsv <1.2",
		subject: "tls version", dump: "FTLSVersion",
		cost: costHead, build: matchTLSVersion},
	{Ours: true, Code: "formatv", Arg: VersionArg, ArgName: "VERSIONS", Summary: "the format version in which the flow is stored", Example: "~formatv <17",
		subject: "format version", dump: "FFormatVersion",
		cost: costMeta, build: matchFormat, answer: versionAnswers},
	{Ours: true, Code: "edited", Summary: "flows that were edited and can be reverted", Example: "~edited",
		subject: "has been edited", dump: "FEdited",
		cost: costMeta, build: isEdited},
	{Ours: true, Code: "enc", Arg: RegexArg, ArgName: "REGEX", Summary: "the content encoding of request or response", Example: "~enc br",
		subject: "content encoding", dump: "FContentEncoding", kind: onBytes,
		cost: costHead, build: onMessages(searchHeader("content-encoding"), partRequest, partResponse), types: ofHTTP},
	{Ours: true, Code: "encq", Arg: RegexArg, ArgName: "REGEX", Summary: "the content encoding of the request", Example: "~encq gzip",
		subject: "req. content encoding", dump: "FContentEncodingRequest", kind: onBytes,
		cost: costHead, build: onMessages(searchHeader("content-encoding"), partRequest), types: ofHTTP},
	{Ours: true, Code: "encs", Arg: RegexArg, ArgName: "REGEX", Summary: "the content encoding of the response", Example: "~encs ^zstd$",
		subject: "resp. content encoding", dump: "FContentEncodingResponse", kind: onBytes,
		cost: costHead, build: onMessages(searchHeader("content-encoding"), partResponse), types: ofHTTP},
	{Ours: true, Code: "hn", Arg: HeaderArg, ArgName: "NAME[=REGEX]", Summary: "request or response has the header NAME, with such a value", Example: "~hn server=nginx",
		subject: "header", dump: "FHeadNamed", kind: onBytes,
		cost: costHead, build: onMessages(matchNamedHeader, partRequest, partResponse), types: ofHTTP},
	{Ours: true, Code: "hnq", Arg: HeaderArg, ArgName: "NAME[=REGEX]", Summary: "the request has the header NAME, with such a value", Example: "~hnq authorization",
		subject: "req. header", dump: "FHeadNamedRequest", kind: onBytes,
		cost: costHead, build: onMessages(matchNamedHeader, partRequest), types: ofHTTP},
	{Ours: true, Code: "hns", Arg: HeaderArg, ArgName: "NAME[=REGEX]", Summary: "the response has the header NAME, with such a value", Example: "~hns set-cookie=session",
		subject: "resp. header", dump: "FHeadNamedResponse", kind: onBytes,
		cost: costHead, build: onMessages(matchNamedHeader, partResponse), types: ofHTTP},
	{Ours: true, Code: "port", Arg: PortArg, ArgName: "LIST", Summary: "the port of the server", Example: "~port 443,8000-8999",
		subject: "server port", dump: "FPort",
		cost: costHead, build: matchPort},
	{Ours: true, Code: "sni", Arg: RegexArg, ArgName: "REGEX", Summary: "the server name the client sent in its TLS handshake", Example: "~sni example",
		subject: "sni", dump: "FSNI", kind: onText,
		cost: costHead, build: searchSNI},
	{Ours: true, Code: "errmsg", Arg: RegexArg, ArgName: "REGEX", Summary: "the message of the error", Example: "~errmsg timeout",
		subject: "error message", dump: "FErrMessage", kind: onText,
		cost: costHead, build: searchError},
}

// bareCode is the operator of a regular expression without one.
const bareCode = "u"

// Operators returns the operators, those of mitmproxy first, in the order in
// which help should show them.
func Operators() []Operator { return slices.Clone(operators) }

// Lookup returns the operator with a code, which has no "~", or nil.
func Lookup(code string) *Operator {
	for i := range operators {
		if operators[i].Code == code {
			return &operators[i]
		}
	}
	return nil
}
