// Command istioctl is the commands of Istio's istioctl that the tests compare with: `manifest generate`, `validate` and `analyze`. They are the
// command packages that istioctl itself is made of, without the rest of it, which takes longer to build.
package main

import (
	"os"

	"github.com/spf13/cobra"

	"istio.io/istio/istioctl/pkg/analyze"
	"istio.io/istio/istioctl/pkg/cli"
	istioctl "istio.io/istio/istioctl/pkg/root"
	"istio.io/istio/istioctl/pkg/validate"
	"istio.io/istio/operator/cmd/mesh"
	"istio.io/istio/pkg/log"
)

func main() {
	root := &cobra.Command{Use: "istioctl", SilenceUsage: true, PersistentPreRunE: func(*cobra.Command, []string) error {
		// istioctl logs to standard output, where a warning would stand among the manifests.
		options := istioctl.LoggingOptions
		options.OutputPaths = []string{"stderr"}
		return log.Configure(options)
	}}
	flags := cli.AddRootFlags(root.PersistentFlags())
	context := cli.NewCLIContext(flags)
	root.AddCommand(mesh.ManifestCmd(context), validate.NewValidateCommand(context), analyze.Analyze(context))
	if err := root.Execute(); err != nil {
		os.Exit(1)
	}
}
