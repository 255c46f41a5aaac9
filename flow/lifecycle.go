package flow

import (
	"context"

	"github.com/flowtool/flowtool/state"
)

// KilledMessage is the message of the error of a flow that was killed.
const KilledMessage = "Connection killed."

// An Error is what went wrong with a flow, for example that the server could not
// be reached. An HTTP status such as 500 is not an error.
type Error struct {
	Msg       string
	Timestamp Timestamp
}

// NewError returns an error that happened now.
func NewError(msg string) *Error { return &Error{Msg: msg, Timestamp: Now()} }

// Error implements the error interface.
func (e *Error) Error() string { return e.Msg }

var errorFields = table[Error]{
	textField("msg", textRule.def(state.Text("")), func(p *Error) *string { return &p.Msg }),
	timeField("timestamp", floatRule.defFunc(startTime), func(p *Error) *Timestamp { return &p.Timestamp }),
}

// Error implements [Flow].
func (c *common) Error() *Error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.loadError()
}

// loadError returns the error part; c.mu is held.
func (c *common) loadError() *Error {
	if !c.errLoaded {
		c.err, c.errLoaded = loadNew(c, "error", errorFields), true
	}
	return c.err
}

// SetError implements [Flow].
func (c *common) SetError(e *Error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err, c.errLoaded = e, true
}

// Live implements [Flow].
func (c *common) Live() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.live
}

// SetLive implements [Flow].
func (c *common) SetLive(live bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if live {
		c.loadError() // so that Killable and Kill need not look into the state
	}
	c.live = live
}

// Intercepted implements [Flow].
func (c *common) Intercepted() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.intercepted
}

// Intercept implements [Flow].
func (c *common) Intercept() { c.setIntercepted(true) }

// Resume implements [Flow].
func (c *common) Resume() { c.setIntercepted(false) }

func (c *common) setIntercepted(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.intercepted = on
	if !on {
		c.wakeAll()
	}
}

// wakeAll lets all waiters go on; c.mu is held.
func (c *common) wakeAll() {
	if c.wake != nil {
		close(c.wake)
		c.wake = nil
	}
}

// WaitForResume implements [Flow].
func (c *common) WaitForResume(ctx context.Context) error {
	c.mu.Lock()
	if !c.intercepted {
		c.mu.Unlock()
		return nil
	}
	if c.wake == nil {
		c.wake = make(chan struct{})
	}
	wake := c.wake
	c.mu.Unlock()
	select {
	case <-wake:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Killable implements [Flow].
func (c *common) Killable() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.killable()
}

func (c *common) killable() bool {
	return c.live && (c.err == nil || c.err.Msg != KilledMessage)
}

// Kill wakes waiters, which mitmproxy does not do: there they wait for a resume
// that need not come, although the connection they wait for is over.
func (c *common) Kill() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.killable() {
		return ErrNotKillable
	}
	c.err, c.errLoaded = NewError(KilledMessage), true
	c.intercepted, c.live = false, false
	c.wakeAll()
	return nil
}
