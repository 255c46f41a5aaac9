package flow

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"strconv"
	"strings"
)

// Types of DNS records that [DNSRecord.Text] knows.
const (
	DNSTypeA     = 1
	DNSTypeNS    = 2
	DNSTypeCNAME = 5
	DNSTypePTR   = 12
	DNSTypeMX    = 15
	DNSTypeTXT   = 16
	DNSTypeAAAA  = 28
	DNSTypeSRV   = 33
	DNSTypeSVCB  = 64
	DNSTypeHTTPS = 65
)

// DNSTypeName returns the name of a type of DNS records, "TYPE(1234)" if it has
// none.
func DNSTypeName(t int) string {
	if 0 <= t && t < len(dnsTypeNames) && dnsTypeNames[t] != "" {
		return dnsTypeNames[t]
	}
	switch t {
	case 32768:
		return "TA"
	case 32769:
		return "DLV"
	}
	return numbered("TYPE", t)
}

// DNSClassName returns the name of a DNS class, "CLASS(1234)" if it has none.
func DNSClassName(c int) string {
	switch c {
	case 1:
		return "IN"
	case 3:
		return "CH"
	case 4:
		return "HS"
	case 254:
		return "NONE"
	case 255:
		return "ANY"
	}
	return numbered("CLASS", c)
}

// DNSOpCodeName returns the name of a DNS operation, "OPCODE(7)" if it has none.
func DNSOpCodeName(c int) string {
	switch c {
	case 0:
		return "QUERY"
	case 1:
		return "IQUERY"
	case 2:
		return "STATUS"
	case 4:
		return "NOTIFY"
	case 5:
		return "UPDATE"
	case 6:
		return "DSO"
	}
	return numbered("OPCODE", c)
}

// DNSResponseCodeName returns the name of the result of a DNS query, "RCODE(12)"
// if it has none.
func DNSResponseCodeName(c int) string {
	names := [...]string{
		"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED",
		"YXDOMAIN", "YXRRSET", "NXRRSET", "NOTAUTH", "NOTZONE", "DSOTYPENI",
	}
	if 0 <= c && c < len(names) {
		return names[c]
	}
	return numbered("RCODE", c)
}

func numbered(what string, n int) string { return what + "(" + strconv.Itoa(n) + ")" }

var dnsTypeNames = [...]string{
	1: "A", "NS", "MD", "MF", "CNAME", "SOA", "MB", "MG", "MR", "NULL", "WKS", "PTR", "HINFO", "MINFO",
	"MX", "TXT", "RP", "AFSDB", "X25", "ISDN", "RT", "NSAP", "NSAP-PTR", "SIG", "KEY", "PX", "GPOS",
	"AAAA", "LOC", "NXT", "EID", "NIMLOC", "SRV", "ATMA", "NAPTR", "KX", "CERT", "A6", "DNAME", "SINK",
	"OPT", "APL", "DS", "SSHFP", "IPSECKEY", "RRSIG", "NSEC", "DNSKEY", "DHCID", "NSEC3", "NSEC3PARAM",
	"TLSA", "SMIMEA",
	55: "HIP", "NINFO", "RKEY", "TALINK", "CDS", "CDNSKEY", "OPENPGPKEY", "CSYNC", "ZONEMD", "SVCB",
	"HTTPS",
	99: "SPF", "UINFO", "UID", "GID", "UNSPEC", "NID", "L32", "L64", "LP", "EUI48", "EUI64",
	249: "TKEY", "TSIG", "IXFR", "AXFR", "MAILB", "MAILA", "ANY", "URI", "CAA", "AVC", "DOA", "AMTRELAY",
}

// TypeName returns the name of what is asked for.
func (q *DNSQuestion) TypeName() string { return DNSTypeName(q.Type) }

// TypeName returns the name of the type of r.
func (r *DNSRecord) TypeName() string { return DNSTypeName(r.Type) }

