// Package migrate turns states of old flow formats into states of the newest
// one, and states of every format into those of another, for older releases.
//
// mitmproxy numbers the layout of its flows. Releases up to 3.0 wrote the
// number of the release as a list, of which the first two elements count; later
// ones write an integer. A [Version] is either. [VersionOf] finds the version
// of a state, and [Stream.Up] brings it to [Newest]:
//
//	s := migrate.NewStream(nil)
//	for … {
//		m, err = s.Up(m)
//	}
//
// A state that is of the newest version already is returned as it is. The others
// go through a chain of steps, one per version, and come out with exactly the
// keys of the newest format, in the order mitmproxy writes them. Keys that the
// format does not know are dropped, as mitmproxy refuses them.
//
// # Older versions
//
// [Stream.To] goes to any version, up or down, by the steps in between. mitmproxy
// itself has no way down. Flows that older releases do not have, such as DNS
// before 8.1, disappear; of the others they get what they can hold. Whatever is
// lost is returned as a [Loss], so that the caller can decide whether to accept
// it:
//
//	flows, losses, err := s.To(m, migrate.Number(17)) // for mitmproxy 8.1
//	if err == nil && len(losses) > 0 {
//		err = &migrate.LossError{To: migrate.Number(17), Losses: losses}
//	}
//
// What is not listed comes back when the result is migrated up again, with these
// exceptions: that connections were open, which formats 10 to 19 store and
// nothing uses; numbers that are equal but of another kind, as 1 and 1.0; and for
// WebSocket flows below version 12 what is said of them below. A time or an id that
// readers of the older version compute by themselves is listed only if they get
// another one.
//
// A release reads its own version and older ones. It may refuse a flow even so: see
// the next section, and [Version.ReadBy] for which release reads what. Below version
// 4 a backup stays at version 4.
//
// # Old files that mitmproxy cannot read
//
// mitmproxy reads old dumps too, but fails on many that its own releases
// wrote: flows without response of 0.11 to 0.15, TCP flows of 1.0 to 6.0,
// everything of 2.0, recordings of 6.0, hosts that IDNA 2003 refuses. This
// package reads them, and format 0.10 as well. Where mitmproxy succeeds the
// result is the same, except that
//
//   - backups, which mitmproxy leaves in the old format, are migrated too; a
//     backup that cannot be is replaced by null,
//   - text in WebSocket messages becomes bytes, which is what it has to be,
//   - a merged WebSocket flow keeps the error and the end of the WebSocket
//     flow,
//   - UDP and DNS flows are not said to run over TCP,
//   - proxy mode osproxy becomes local, its later name,
//   - generated ids are not random, see below.
//
// Values that only some reader refuses, such as a TLS version it does not know or
// a certificate that does not parse, stay. A backup of an old version inside a
// state of the newest one, as mitmproxy leaves them behind, stays as well; it
// can be migrated by itself in a Stream of its own.
//
// # Generated ids
//
// Connections had no ids before version 5, flows none before 0.11. mitmproxy
// draws random ones, the same for flows over the same connection, and for that
// remembers all connections it has seen. Here an id is a hash of what identifies
// the connection, dressed up as a random UUID. Nothing has to be remembered,
// and reading a file twice gives the same flows, which diffs and repeated
// conversions depend on.
//
// # WebSocket flows
//
// Before version 12 a WebSocket connection was stored as two flows: an HTTP flow
// with the handshake, then one of type websocket with the messages. They become
// one HTTP flow, so a handshake has to be remembered until its counterpart
// comes. That is why records before version 12 must be migrated in file order,
// by one Stream; [Stateless] tells which need not.
//
// On the way down such a flow is taken apart again: handshake first, messages next.
// Reading both gives the flow back, and the bare handshake besides, as it does for
// the files of those releases, and both have metadata that name the other. Version
// 2.0 keeps a copy of the handshake in the WebSocket flow.
//
// # Versions
//
// Versions that no release wrote exist in files of development snapshots.
//
//	0.11  new layout, with id and type
//	0.14  http_version as text, status_code, via of the server connection
//	0.16  content and reason of the response renamed
//	0.17  peer_address
//	0.18  text beside bytes, marked, TCP flows
//	1.0   metadata, mode, more TLS fields
//	2.0   WebSocket flows
//	3.0   addresses are plain lists
//	5     ids of connections
//	6     ssl renamed to tls
//	7     tls_extensions
//	8     trailers
//	9     authority, is_replay of the flow
//	10    certificate lists, offers, connection errors
//	11    alpn, sni is text
//	12    WebSocket flows merged into HTTP flows
//	13    marked is text
//	14    comment
//	15    injected WebSocket messages
//	16    timestamp_created
//	17    DNS flows
//	18    proxy_mode, UDP flows
//	19    peername, sockname, cipher, transport_protocol
//	20    no state of connections
//	21    QUICv1
package migrate
