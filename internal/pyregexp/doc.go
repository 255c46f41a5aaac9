// Package pyregexp matches regular expressions as Python's module re does, in the way mitmproxy
// uses it for filters: to tell whether a pattern matches anywhere in a text, not where.
//
// [Compile] a pattern once, then call [Regexp.Match] for each text.
//
// # Dialect
//
// What is a pattern, and what it matches, is that of CPython 3.11 to 3.13, for patterns on bytes
// and on text. Where these differ the package follows 3.13: group names in patterns on bytes are
// ASCII, and numbers in conditions are digits only. From 3.14 on Python accepts \z, and \B matches
// an empty text; two constants say that here neither is so.
//
// Classes and case follow the Unicode tables of the Go release in use, which can be older or newer
// than those of a Python release. Under flag L, for the rules of a locale, bytes above 7F are no
// letters, as in any locale with UTF-8.
//
// In a text, bytes that are not UTF-8 are one character each, the surrogate U+DC00 plus the byte,
// as Python reads the file names and host names of a system. A pattern can name them so, \udcff
// for the byte FF, and they belong to classes such as \W and [^a].
//
// # Defects of CPython
//
// Three defects of CPython 3.11 and 3.13.0 are not repeated. Some repetitions of groups with a
// possessive quantifier keep what a group had before going back, or fail with a SystemError (issue
// 101955, fixed in November 2024). A condition within the group that it is about can see the end
// that the group had before going back. And letters beyond U+FFFF in upper case are not found under
// flag i by a class, or an alternation of single characters, that has other members as well.
//
// # Engines
//
// There are three ways to run a pattern, and Compile takes the first that gives exact answers:
//
//   - as a search for a literal, when the pattern is a string, or a few of them with | between,
//     under flag i or not, with anchors before and behind or not; some of the characters can be
//     classes, as the dot is in example.com;
//   - in linear time, by Go's package regexp, when the pattern is regular;
//   - by backtracking, which look-around, back-references, conditions, atomic groups, possessive
//     quantifiers, counts above 1000 and $ before the end of a pattern need. This can take time
//     that grows exponentially with the text, so it has a limit; see [TimeoutError].
//
// Patterns that are no literal but cannot match without one are run only on texts that contain it.
//
// Two matchers do the backtracking: package regexp2, which knows the dialect of .NET, and one of our
// own for patterns that mean something else there, and for texts with bytes that are not UTF-8.
//
// # Limits
//
// A pattern has at most 1 MiB, and groups are nested at most 495 deep, where Python also ends.
// Every count that Python accepts is accepted. A match by backtracking ends after the time limit of
// [Options], or when it needs more than about 100 MB for itself.
package pyregexp
