//go:build !linux

package main

func peakMain() {}
