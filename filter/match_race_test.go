//go:build race

package filter_test

// raceEnabled: the race detector makes sync.Pool forget things.
const raceEnabled = true
