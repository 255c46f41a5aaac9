package shell_test

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/flowtool/flowtool/flow"
)

// A received is a request as a server got it.
type received struct {
	version string // "HTTP/1.1", "HTTP/2.0"
	method  string
	target  string
	// Of HTTP/2, which has no Host header.
	scheme, authority string
	headers           []flow.Header // as they came, but for white space around values
	body              []byte
	extra             []byte // what came behind the request
}

// A server notes the requests it gets, one a connection, with or without TLS, and
// answers all alike.
type server struct {
	listener net.Listener
	tls      *tls.Config

	mu   sync.Mutex // held while a request is handled
	got  []received
	errs []error
}

func newServer(t testing.TB) *server {
	t.Helper()
	s := &server{tls: &tls.Config{Certificates: []tls.Certificate{certificate(t)}, NextProtos: []string{"h2", "http/1.1"}}}
	var err error
	if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	group.Go(s.serve)
	t.Cleanup(func() {
		s.listener.Close()
		group.Wait()
	})
	return s
}

func certificate(t testing.TB) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func (s *server) serve() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return // closed
		}
		s.handle(c)
	}
}

func (s *server) handle(c net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer c.Close()
	c.SetDeadline(time.Now().Add(30 * time.Second))
	r, err := receive(c, s.tls)
	if err != nil {
		s.errs = append(s.errs, err)
		return
	}
	s.got = append(s.got, r)
}

// take returns what was received since the last time.
func (s *server) take(t testing.TB) []received {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, err := range s.errs {
		t.Errorf("the server: %v", err)
	}
	got := s.got
	s.got, s.errs = nil, nil
	return got
}

// script returns what makes curl go to the server, whatever its command says, and
// both programs trust it, with nothing of the user's settings.
func (s *server) script() string {
	return fmt.Sprintf(`curl() {
	command curl -q -sS -k --noproxy '*' --max-time 20 -o /dev/null --connect-to "::%s" "$@"
}
http() {
	command http --quiet --quiet --verify=no --timeout=20 "$@"
}
`, s.listener.Addr())
}

// connectHere is a module that makes programs in Python connect to the server.
const connectHere = `import os, socket
address = "127.0.0.1", int(os.environ["FLOWTOOL_TEST_PORT"])
socket.getaddrinfo = lambda *a, **k: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address)]
`

