package checks

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/vmware-tanzu/velero/pkg/plugin/velero"
	vsv1 "github.com/vmware-tanzu/velero/pkg/plugin/velero/volumesnapshotter/v1"

	"flotilla.io/test/interop/internal/cloud"
	"flotilla.io/test/interop/internal/veleroserver"
)

// T is what one run of one check has at hand. It ends the check by a panic that the runner catches, as
// testing.T ends a test.
type T struct {
	plugin   *veleroserver.Server
	other    *veleroserver.Server
	settings Plugin
	// objects is the object store's server, whichever cloud it is of.
	objects objectServer
	bucket  string
	// s3 to gce are the targets of the checks that are about one cloud alone.
	s3       S3Target
	ec2      EC2Target
	blob     blobServer
	arm      ARMTarget
	gcs      gcsServer
	gce      GCETarget
	restic   ResticTarget
	dir      string
	prefix   string
	sessions []*veleroserver.Session
	// unclean are the sessions whose processes this check ends by force.
	unclean map[*veleroserver.Session]bool
	// countedAllowed lets lines at warn or error pass: data was at risk in this check.
	countedAllowed bool
	cleanups       []func()
}

type failure struct{ err error }

// Fatalf ends the check as failed.
func (t *T) Fatalf(format string, arguments ...any) {
	panic(failure{fmt.Errorf(format, arguments...)})
}

// NoError ends the check when err is set.
func (t *T) NoError(err error, doing string) {
	if err != nil {
		t.Fatalf("%s: %w", doing, err)
	}
}

// Fails ends the check when err is not set, and returns its text.
func (t *T) Fails(err error, doing string) string {
	if err == nil {
		t.Fatalf("%s succeeded", doing)
	}
	return err.Error()
}

// Key makes a key below the check's own prefix.
func (t *T) Key(name string) string { return t.prefix + name }

// Cleanup runs a function when the check has ended.
func (t *T) Cleanup(f func()) { t.cleanups = append(t.cleanups, f) }

// around reaches the target's objects around the plugin.
func (t *T) around() cloud.Objects { return t.objects.around() }

// cloudS3 is the same with what S3 alone has.
func (t *T) cloudS3() cloud.S3 {
	return cloud.S3{Endpoint: t.s3.Endpoint, Region: t.s3.Region, Keys: t.s3.Keys}
}

func (t *T) cloudEC2() cloud.EC2 { return cloud.EC2{Endpoint: t.ec2.Endpoint, Keys: t.ec2.Keys} }

// objectConfig is what the server hands to Init for a location at the target, with changes. An empty value
// removes a key where the server would not send it.
func (t *T) objectConfig(changes map[string]string) map[string]string {
	config := map[string]string{
		"bucket": t.bucket, "prefix": "", "credentialsFile": t.credentialsFile(t.objects.credentials()),
	}
	for key, value := range t.objects.location() {
		config[key] = value
	}
	for key, value := range changes {
		config[key] = value
	}
	return config
}

func (t *T) volumeConfig(region string, changes map[string]string) map[string]string {
	config := map[string]string{"region": region, "credentialsFile": t.credentialsFile(credentialsText(t.ec2.Keys))}
	for key, value := range changes {
		config[key] = value
	}
	return config
}

var credentialFiles atomic.Int64

// credentialsFile writes a secret as the server does for spec.credential.
func (t *T) credentialsFile(text string) string {
	path := filepath.Join(t.dir, fmt.Sprintf("credentials-%d", credentialFiles.Add(1)))
	t.NoError(os.WriteFile(path, []byte(text), 0o600), "write the credentials file")
	return path
}

// Session begins a controller action of the server; its processes end, cleanly, with the check.
func (t *T) Session() *veleroserver.Session { return t.sessionOf(t.plugin) }

func (t *T) sessionOf(server *veleroserver.Server) *veleroserver.Session {
	session := server.Session()
	t.sessions = append(t.sessions, session)
	return session
}

// Store opens an object store at the target in a session of its own.
func (t *T) Store(changes map[string]string) (velero.ObjectStore, *veleroserver.Session) {
	session := t.Session()
	return t.StoreIn(session, changes), session
}