// Text returns the data of r for people: addresses, names, the text of TXT
// records without their length octets, the fields of MX, SRV, SVCB and HTTPS
// records as zone files have them, and 0x with hexadecimal digits for
// everything else. Data that are malformed are shown as
// "0x… (invalid TYPE data)". The text may hold control characters.
func (r *DNSRecord) Text() string {
	d := rdata{[]byte(r.Data), true}
	var text string
	switch r.Type {
	case DNSTypeA:
		text = d.addr(4)
	case DNSTypeAAAA:
		text = d.addr(16)
	case DNSTypeNS, DNSTypeCNAME, DNSTypePTR:
		text = d.name()
	case DNSTypeMX:
		text = d.number() + " " + d.name()
	case DNSTypeSRV:
		text = d.number() + " " + d.number() + " " + d.number() + " " + d.name()
	case DNSTypeTXT:
		for d.ok && len(d.b) > 0 {
			text += string(d.take(int(d.uint8())))
		}
	case DNSTypeSVCB, DNSTypeHTTPS:
		text = d.number() + " " + d.name()
		for d.ok && len(d.b) > 0 {
			text += " " + d.serviceParam()
		}
	default:
		return "0x" + hex.EncodeToString(d.b)
	}
	if !d.ok || len(d.b) > 0 {
		return "0x" + hex.EncodeToString([]byte(r.Data)) + " (invalid " + r.TypeName() + " data)"
	}
	return text
}

// rdata is record data that are being read. ok becomes false when they end too
// early or are wrong.
type rdata struct {
	b  []byte
	ok bool
}

func (d *rdata) take(n int) []byte {
	if !d.ok || n > len(d.b) {
		d.ok = false
		return nil
	}
	b := d.b[:n]
	d.b = d.b[n:]
	return b
}

func (d *rdata) uint8() uint8 {
	if b := d.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (d *rdata) uint16() uint16 {
	if b := d.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (d *rdata) number() string { return strconv.Itoa(int(d.uint16())) }

func (d *rdata) addr(size int) string {
	a, ok := netip.AddrFromSlice(d.take(size))
	if !ok {
		d.ok = false
		return ""
	}
	return a.String()
}

// name reads a domain name; the root is ".". Compression was undone when the
// message was recorded.
func (d *rdata) name() string {
	var labels []string
	total := 1
	for {
		n := int(d.uint8())
		total += n + 1
		if n > 63 || total > 255 {
			d.ok = false
		}
		if !d.ok {
			return ""
		}
		if n == 0 {
			break
		}
		labels = append(labels, string(d.take(n)))
	}
	if labels == nil {
		return "."
	}
	return strings.Join(labels, ".")
}

// serviceParam reads a parameter of an SVCB or HTTPS record (RFC 9460).
func (d *rdata) serviceParam() string {
	key := d.uint16()
	v := rdata{d.take(int(d.uint16())), d.ok}
	var values []string
	name := ""
	switch key {
	case 0:
		name = "mandatory"
		for v.ok && len(v.b) > 0 {
			values = append(values, serviceKey(v.uint16()))
		}
	case 1:
		name = "alpn"
		for v.ok && len(v.b) > 0 {
			values = append(values, string(v.take(int(v.uint8()))))
		}
	case 3:
		name = "port"
		values = []string{v.number()}
	case 4, 6:
		name = serviceKey(key)
		size := 4
		if key == 6 {
			size = 16
		}
		for v.ok && len(v.b) > 0 {
			values = append(values, v.addr(size))
		}
	case 5:
		name = "ech"
		values = []string{base64.StdEncoding.EncodeToString(v.take(len(v.b)))}
	default:
		name = serviceKey(key)
		if len(v.b) > 0 {
			values = []string{"0x" + hex.EncodeToString(v.take(len(v.b)))}
		}
	}
	if !v.ok || len(v.b) > 0 {
		d.ok = false
	}
	if values == nil {
		return name
	}
	return name + "=" + strings.Join(values, ",")
}

func serviceKey(key uint16) string {
	names := [...]string{"mandatory", "alpn", "no-default-alpn", "port", "ipv4hint", "ech", "ipv6hint"}
	if int(key) < len(names) {
		return names[key]
	}
	return "key" + strconv.Itoa(int(key))
}
