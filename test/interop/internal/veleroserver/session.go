package veleroserver

import (
	"errors"
	"fmt"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/vmware-tanzu/velero/pkg/plugin/clientmgmt"
	"github.com/vmware-tanzu/velero/pkg/plugin/velero"
	vsv1 "github.com/vmware-tanzu/velero/pkg/plugin/velero/volumesnapshotter/v1"
)

// Session is one manager and the plugin processes that it started.
type Session struct {
	Log     *Logbook
	manager clientmgmt.Manager
	// pluginName is the implementation name under which the server finds the plugin.
	pluginName string
	closed     bool
}

// ObjectStore gets the plugin's object store and initializes it.
func (s *Session) ObjectStore(config map[string]string) (velero.ObjectStore, error) {
	store, err := s.manager.GetObjectStore(s.pluginName)
	if err != nil {
		return nil, err
	}
	return store, store.Init(config)
}

// VolumeSnapshotter gets the plugin's volume snapshotter and initializes it.
func (s *Session) VolumeSnapshotter(config map[string]string) (vsv1.VolumeSnapshotter, error) {
	snapshotter, err := s.manager.GetVolumeSnapshotter(s.pluginName)
	if err != nil {
		return nil, err
	}
	return snapshotter, snapshotter.Init(config)
}

// ProcessIDs returns the plugin processes of this session in the order of their start.
func (s *Session) ProcessIDs() []int {
	var ids []int
	for _, entry := range s.Log.Find("plugin started") {
		if id, isInt := entry.Fields["pid"].(int); isInt {
			ids = append(ids, id)
		}
	}
	return ids
}

// ProcessID returns the newest plugin process.
func (s *Session) ProcessID() (int, error) {
	ids := s.ProcessIDs()
	if len(ids) == 0 {
		return 0, errors.New("no plugin process was started")
	}
	return ids[len(ids)-1], nil
}

// Stop ends the processes as the server does at the end of a controller action.
func (s *Session) Stop() {
	if !s.closed {
		s.closed = true
		s.manager.CleanupClients()
	}
}

// SlowExit is what StopCleanly says of a process that ended late. On a loaded machine one may do so by chance: only what
// is slow each time is slow by itself.
type SlowExit struct{ text string }

func (e SlowExit) Error() string { return e.text }

// StopCleanly ends the processes and reports any that had to be killed, took long, or exited with an error.
func (s *Session) StopCleanly() error {
	started := time.Now()
	s.Stop()
	took := time.Since(started)

	if s.Log.ToldOfForce() {
		return SlowExit{fmt.Sprintf("the server had to kill the process after %v", took)}
	}
	exits := s.Log.Find("plugin process exited")
	if len(exits) != len(s.ProcessIDs()) {
		return fmt.Errorf("%d processes started, %d exits logged", len(s.ProcessIDs()), len(exits))
	}
	for _, exit := range exits {
		if exit.Level != logrus.InfoLevel {
			return fmt.Errorf("unclean exit: %s", exit)
		}
	}
	if took > time.Second {
		return SlowExit{fmt.Sprintf("the process took %v to exit", took)}
	}
	return nil
}
