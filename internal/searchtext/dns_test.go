package searchtext

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/flowtool/flowtool/internal/flowtest"
)

// domain returns a name as it is on the wire.
func domain(labels ...string) string {
	var b strings.Builder
	for _, l := range labels {
		b.WriteByte(byte(len(l)))
		b.WriteString(l)
	}
	return b.String() + "\x00"
}

// param returns a parameter of an HTTPS record.
func param(key uint16, value string) string {
	b := binary.BigEndian.AppendUint16(nil, key)
	b = binary.BigEndian.AppendUint16(b, uint16(len(value)))
	return string(b) + value
}

func TestAppendRecordData(t *testing.T) {
	for _, tt := range []struct {
		rtype      int64
		data, want string
	}{
		{typeA, "\x7f\x00\x00\x01", "127.0.0.1"},
		{typeA, "\x7f\x00\x00", "0x7f0000 (invalid A data)"},
		{typeA, "", "0x (invalid A data)"},
		{typeAAAA, "\x20\x01\x0d\xb8" + strings.Repeat("\x00", 11) + "\x01", "2001:db8::1"},
		{typeAAAA, "\x00\x01\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x03\xab\x0c", "1::2:0:0:3:ab0c"},
		{typeAAAA, "\x00\x01\x00\x00\x00\x02\x00\x03\x00\x04\x00\x05\x00\x06\x00\x07", "1:0:2:3:4:5:6:7"},
		{typeAAAA, strings.Repeat("\x00", 16), "::"},
		{typeAAAA, strings.Repeat("\x00", 10) + "\xff\xff\x01\x02\x03\x04", "::ffff:1.2.3.4"}, // since Python 3.13
		{typeAAAA, strings.Repeat("\x00", 12) + "\x01\x02\x03\x04", "::102:304"},
		{typeAAAA, "\x01", "0x01 (invalid AAAA data)"},
		{typeNS, domain("a", "example"), "a.example"},
		{typeCNAME, domain(), ""},
		{typeCNAME, domain("xn--mnchen-3ya", "de"), "münchen.de"},
		{typeCNAME, domain("xn--strae-oqa", "de"), "0x0d786e2d2d73747261652d6f716102646500 (invalid CNAME data)"},
		{typeCNAME, domain("a.b", "c"), "a.b.c"},
		{typeCNAME, domain("a.xn--mnchen-3ya."), "a.münchen."},
		{typePTR, domain("a") + "x", "0x01610078 (invalid PTR data)"},
		{typePTR, "\x01a", "0x0161 (invalid PTR data)"},
		{typePTR, "", "0x (invalid PTR data)"},
		{typePTR, "\xc0\x00", "0xc000 (invalid PTR data)"},
		{typePTR, domain("\xff"), "0x01ff00 (invalid PTR data)"},
		{typePTR, domain("\x00 \n"), "\x00 \n"},
		{typePTR, domain(strings.Repeat("a", 63)), strings.Repeat("a", 63)},
		{typePTR, "\x40" + strings.Repeat("a", 64) + "\x00", "0x40" + strings.Repeat("61", 64) + "00 (invalid PTR data)"},
		{typeTXT, "\x02hi\x03\"\\\n", "\x02hi\x03\"\\\n"},
		{typeTXT, "", ""},
		{typeTXT, "\x02hi\xff", "0x026869ff (invalid TXT data)"},
		{15, "\x00\x0a\x00", "0x000a00"},
		{41, "", "0x"},
		{-1, "\x01", "0x01"},
		{typeHTTPS, "\x00\x01" + domain(), `{'target_name': '', 'priority': 1}`},
		{typeHTTPS, "\xff\xff" + domain("a'b"), `{'target_name': "a'b", 'priority': -1}`},
		{typeHTTPS, "\x00\x01\x00" + param(1, "\x02h2\x02h3") + param(3, "\x01\xbb") + param(7, "") + param(65535, "x"),
			`{'target_name': '', 'priority': 1, 'alpn': '\\x02h2\\x02h3', 'port': '\\x01\\xbb', 7: '', 65535: 'x'}`},
		{typeHTTPS, "\x00\x01\x00" + param(0, "a") + param(2, "b") + param(4, "c") + param(5, "d") + param(6, "e"),
			`{'target_name': '', 'priority': 1, 'mandatory': 'a', 'no_default_alpn': 'b', 'ipv4hint': 'c', 'ech': 'd', 'ipv6hint': 'e'}`},
		{typeHTTPS, "\x00\x01\x00" + param(9, "a") + param(8, "b") + param(9, "c"), `{'target_name': '', 'priority': 1, 9: 'c', 8: 'b'}`},
		{typeHTTPS, "\x00\x01\x00" + param(8, "'") + param(9, "\"'\\\t\n\r\x00"),
			`{'target_name': '', 'priority': 1, 8: "'", 9: '"\'\\\\\\t\\n\\r\\x00'}`},
		{typeHTTPS, "\x00\x01\x00" + param(8, `\\\'`) + param(9, `\\\`),
			`{'target_name': '', 'priority': 1, 8: "\\\\'", 9: '\\\\\\\\\\\\'}`},
		{typeHTTPS, "\x00\x01\x00\x00\x01\x00\x02x", "0x0001000001000278 (invalid HTTPS data)"},
		{typeHTTPS, "\x00\x01\x00\x00\x01\x00", "0x000100000100 (invalid HTTPS data)"},
		{typeHTTPS, "\x00", "0x00 (invalid HTTPS data)"},
		{typeHTTPS, "\x00\x01", "0x0001 (invalid HTTPS data)"},
	} {
		if got := string(AppendRecordData([]byte("x"), tt.rtype, []byte(tt.data))); got != "x"+tt.want {
			t.Errorf("type %d, %q:\n    %s\nnot %s", tt.rtype, tt.data, got[1:], tt.want)
		}
	}
}

func TestDNSText(t *testing.T) {
	var d DNSText
	if len(d.Bytes()) != 0 {
		t.Errorf("an empty message is %q", d.Bytes())
	}
	d.Question([]byte("münchen.de"))
	d.Question(nil)
	d.Record(typeA, []byte("\x7f\x00\x00\x01"))
	d.Record(typeTXT, nil)
	if want := "münchen.de\r\n\r\n127.0.0.1\r\n"; string(d.Bytes()) != want {
		t.Errorf("%q, want %q", d.Bytes(), want)
	}
	d.Reset(d.Bytes())
	d.Question(nil)
	d.Question([]byte("a"))
	if want := "\r\na"; string(d.Bytes()) != want {
		t.Errorf("%q, want %q", d.Bytes(), want)
	}
}

func randomRecord(rnd *rand.Rand) (rtype int64, data []byte) {
	rtype = []int64{1, 28, 2, 5, 12, 16, 65, 65, 65, 15, 64, 0, 65535}[rnd.IntN(13)]
	name := func() string {
		labels := make([]string, rnd.IntN(4))
		for i := range labels {
			labels[i] = []string{"a", "example", "a.b", "a'b", `a"b`, "é", "XN--mnchen-3ya", "xn--mnchen-3ya", "xn--strae-oqa", "a.xn--4gbrim.", "\x00\n\\", ".", "\xff"}[min(rnd.IntN(20), 12)]
		}
		return domain(labels...)
	}
	soup := func(n int) string {
		var b strings.Builder
		for range rnd.IntN(n) {
			b.WriteString([]string{"'", "\"", "\\", "\\", "a", "\t", "\x02h2", "\x7f", "\xff", "é", "\u2028"}[rnd.IntN(11)])
		}
		return b.String()
	}
	switch rtype {
	case 1:
		data = make([]byte, 4)
	case 28:
		data = make([]byte, 16)
	case 2, 5, 12:
		data = []byte(name())
	case 65:
		data = []byte("\x00\x01")
		data = append(data, name()...)
		for range rnd.IntN(6) {
			data = append(data, param(uint16(rnd.IntN(9)), soup(10))...)
		}
	default:
		data = []byte(soup(20))
	}
	if rtype == 1 || rtype == 28 {
		for i := range data {
			if rnd.IntN(2) == 0 {
				data[i] = byte(rnd.Uint32())
			}
		}
		if rtype == 28 && rnd.IntN(4) == 0 {
			copy(data, "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff")
		}
	}
	switch rnd.IntN(6) {
	case 0:
		data = data[:rnd.IntN(len(data)+1)]
	case 1:
		data = append(data, byte(rnd.Uint32()))
	case 2:
		if len(data) > 0 {
			data[rnd.IntN(len(data))] = byte(rnd.Uint32())
		}
	}
	return rtype, data
}

func TestRecordDataOracle(t *testing.T) {
	python := flowtest.Oracle(t)
	rnd := rand.New(rand.NewPCG(9, 10))
	var questions []question
	var want [][]byte
	for range 30000 {
		rtype, data := randomRecord(rnd)
		questions = append(questions, question{"record", rtype, b64(data)})
		want = append(want, AppendRecordData(nil, rtype, data))
	}
	invalid := 0
	for i, answer := range ask(t, python, questions) {
		if class := failed(answer); class != "" {
			t.Errorf("%v: mitmproxy raises %s", questions[i], class)
			continue
		}
		theirs := texts(t, answer)[0]
		if theirs != string(want[i]) {
			t.Errorf("%v\n is %q\nwant %q", questions[i], want[i], theirs)
		}
		if strings.Contains(theirs, "(invalid") {
			invalid++
		}
	}
	t.Logf("%d of %d are invalid", invalid, len(questions))
}

func FuzzAppendRecordData(f *testing.F) {
	f.Add(int64(typeHTTPS), []byte("\x00\x01\x00"+param(1, "\x02h2")+param(1, "'")))
	f.Add(int64(typeCNAME), []byte(domain("xn--mnchen-3ya", "de")))
	f.Add(int64(typeAAAA), make([]byte, 16))
	f.Add(int64(typeTXT), []byte("\xff"))
	f.Fuzz(func(t *testing.T, rtype int64, data []byte) {
		before := []byte("before")
		got := AppendRecordData(before, rtype, data)
		if !bytes.HasPrefix(got, before) {
			t.Fatalf("%q does not begin with %q", got, before)
		}
		if rtype != typeTXT && bytes.ContainsRune(got, '\ufffd') {
			t.Errorf("%q has a replacement character", got)
		}
	})
}

func BenchmarkAppendRecordData(b *testing.B) {
	for _, bb := range []struct {
		name  string
		rtype int64
		data  string
	}{
		{"A", typeA, "\x7f\x00\x00\x01"},
		{"AAAA", typeAAAA, "\x20\x01\x0d\xb8" + strings.Repeat("\x00", 11) + "\x01"},
		{"CNAME", typeCNAME, domain("www", "example", "com")},
		{"HTTPS", typeHTTPS, "\x00\x01\x00" + param(1, "\x02h2\x02h3") + param(3, "\x01\xbb")},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			buf, data := make([]byte, 0, 256), []byte(bb.data)
			for b.Loop() {
				buf = AppendRecordData(buf[:0], bb.rtype, data)
			}
		})
	}
}
