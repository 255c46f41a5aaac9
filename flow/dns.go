package flow

import "github.com/flowtool/flowtool/state"

// A DNS is a DNS query with its answer.
type DNS struct {
	common
	request, response *DNSMessage
	responseLoaded    bool
}

// A DNSMessage is a query or an answer.
type DNSMessage struct {
	ID                  int
	Query               bool // false in answers
	OpCode              int
	AuthoritativeAnswer bool
	Truncation          bool
	RecursionDesired    bool
	RecursionAvailable  bool
	Reserved            int
	ResponseCode        int
	Questions           []DNSQuestion
	Answers             []DNSRecord
	Authorities         []DNSRecord
	Additionals         []DNSRecord
	Timestamp           Timestamp
}

// A DNSQuestion is what is asked for.
type DNSQuestion struct {
	Name  string // without a final dot; "" for the root
	Type  int
	Class int
}

// A DNSRecord is a resource record.
type DNSRecord struct {
	Name  string
	Type  int
	Class int
	TTL   int
	Data  string // the bytes of the record data, with names not compressed
}

var questionFields = table[DNSQuestion]{
	textField("name", textRule, func(p *DNSQuestion) *string { return &p.Name }),
	intField("type", intRule, func(p *DNSQuestion) *int { return &p.Type }),
	intField("class_", intRule, func(p *DNSQuestion) *int { return &p.Class }),
}

var recordFields = table[DNSRecord]{
	textField("name", textRule, func(p *DNSRecord) *string { return &p.Name }),
	intField("type", intRule, func(p *DNSRecord) *int { return &p.Type }),
	intField("class_", intRule, func(p *DNSRecord) *int { return &p.Class }),
	intField("ttl", intRule, func(p *DNSRecord) *int { return &p.TTL }),
	bytesField("data", bytesRule, func(p *DNSRecord) *string { return &p.Data }),
}

var dnsFields = table[DNSMessage]{
	intField("id", intRule, func(p *DNSMessage) *int { return &p.ID }),
	boolField("query", boolRule, func(p *DNSMessage) *bool { return &p.Query }),
	intField("op_code", intRule.def(state.Int(0)), func(p *DNSMessage) *int { return &p.OpCode }),
	flagField("authoritative_answer", func(p *DNSMessage) *bool { return &p.AuthoritativeAnswer }),
	flagField("truncation", func(p *DNSMessage) *bool { return &p.Truncation }),
	flagField("recursion_desired", func(p *DNSMessage) *bool { return &p.RecursionDesired }),
	flagField("recursion_available", func(p *DNSMessage) *bool { return &p.RecursionAvailable }),
	intField("reserved", intRule.def(state.Int(0)), func(p *DNSMessage) *int { return &p.Reserved }),
	intField("response_code", intRule.def(state.Int(0)), func(p *DNSMessage) *int { return &p.ResponseCode }),
	listField("questions", mapOf(questionFields.schema()), questionFields, questionFields.storeMap,
		func(p *DNSMessage) *[]DNSQuestion { return &p.Questions }),
	recordsField("answers", func(p *DNSMessage) *[]DNSRecord { return &p.Answers }),
	recordsField("authorities", func(p *DNSMessage) *[]DNSRecord { return &p.Authorities }),
	recordsField("additionals", func(p *DNSMessage) *[]DNSRecord { return &p.Additionals }),
	timeField("timestamp", floatRule.orNull(), func(p *DNSMessage) *Timestamp { return &p.Timestamp }),
}

func flagField(name string, at func(*DNSMessage) *bool) field[DNSMessage] {
	return boolField(name, boolRule.def(state.Bool(false)), at)
}

func recordsField(name string, at func(*DNSMessage) *[]DNSRecord) field[DNSMessage] {
	return listField(name, mapOf(recordFields.schema()), recordFields, recordFields.storeMap, at)
}

var dnsType = newFlowType("dns",
	schemaField{name: "request", rule: mapOf(dnsFields.schema())},
	schemaField{name: "response", rule: falsyNull(mapOf(dnsFields.schema()))},
)

// NewDNS returns a DNS flow with a new id, created now. What it is given becomes
// part of it; response may be nil.
func NewDNS(client *ClientConn, server *ServerConn, request, response *DNSMessage) *DNS {
	s := newScratch()
	defer s.free()
	f := new(DNS)
	f.init(&dnsType, f, newState(&dnsType, client, server,
		state.E("request", dnsFields.storeMap(request, state.Null(), s)),
		state.E("response", state.Null())))
	f.client, f.server, f.request = client, server, request
	f.SetResponse(response)
	return f
}

// Request returns the query; it is never nil.
func (f *DNS) Request() *DNSMessage {
	if f.request == nil {
		f.request = new(DNSMessage)
		loadPart(&f.common, "request", dnsFields, f.request)
	}
	return f.request
}

// Response returns the answer, nil if there was none.
func (f *DNS) Response() *DNSMessage {
	if !f.responseLoaded {
		f.response, f.responseLoaded = loadNew(&f.common, "response", dnsFields), true
	}
	return f.response
}

// SetResponse replaces the answer; nil removes it.
func (f *DNS) SetResponse(r *DNSMessage) { f.response, f.responseLoaded = r, true }

func (f *DNS) sync(s *scratch) {
	syncPart(f.m, "request", dnsFields, f.request, s)
	if f.responseLoaded {
		syncOptional(f.m, "response", dnsFields, f.response, s)
	}
}

func (f *DNS) reload(s *scratch) {
	if f.request != nil {
		reloadPart(f.m, "request", dnsFields, f.request, s)
	}
	if f.responseLoaded {
		f.response = reloadPart(f.m, "response", dnsFields, f.response, s)
	}
}
