//go:build !wasip1

package main

import "os"

// give makes this document what Istio reads from standard input.
func give(document []byte) {
	reader, writer, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	os.Stdin = reader
	go func() {
		defer writer.Close()
		// An error here is a reader that went away.
		_, _ = writer.Write(document)
	}()
}
