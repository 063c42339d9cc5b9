// Package veleroserver does with a plugin what the Velero server does, by the server's own code, and keeps
// what it logged.
package veleroserver

import (
	"fmt"
	"io"
	"os"

	"github.com/sirupsen/logrus"
	"github.com/vmware-tanzu/velero/pkg/plugin/clientmgmt"
	"github.com/vmware-tanzu/velero/pkg/plugin/clientmgmt/process"
	"github.com/vmware-tanzu/velero/pkg/plugin/framework"
	"github.com/vmware-tanzu/velero/pkg/plugin/framework/common"
)

// Server is a server that has discovered the plugins of one directory.
type Server struct {
	Log *Logbook
	// PluginName is the implementation name that its sessions ask for.
	PluginName string
	registry   process.Registry
	level      logrus.Level
}

// PretendServerArguments sets what the server would have been started with: plugins get everything from the
// third argument on, and the first is started as the server's built-in plugin.
func PretendServerArguments() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	os.Args = []string{self, "server", "--log-level=debug", "--features=EnableCSI", "--uploader-type=kopia", "--no-such-flag", "leftover"}
	return nil
}

// Discover starts every executable below dir once and registers what it lists; sessions ask for the one name.
func Discover(dir, pluginName string) (*Server, error) {
	log, book := newLogger(logrus.DebugLevel)
	registry := process.NewRegistry(dir, log, logrus.DebugLevel)
	if err := registry.DiscoverPlugins(); err != nil {
		return nil, fmt.Errorf("discover plugins in %s: %w", dir, err)
	}
	return &Server{Log: book, PluginName: pluginName, registry: registry, level: logrus.DebugLevel}, nil
}

// List returns what is registered for a kind.
func (s *Server) List(kind common.PluginKind) []framework.PluginIdentifier {
	return s.registry.List(kind)
}

// Session begins what the server does for one controller action: a manager of its own, with processes of its own.
func (s *Server) Session() *Session {
	log, book := newLogger(s.level)
	return &Session{Log: book, manager: clientmgmt.NewManager(log, s.level, s.registry), pluginName: s.PluginName}
}

func newLogger(level logrus.Level) (*logrus.Logger, *Logbook) {
	log, book := logrus.New(), &Logbook{}
	log.SetOutput(io.Discard)
	log.SetLevel(level)
	log.AddHook(book)
	return log, book
}
