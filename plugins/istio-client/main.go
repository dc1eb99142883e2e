// Command istio-client renders one version of Istio: a KRM function that reads a ResourceList on standard input, whose functionConfig is an
// IstioOperator, and answers with a ResourceList of the objects that `istioctl manifest generate` of the same version prints.
//
// It reads nothing else, and says what is wrong with the document in the answer's results: it fails only when the answer can't be written.
package main

import (
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"istio.io/istio/pkg/log"
)

// garbage is how much of it may lie about before Go collects, in percent of what is alive. That is some 10 MB at any time of a rendering, through which
// 150 MB pass: by Go's own measure, which is 100, it would collect eighteen times within a second, and spend a fifth of it so.
const garbage = 400

func main() {
	debug.SetGCPercent(garbage)

	// Standard output is reserved for the result; Istio logs there by default.
	answer := os.Stdout
	os.Stdout = os.Stderr
	logging := log.DefaultOptions()
	logging.OutputPaths = []string{"stderr"}
	if err := log.Configure(logging); err != nil {
		fail(fmt.Errorf("can't log to standard error: %w", err))
	}

	input, err := io.ReadAll(os.Stdin)
	if err != nil {
		fail(fmt.Errorf("can't read the ResourceList: %w", err))
	}
	if err := call(input).write(answer); err != nil {
		fail(fmt.Errorf("can't write the ResourceList: %w", err))
	}
}

// call is the KRM function: from a ResourceList's text to the one that answers it.
func call(input []byte) resourceList {
	asked, err := parse(input)
	if err != nil {
		return asked.refuse(refusal("", "%v", err)...)
	}
	return generate(asked)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
