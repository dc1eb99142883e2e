// Command istioctl contains the commands of Istio's istioctl that the tests compare with: `manifest generate`,
// `validate` and `analyze`. They are istioctl's own command packages, without its other commands, which take longer to
// build.
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
		// istioctl logs to standard output, where a warning would mix with the manifests.
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
