//go:build !(amd64 || arm64) || purego

package tnetstring

func prefetch(*byte) {}
