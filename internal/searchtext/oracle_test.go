package searchtext

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/flowtool/flowtool/internal/flowtest"
)

// A question is a line for search_texts.py: a kind and its arguments.
type question []any

// b64 is how bytes and texts stand in questions and answers.
func b64[T []byte | string](b T) string { return base64.StdEncoding.EncodeToString([]byte(b)) }

func unb64(t testing.TB, s string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// ask returns mitmproxy's answers.
func ask(t testing.TB, python string, questions []question) []json.RawMessage {
	t.Helper()
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	for _, q := range questions {
		if err := enc.Encode(q); err != nil {
			t.Fatal(err)
		}
	}
	name := filepath.Join(t.TempDir(), "questions.jsonl")
	if err := os.WriteFile(name, buf.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	type line struct{ Answers []json.RawMessage }
	answers := flowtest.RunOracle[line](t, python, "search_texts.py", []string{name})[0].Answers
	if len(answers) != len(questions) {
		t.Fatalf("%d answers for %d questions", len(answers), len(questions))
	}
	return answers
}

// failed returns the class of the exception that an answer names, or nothing.
func failed(answer json.RawMessage) string {
	var e struct{ Error string }
	if json.Unmarshal(answer, &e) != nil {
		return ""
	}
	return e.Error
}

// texts decodes an answer of texts.
func texts(t testing.TB, answer json.RawMessage) []string {
	t.Helper()
	var list []any
	if err := json.Unmarshal(answer, &list); err != nil {
		var s string
		if json.Unmarshal(answer, &s) != nil {
			t.Fatalf("%s: %v", answer, err)
		}
		list = []any{s}
	}
	var out []string
	for _, e := range list {
		switch e := e.(type) {
		case string:
			out = append(out, string(unb64(t, e)))
		case float64:
			out = append(out, strconv.FormatFloat(e, 'f', -1, 64))
		}
	}
	return out
}
