// Command istio-client renders one version of Istio. It is a KRM function: it reads a ResourceList on standard input,
// whose functionConfig is an IstioOperator, and writes a ResourceList of the objects that `istioctl manifest generate`
// of the same version prints.
//
// It reads nothing else. Faults of the document are in the output's results: the command fails only when it can't read
// its input or write its output.
package main

import (
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"istio.io/istio/pkg/log"
)

// gcPercent is how far the heap may grow before a garbage collection, in percent of the live heap, which is some 10 MB
// during a rendering that allocates 150 MB. With Go's default of 100 there would be eighteen collections within a
// second, which take a fifth of it.
const gcPercent = 400

func main() {
	debug.SetGCPercent(gcPercent)

	// Standard output is reserved for the result; Istio logs there by default.
	output := os.Stdout
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
	if err := call(input).write(output); err != nil {
		fail(fmt.Errorf("can't write the ResourceList: %w", err))
	}
}

// call is the KRM function: it renders the functionConfig of a ResourceList, as YAML or JSON, into the output list.
func call(input []byte) resourceList {
	list, err := parse(input)
	if err != nil {
		return list.refuse(refusal("", "%v", err)...)
	}
	return generate(list)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
