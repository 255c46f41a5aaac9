package flow_test

import (
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"strings"
	"testing"

	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/internal/coding"
	"github.com/flowtool/flowtool/state"
)

// countingReader counts the bytes that were fetched.
type countingReader struct {
	io.ReaderAt
	n int64
}

func (r *countingReader) ReadAt(p []byte, off int64) (int, error) {
	n, err := r.ReaderAt.ReadAt(p, off)
	r.n += int64(n)
	return n, err
}

func external(data []byte) (state.Value, *countingReader) {
	r := &countingReader{ReaderAt: bytes.NewReader(data)}
	return state.External(state.KindBytes, &state.Extent{Reader: r, Len: int64(len(data))}), r
}

// withBody returns a flow over a state in which the body of the response is v.
func withBody(t *testing.T, v state.Value) *flow.HTTP {
	t.Helper()
	m := newHTTP(t).GetState()
	r, err := m.Map("response")
	if err != nil {
		t.Fatal(err)
	}
	r.Set("content", v)
	f, err := flow.FromState(m)
	if err != nil {
		t.Fatal(err)
	}
	return f.(*flow.HTTP)
}

func TestExternalBody(t *testing.T) {
	data := []byte(strings.Repeat("0123456789", 1000))
	v, r := external(data)
	f := withBody(t, v)
	resp := f.Response()
	if resp.Body.Len() != int64(len(data)) || resp.Body.InMemory() || resp.Body.IsMissing() {
		t.Errorf("length %d, in memory %v", resp.Body.Len(), resp.Body.InMemory())
	}
	resp.StatusCode = 404
	f.State()
	f.GetState()
	f.Copy().State()
	if r.n != 0 {
		t.Errorf("%d bytes were fetched unasked", r.n)
	}
	if got, err := resp.Content(100); !bytes.Equal(got, data[:100]) {
		t.Errorf("Content: %.20q, %v", got, err)
	} else if le, _ := errors.AsType[*coding.LimitError](err); le == nil || le.Limit != 100 {
		t.Errorf("Content: %v, want a LimitError", err)
	}
	if r.n != 100 {
		t.Errorf("%d bytes were fetched for 100", r.n)
	}
	if got, err := resp.Body.Bytes(); err != nil || !bytes.Equal(got, data) {
		t.Errorf("Bytes: %d, %v", len(got), err)
	}
	rd, err := resp.Body.Reader()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(rd); err != nil || !bytes.Equal(got, data) {
		t.Errorf("Reader: %d, %v", len(got), err)
	}

	// The other body of the same length is another one.
	other, r2 := external(bytes.ToUpper(data))
	g := withBody(t, other)
	g.Response().Body = resp.Body
	r.n = 0
	m, err := g.State().Map("response")
	if err != nil {
		t.Fatal(err)
	}
	if r.n+r2.n != 0 {
		t.Error("bodies were fetched for comparing them")
	}
	if got, err := m.Bytes("content"); err != nil || !bytes.Equal(got, data) {
		t.Errorf("moved body: %.20q, %v", got, err)
	}
}

func TestElidedBody(t *testing.T) {
	f := withBody(t, state.External(state.KindBytes, &state.Extent{Len: 5}))
	b := f.Response().Body
	f.State()
	if _, err := b.Bytes(); !errors.Is(err, state.ErrElided) {
		t.Errorf("Bytes: %v", err)
	}
	if _, err := f.Response().Content(0); !errors.Is(err, state.ErrElided) {
		t.Errorf("Content: %v", err)
	}
	if _, err := f.Response().Content(2); !errors.Is(err, state.ErrElided) {
		t.Errorf("Content with limit: %v", err)
	}
}

