// Package discovery prints what the server's own discovery finds in a folder of plugins.
package discovery

import (
	"fmt"
	"sort"

	"github.com/vmware-tanzu/velero/pkg/plugin/framework/common"

	"flotilla.io/test/interop/internal/veleroserver"
)

// Main starts every executable below dir as the server does at its start, and prints a line for each plugin that they
// register: kind, name, command. Fails as the server would, which then does not start.
func Main(dir string) (bool, error) {
	if err := veleroserver.PretendServerArguments(); err != nil {
		return false, err
	}
	server, err := veleroserver.Discover(dir, "")
	if err != nil {
		return false, err
	}
	var lines []string
	for kind := range common.AllPluginKinds() {
		for _, id := range server.List(common.PluginKind(kind)) {
			lines = append(lines, fmt.Sprintf("%s %s %s", kind, id.Name, id.Command))
		}
	}
	sort.Strings(lines)
	for _, line := range lines {
		fmt.Println(line)
	}
	return true, nil
}
