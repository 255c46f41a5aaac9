//go:build race

package pyregexp

const raceEnabled = true
