package migrate

import "github.com/flowtool/flowtool/state"

// up10 makes sni text and the lists of offers never null, in all connections.
//
// Before:
//
//	sni bytes, text or null; alpn_proto_negotiated; alpn_offers and cipher_list,
//	null in recordings
//
// After:
//
//	sni text or null; alpn; alpn_offers and cipher_list
func up10(_ *upgrade, m *state.Map) error {
	return connections(m, func(c *state.Map, _ bool) error {
		sni, ok := c.Get("sni")
		if !ok {
			return state.At(state.ErrMissing, "sni")
		}
		switch sni.Kind() {
		case state.KindNull, state.KindText:
		case state.KindBytes:
			b, err := sni.Bytes()
			if err != nil {
				return state.At(err, "sni")
			}
			c.Set("sni", state.Text(escapedASCII(b)))
		default:
			return state.At(typeError("bytes, text or null", sni), "sni")
		}
		if err := rename(c, "alpn_proto_negotiated", "alpn"); err != nil {
			return err
		}
		for _, key := range []string{"alpn_offers", "cipher_list"} {
			some, err := truthyAt(c, key)
			if err != nil {
				return err
			}
			if !some {
				c.Set(key, state.NewList().Value())
			}
		}
		return nil
	})
}