func TestMissingAndEmpty(t *testing.T) {
	var missing flow.Body
	if data, err := missing.Decoded("gzip", 0); data != nil || err != nil || !missing.IsMissing() || missing.Len() != 0 {
		t.Errorf("missing: %q, %v", data, err)
	}
	if r, err := missing.Reader(); err != nil {
		t.Error(err)
	} else if data, _ := io.ReadAll(r); len(data) != 0 {
		t.Error("a missing body has bytes")
	}
	empty := flow.NewBody(nil)
	if data, err := empty.Bytes(); data == nil || err != nil || empty.IsMissing() {
		t.Errorf("empty: %v, %v", data, err)
	}
	f := newHTTP(t)
	f.Request().Body, f.Response().Body = missing, empty
	g, err := flow.FromState(reread(t, f.State()))
	if err != nil {
		t.Fatal(err)
	}
	h := g.(*flow.HTTP)
	if !h.Request().Body.IsMissing() || h.Response().Body.IsMissing() {
		t.Error("missing and empty were confused")
	}
}

func TestContent(t *testing.T) {
	var buf bytes.Buffer
	zw := gzip.NewWriter(&buf)
	zw.Write([]byte("gr\xfc\xdfe"))
	zw.Close()
	m := flow.HTTPMessage{
		Headers: flow.NewHeaders("content-type", "text/plain; charset=latin-1", "Content-Encoding", "GZip"),
		Body:    flow.NewBody(buf.Bytes()),
	}
	if got, err := m.Content(0); err != nil || string(got) != "gr\xfc\xdfe" {
		t.Errorf("Content: %q, %v", got, err)
	}
	if got, err := m.Text(0); err != nil || got != "grüße" {
		t.Errorf("Text: %q, %v", got, err)
	}
	if _, err := m.Content(3); err == nil {
		t.Error("the limit did nothing")
	}
	m.Body = flow.NewBody(buf.Bytes()[:buf.Len()-4])
	if _, err := m.Content(0); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("cut: %v", err)
	}
	m.SetContent([]byte("plain"))
	if got := m.Headers.String(); got != "content-type: text/plain; charset=latin-1\r\nContent-Length: 5\r\n" {
		t.Errorf("SetContent: %q", got)
	}
	if got, err := m.Content(0); err != nil || string(got) != "plain" {
		t.Errorf("Content: %q, %v", got, err)
	}
}

func TestCertificate(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "example.com"}}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	// Text before the block and CRLF are kept as they are.
	text := append([]byte("subject: example\r\n"), bytes.ReplaceAll(block, []byte("\n"), []byte("\r\n"))...)
	f := newHTTP(t)
	f.ClientConn().MitmCert = flow.NewCertificate(text)
	f.ServerConn().CertificateList = []flow.Certificate{flow.NewCertificate([]byte("bad")), flow.NewCertificate(block)}
	g, err := flow.FromState(reread(t, f.State()))
	if err != nil {
		t.Fatal(err)
	}
	c := g.ClientConn().MitmCert
	if got, err := c.PEM(); err != nil || !bytes.Equal(got, text) {
		t.Errorf("PEM: %q, %v", got, err)
	}
	if cert, err := c.Parse(); err != nil || cert.Subject.CommonName != "example.com" {
		t.Errorf("Parse: %v", err)
	}
	if _, err := g.ServerConn().CertificateList[0].Parse(); err == nil {
		t.Error("a bad certificate was parsed")
	}
	if _, err := g.ServerConn().CertificateList[1].Parse(); err != nil {
		t.Error(err)
	}
	if !(flow.Certificate{}).IsZero() || c.IsZero() {
		t.Error("IsZero is wrong")
	}
}

func TestNewRequest(t *testing.T) {
	for _, c := range []struct {
		url, scheme, host, path string
		port                    int
	}{
		{"http://example.com", "http", "example.com", "/", 80},
		{"HTTPS://example.com/a?b#c", "https", "example.com", "/a?b", 443},
		{"http://[::1]:8080/x", "http", "::1", "/x", 8080},
	} {
		r, err := flow.NewRequest("GET", c.url, flow.Headers{}, nil)
		if err != nil {
			t.Error(err)
			continue
		}
		if r.Scheme != c.scheme || r.Host != c.host || r.Path != c.path || r.Port != c.port {
			t.Errorf("%s: %+v", c.url, r)
		}
	}
	for _, bad := range []string{"", "/path", "ftp://x/", "http://", "http://a:99999/", "http://a b/"} {
		if _, err := flow.NewRequest("GET", bad, flow.Headers{}, nil); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}
