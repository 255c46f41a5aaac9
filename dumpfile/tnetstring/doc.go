// Package tnetstring reads and writes the value encoding of mitmproxy's dumps:
// tagged netstrings with an extra tag for text.
//
//	element = length ":" payload tag
//
// The length counts the bytes of the payload in decimal. The tag tells the
// kind: "," bytes, ";" text (UTF-8), "#" integer, "^" float, "!" boolean, "~"
// null, "]" list (elements one after the other) and "}" map (keys and values
// in turn).
//
// Most programs want package dumpfile, which finds records in a file. This
// package knows single elements: [Codec] decodes them lazily for package
// state, [Append] encodes.
//
// # Order
//
// mitmproxy writes the entries of a map in reverse. A decoded map is in the
// logical order, the reverse of the order on disk, and is reversed again when
// it is encoded.
//
// # Profiles
//
// mitmproxy's reader is lenient, the more so inside lists and maps, where a
// length is anything that Python takes for an integer. The zero [Codec] accepts
// what it accepts, with two exceptions: negative lengths, with which an
// element could contain itself, and nesting beyond [DefaultMaxDepth]. A strict
// Codec accepts what a careful writer produces.
package tnetstring
