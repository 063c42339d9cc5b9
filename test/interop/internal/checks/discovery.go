package checks

import (
	"path/filepath"
	"sort"
	"strings"

	"github.com/vmware-tanzu/velero/pkg/plugin/framework/common"

	"flotilla.io/test/interop/internal/veleroserver"
)

func discoveryChecks() []check {
	return []check{
		{title: "an ObjectStore and a VolumeSnapshotter are registered under the provider's name, and nothing else", run: registersBothKinds},
		{title: "the command that is listed is the path that was started", run: listsItsOwnPath},
		{title: "listing and stopping leave no line that counts as a warning or error", run: discoversQuietly},
	}
}

func registersBothKinds(t *T) {
	var registered []string
	for kind := range common.AllPluginKinds() {
		for _, id := range t.plugin.List(common.PluginKind(kind)) {
			registered = append(registered, kind+" "+id.Name)
		}
	}
	sort.Strings(registered)
	name := t.plugin.PluginName
	want := "ObjectStore " + name + ", VolumeSnapshotter " + name
	if got := strings.Join(registered, ", "); got != want {
		t.Fatalf("registered: %s", got)
	}
}

func listsItsOwnPath(t *T) {
	want := filepath.Join(t.settings.Dir, t.settings.Executable)
	for _, kind := range []common.PluginKind{common.PluginKindObjectStore, common.PluginKindVolumeSnapshotter} {
		for _, id := range t.plugin.List(kind) {
			if id.Command != want {
				t.Fatalf("%s %s is run by %q, started was %q", kind, id.Name, id.Command, want)
			}
		}
	}
}

// isTheServersOwn tells the lines that no plugin can prevent.
func isTheServersOwn(message string) bool {
	// Of every file without an execute bit: the libraries beside an executable.
	if strings.HasPrefix(message, "Searching plugin skip file") {
		return true
	}
	// Of the go-plugin in Velero before 1.18, which at times closes a pipe that it still reads.
	return strings.HasPrefix(message, "error encountered while scanning std")
}

func discoversQuietly(t *T) {
	for _, entry := range t.plugin.Log.Counted() {
		if !isTheServersOwn(entry.Message) {
			t.Fatalf("%s", entry)
		}
	}
	if exits := t.plugin.Log.Find("plugin process exited"); len(exits) == 0 {
		t.Fatalf("no exit was logged")
	}
	if garbled := t.plugin.Log.Garbled(); len(garbled) > 0 {
		t.Fatalf("a line that the server cannot read: %s", garbled[0])
	}
	session := veleroserver.Session{Log: t.plugin.Log}
	if started := session.ProcessIDs(); len(started) < 2 {
		t.Fatalf("%d processes started, want the server's own and the plugin", len(started))
	}
}
