//go:build !race

package pyregexp

const raceEnabled = false
