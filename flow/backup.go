package flow

import (
	"github.com/google/uuid"

	"github.com/flowtool/flowtool/state"
)

// Backup implements [Flow].
func (c *common) Backup() {
	if c.BackupState() == nil {
		b := c.GetState()
		b.Set("backup", state.Null())
		c.backup = b
	}
}

// BackupState implements [Flow].
func (c *common) BackupState() *state.Map {
	switch {
	case c.backup != nil:
		return c.backup
	case c.upgraded != nil:
		return c.upgraded
	}
	if v := c.peek("backup"); v.Kind() != state.KindMap {
		return nil
	}
	m, _ := c.m.Map("backup")
	return m
}

// UpgradeBackup implements [Flow].
func (c *common) UpgradeBackup(upgraded *state.Map) { c.upgraded = upgraded }

// Modified implements [Flow].
func (c *common) Modified() bool {
	b := c.BackupState()
	if b == nil {
		return false
	}
	s := newScratch()
	defer s.free()
	c.syncCommon(s)
	c.self.sync(s)
	return c.differs(b)
}

// differs compares b with the state, which must be synced, leaving the backups
// themselves aside. A missing backup key is as good as null.
func (c *common) differs(b *state.Map) bool {
	return !equalBut(b, c.m, "backup")
}

// equalBut compares two maps without one key.
func equalBut(a, b *state.Map, but string) bool {
	n := a.Len()
	if a.Has(but) {
		n--
	}
	if b.Has(but) {
		n++
	}
	if n != b.Len() {
		return false
	}
	for k, v := range a.All() {
		if k.IsKey(but) {
			continue
		}
		w, ok := b.GetKey(k)
		if !ok || !state.Equal(v, w) {
			return false
		}
	}
	return true
}

// Revert implements [Flow].
func (c *common) Revert() error {
	b := c.BackupState()
	if b == nil {
		return nil
	}
	b = b.Clone()
	b.Set("backup", state.Null())
	return c.SetState(b)
}

// Copy implements [Flow].
func (c *common) Copy() Flow {
	m := c.State().Clone()
	id := state.Text(uuid.NewString())
	m.Set("id", id)
	var backup *state.Map
	if c.backup != nil {
		backup = c.backup.Clone()
		m.Set("backup", state.Null())
	} else {
		backup, _ = m.Map("backup")
	}
	if backup != nil {
		backup.Set("id", id)
	}
	f := c.typ.view(m)
	if c.backup != nil {
		f.sealed().backup = backup
	}
	if c.upgraded != nil {
		f.sealed().upgraded = c.upgraded.Clone()
		f.sealed().upgraded.Set("id", id)
	}
	return f
}
