// Package jsonscan finds the tokens of JSON in a byte slice and checks them. What
// they make together, and what they mean, is left to the caller: package jsonl
// makes records of dumps of them, package har trees.
//
// Functions take the whole text and the position in it, and return the position
// behind what they found, so that an error knows where it is. Nothing is copied
// and nothing is decoded before somebody asks.
package jsonscan
