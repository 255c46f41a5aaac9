package flow

// A UDP is an exchange of UDP datagrams, or of QUIC ones.
type UDP struct{ stream }

var udpType = newFlowType("udp", messagesKey)

// NewUDP returns a UDP flow without messages and with a new id, created now.
func NewUDP(client *ClientConn, server *ServerConn) *UDP {
	f := new(UDP)
	f.init(&udpType, f, newState(&udpType, client, server, emptyMessages()))
	f.client, f.server = client, server
	return f
}
