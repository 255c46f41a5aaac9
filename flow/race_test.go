//go:build race

package flow_test

// raceEnabled: the race detector makes sync.Pool forget things.
const raceEnabled = true
