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
		if !c.Has("sni") {
			return state.At(state.ErrMissing, "sni")
		}
		if err := textSNI(c, false); err != nil {
			return err
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

// textSNI makes text of sni where it is bytes.
func textSNI(c *state.Map, _ bool) error {
	sni, _ := c.Get("sni")
	switch sni.Kind() {
	case state.KindNull, state.KindText:
		return nil
	case state.KindBytes:
		b, err := sni.Bytes()
		c.Set("sni", state.Text(escapedASCII(b)))
		return state.At(err, "sni")
	}
	return state.At(typeError("bytes, text or null", sni), "sni")
}

// down10 renames alpn back. An sni that is true, as up to version 18, becomes what
// it stands for. Release 6.0 cannot load an upstream proxy in via2.
func down10(d *downgrade, m *state.Map) error {
	return d.connections(m, func(c *state.Map, at place) error {
		if err := rename(c, "alpn", "alpn_proto_negotiated"); err != nil || at.client() {
			return err
		}
		if err := sniOfAddress(c); err != nil {
			return err
		}
		d.remove(c, "via2", state.Null(), "upstream proxy", at.key("via")...)
		setNull(c, "via2")
		return nil
	})
}
