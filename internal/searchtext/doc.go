// Package searchtext builds the texts that mitmproxy's filter expressions search, byte for byte,
// from the raw fields of a flow.
//
// [Request] has the pretty URL and the pretty host, [AppendField] makes header blocks,
// [AppendAddress] shows addresses, [AppendMetadata] shows metadata, [DNSText] shows DNS messages,
// and [BodyDecoder] undoes the content coding of a body.
//
// These are not the texts to show to people: package flow improves on mitmproxy where that
// helps (IPv6 addresses in brackets, the connected port in URLs, the fields of DNS records), but a
// filter expression has to select the flows that it selects in mitmproxy.
//
// # Text
//
// mitmproxy decodes header values, paths and the like as UTF-8 and turns every byte b that is not
// valid into the lone surrogate U+DC00+b. Here such a text is the bytes themselves: what is valid
// UTF-8 stands for itself, and every byte that is not, for its surrogate. Go and Python agree about
// what is valid, so decoding is doing nothing. The one loss is where two texts meet without ASCII
// between them, which only a host and a path can do: "\xc3" and "\xa9" then make an é and not two
// surrogates.
//
// # Exactness
//
// The reference is CPython 3.13 with Unicode 15.1. Where mitmproxy ends the evaluation of a filter
// with an exception, the functions here return the text of the nearest case without one; their
// comments say so.
package searchtext
