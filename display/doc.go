// Package display renders flows as text for people: a line per flow, or as
// much as is in it.
//
// The levels of detail are those of mitmdump's flow_detail. The layout is our
// own: a line begins with the columns that line up (number, time, method,
// status, size, duration) and ends with what varies (URL, notes). Everything
// that was captured is escaped, so that no control character reaches the
// output.
package display