// run runs commands in a shell and returns the requests they made. If a command
// fails, or makes no request or more than one, the test fails.
func (s *server) run(t testing.TB, shell string, commands []string) []received {
	t.Helper()
	var script strings.Builder
	script.WriteString(s.script())
	for _, c := range commands {
		script.WriteString(c + "\necho $?\n")
	}
	name := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(name, []byte(script.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(shell, name)
	cmd.Dir = t.TempDir()
	for name, text := range map[string]string{
		"sitecustomize.py": connectHere,
		"config.json":      `{"disable_update_warnings": true}`, // else HTTPie asks its makers
	} {
		if err := os.WriteFile(filepath.Join(cmd.Dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, port, _ := net.SplitHostPort(s.listener.Addr().String())
	cmd.Env = append(os.Environ(), "HOME="+cmd.Dir, "PYTHONPATH="+cmd.Dir, "FLOWTOOL_TEST_PORT="+port, "HTTPIE_CONFIG_DIR="+cmd.Dir, "LC_ALL=C.UTF-8", "http_proxy=", "https_proxy=")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", shell, err, &stderr)
	}
	for i, status := range strings.Fields(stdout.String()) {
		if status != "0" {
			t.Errorf("%s: status %s of %s\n%s", shell, status, commands[i], &stderr)
		}
	}
	got := s.take(t)
	if len(got) != len(commands) {
		t.Fatalf("%s: %d requests of %d commands\n%s", shell, len(got), len(commands), &stderr)
	}
	if stderr.Len() > 0 {
		t.Errorf("%s says %s", shell, &stderr)
	}
	return got
}

// receive reads a request and answers it.
func receive(c net.Conn, config *tls.Config) (received, error) {
	br := bufio.NewReaderSize(c, 1<<16)
	start, err := br.Peek(1)
	if err != nil {
		return received{}, fmt.Errorf("first byte: %w", err)
	}
	if start[0] == 0x16 { // a TLS handshake
		secure := tls.Server(&buffered{c, br}, config)
		defer secure.Close()
		c, br = secure, bufio.NewReaderSize(secure, 1<<16)
	}
	if start, err = br.Peek(3); err != nil {
		return received{}, fmt.Errorf("first bytes: %w", err)
	}
	if string(start) == "PRI" {
		return receive2(c, br)
	}
	return receive1(c, br)
}

// buffered is a connection of which something was read already.
type buffered struct {
	net.Conn
	r io.Reader
}

func (b *buffered) Read(p []byte) (int, error) { return b.r.Read(p) }

func receive1(c net.Conn, br *bufio.Reader) (r received, err error) {
	line := func() string {
		s, e := br.ReadString('\n')
		err = errors.Join(err, e)
		return strings.TrimSuffix(s, "\r\n")
	}
	first := line()
	i, j := strings.IndexByte(first, ' '), strings.LastIndexByte(first, ' ')
	if i < 0 || i == j {
		return r, fmt.Errorf("request line %q", first)
	}
	r.method, r.target, r.version = first[:i], first[i+1:j], first[j+1:]
	length, chunked := 0, false
	for err == nil {
		h := line()
		if h == "" {
			break
		}
		if n := len(r.headers); n > 0 && (h[0] == ' ' || h[0] == '\t') {
			r.headers[n-1].Value += "\r\n" + h
			continue
		}
		name, value, _ := strings.Cut(h, ":")
		value = strings.Trim(value, " \t")
		r.headers = append(r.headers, flow.Header{Name: name, Value: value})
		switch strings.ToLower(name) {
		case "content-length":
			length, _ = strconv.Atoi(value)
		case "transfer-encoding":
			chunked = true
		case "expect":
			io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n")
		}
	}
	if chunked {
		for err == nil {
			n, e := strconv.ParseInt(line(), 16, 32)
			err = errors.Join(err, e)
			b := make([]byte, n)
			if _, e := io.ReadFull(br, b); e != nil {
				err = errors.Join(err, e)
			}
			r.body = append(r.body, b...)
			line()
			if n == 0 {
				break
			}
		}
	} else {
		r.body = make([]byte, length)
		if _, e := io.ReadFull(br, r.body); e != nil {
			err = errors.Join(err, e)
		}
	}
	if err != nil {
		return r, fmt.Errorf("%s: %w", first, err)
	}
	io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	r.extra, _ = io.ReadAll(br)
	return r, nil
}

func receive2(c net.Conn, br *bufio.Reader) (r received, err error) {
	r.version = "HTTP/2.0"
	if _, err := io.ReadFull(br, make([]byte, len(http2.ClientPreface))); err != nil {
		return r, err
	}
	fr := http2.NewFramer(c, br)
	fr.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	fr.MaxHeaderListSize = 1 << 20
	if err := fr.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 30}); err != nil {
		return r, err
	}
	if err := fr.WriteWindowUpdate(0, 1<<30); err != nil {
		return r, err
	}
	for {
		f, err := fr.ReadFrame()
		if err != nil {
			return r, err
		}
		ended := false
		switch f := f.(type) {
		case *http2.SettingsFrame:
			if !f.IsAck() {
				err = fr.WriteSettingsAck()
			}
		case *http2.MetaHeadersFrame:
			r.method, r.target = f.PseudoValue("method"), f.PseudoValue("path")
			r.scheme, r.authority = f.PseudoValue("scheme"), f.PseudoValue("authority")
			for _, h := range f.RegularFields() {
				r.headers = append(r.headers, flow.Header{Name: h.Name, Value: h.Value})
			}
			ended = f.StreamEnded()
		case *http2.DataFrame:
			r.body = append(r.body, f.Data()...)
			ended = f.StreamEnded()
		}
		if err != nil {
			return r, err
		}
		if !ended {
			continue
		}
		var block bytes.Buffer
		hpack.NewEncoder(&block).WriteField(hpack.HeaderField{Name: ":status", Value: "200"})
		err = fr.WriteHeaders(http2.HeadersFrameParam{StreamID: f.Header().StreamID, BlockFragment: block.Bytes(), EndHeaders: true, EndStream: true})
		if err != nil {
			return r, err
		}
		io.Copy(io.Discard, br)
		return r, nil
	}
}