// StoreIn opens an object store at the target in a session.
func (t *T) StoreIn(session *veleroserver.Session, changes map[string]string) velero.ObjectStore {
	store, err := session.ObjectStore(t.objectConfig(changes))
	t.NoError(err, "init")
	return store
}

// Snapshotter opens a volume snapshotter for a region in a session of its own.
func (t *T) Snapshotter(region string) (vsv1.VolumeSnapshotter, *veleroserver.Session) {
	session := t.Session()
	return t.SnapshotterIn(session, region), session
}

// SnapshotterIn opens a volume snapshotter for a region in a session.
func (t *T) SnapshotterIn(session *veleroserver.Session, region string) vsv1.VolumeSnapshotter {
	snapshotter, err := session.VolumeSnapshotter(t.volumeConfig(region, nil))
	t.NoError(err, "init")
	return snapshotter
}

// AnySnapshotter opens the volume snapshotter of whichever cloud the target is of, in a session of its own.
func (t *T) AnySnapshotter() (vsv1.VolumeSnapshotter, *veleroserver.Session) {
	session := t.Session()
	switch {
	case t.arm.Endpoint != "":
		return t.azureSnapshotterIn(session, nil), session
	case t.gce.Endpoint != "":
		return t.gcpSnapshotterIn(session, nil), session
	default:
		return t.SnapshotterIn(session, t.ec2.Regions[0]), session
	}
}

// EndsByForce tells that the check kills this session's process itself.
func (t *T) EndsByForce(session *veleroserver.Session) {
	if t.unclean == nil {
		t.unclean = map[*veleroserver.Session]bool{}
	}
	t.unclean[session] = true
}

// logs waits until so many lines of a session are meant, and ends the check when they do not come: a plugin's lines come
// by another pipe than its answers, and may come behind them.
func (t *T) logs(session *veleroserver.Session, atLeast int, says string, isMeant func(entry veleroserver.Entry) bool) {
	t.NoError(eventually(patience, func() error {
		found := 0
		for _, entry := range session.Log.Entries() {
			if isMeant(entry) {
				found++
			}
		}
		if found < atLeast {
			return fmt.Errorf("%d lines of the log %s, want %d", found, says, atLeast)
		}
		return nil
	}), "look at the log")
}

// wordsOfAbsence are what the server looks for in the lower-cased text when it must tell a missing tarball
// from a failure (isTarballNotFoundError in its backup deletion controller, v1.18.3).
var wordsOfAbsence = []string{"not found", "does not exist", "nosuchkey", "blobnotfound", "objectnotexist"}

func wordOfAbsence(text string) string {
	for _, word := range wordsOfAbsence {
		if strings.Contains(strings.ToLower(text), word) {
			return word
		}
	}
	return ""
}

// judgeSessions holds what every check promises beside its own title.
func (t *T) judgeSessions() error {
	for _, session := range t.sessions {
		stopped := session.StopCleanly()
		if t.unclean[session] {
			continue
		}
		if stopped != nil {
			return stopped
		}
		if counted := session.Log.Counted(); len(counted) > 0 && !t.countedAllowed {
			return fmt.Errorf("%d lines that a backup counts, first %s", len(counted), counted[0])
		}
		if garbled := session.Log.Garbled(); len(garbled) > 0 {
			return fmt.Errorf("%d log lines that the server cannot read, first %s", len(garbled), garbled[0])
		}
		for _, entry := range session.Log.Entries() {
			if err := flatStrings(entry); err != nil {
				return err
			}
		}
	}
	return nil
}

// flatStrings guards what the server asserts without checking: during a backup a line whose namespace,
// resource or name is no string panics it.
func flatStrings(entry veleroserver.Entry) error {
	if !entry.FromPlugin() {
		return nil
	}
	for key, value := range entry.Fields {
		if _, isString := value.(string); !isString {
			return fmt.Errorf("log line %q has a field %s that is no string: %v", entry.Message, key, value)
		}
	}
	return nil
}
