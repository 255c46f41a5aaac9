package pyregexp

// What depends on the release of Python. The package follows 3.11 to 3.13.
const (
	// acceptSmallZ says whether \z is a name of \Z, as it is from Python 3.14 on. Before, it is an
	// error.
	acceptSmallZ = false
	// emptyInside says whether \B matches the empty text, as it does from Python 3.14 on.
	emptyInside = false
)
