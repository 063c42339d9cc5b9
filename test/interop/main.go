// Command velero-client is the part of the Velero server that loads, lists and drives plugins, without the
// rest of the server: Velero's own packages do the work, this program only says which calls to make.
package main

import (
	"fmt"
	"os"

	"github.com/vmware-tanzu/velero/pkg/plugin/framework"

	"flotilla.io/test/interop/internal/bench"
	"flotilla.io/test/interop/internal/checks"
	"flotilla.io/test/interop/internal/discovery"
)

const usage = "usage: velero-client check SPEC.json | bench SPEC.json | discover DIR"

func main() {
	if len(os.Args) < 3 {
		fail(usage)
	}
	switch command, argument := os.Args[1], os.Args[2]; command {
	case "run-plugins":
		// Discovery starts the server's own executable first, for its built-in plugins. This one has none.
		framework.NewServer().Serve()
	case "check":
		exit(checks.Main(argument))
	case "bench":
		exit(bench.Main(argument))
	case "discover":
		exit(discovery.Main(argument))
	default:
		fail(usage)
	}
}

func exit(succeeded bool, err error) {
	if err != nil {
		fail(err.Error())
	}
	if !succeeded {
		os.Exit(1)
	}
}

func fail(text string) {
	fmt.Fprintln(os.Stderr, text)
	os.Exit(2)
}
