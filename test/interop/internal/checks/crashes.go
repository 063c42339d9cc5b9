package checks

import (
	"fmt"
	"io"
	"slices"
	"syscall"
	"time"

	"github.com/vmware-tanzu/velero/pkg/plugin/velero"

	"flotilla.io/test/interop/internal/body"
	"flotilla.io/test/interop/internal/veleroserver"
)

func crashChecks() []check {
	return []check{
		{title: "after kill -9 the next call finds a new process, initialized again", run: restartsAfterKill},
		{title: "kill -9 in the middle of a large put leaves nothing visible, and the next put succeeds", run: killDuringPut},
		{title: "an abandoned get does not hinder other calls", run: abandonsGets},
		{title: "a get read slowly arrives whole", run: readsSlowly},
		{title: "the process ends at once though gets were abandoned", run: endsDespiteAbandonedGets},
		{title: "sessions at the same time have processes of their own", run: runsTwoSessions},
	}
}

func kill(t *T, session *veleroserver.Session) {
	t.EndsByForce(session)
	id, err := session.ProcessID()
	t.NoError(err, "find the process")
	t.NoError(syscall.Kill(id, syscall.SIGKILL), "kill the process")
}

func restartsAfterKill(t *T) {
	store, session := t.Store(nil)
	want := body.Body{Seed: 61, Size: 6 * mib}
	t.NoError(store.PutObject(t.bucket, t.Key("object"), want.Reader()), "put")

	kill(t, session)

	// A call made before the server has noticed the exit fails; the server itself does not repeat it.
	t.NoError(eventually(patience, func() error { return readBack(store, t.bucket, t.Key("object"), want) }), "get")
	if started := len(session.ProcessIDs()); started != 2 {
		t.Fatalf("%d processes were started", started)
	}
	t.NoError(store.PutObject(t.bucket, t.Key("other"), want.Reader()), "put")
}

// pausedReader gives its content, calls reached once, and gives no more until released.
type pausedReader struct {
	content io.Reader
	reached func()
	release <-chan struct{}
	paused  bool
}

func (r *pausedReader) Read(into []byte) (int, error) {
	n, err := r.content.Read(into)
	if err != io.EOF || r.paused {
		return n, err
	}
	r.paused = true
	r.reached()
	<-r.release
	return 0, io.EOF
}

func killDuringPut(t *T) {
	store, session := t.Store(nil)
	release := make(chan struct{})
	reader := &pausedReader{
		content: body.Body{Seed: 62, Size: 24 * mib}.Reader(), release: release,
		reached: func() {
			// Time for the parts that were sent to arrive at the service.
			time.Sleep(300 * time.Millisecond)
			kill(t, session)
			close(release)
		},
	}

	t.Fails(store.PutObject(t.bucket, t.Key("object"), reader), "put")

	staysAbsent(t, t.Key("object"))
	want := body.Body{Seed: 63, Size: 6 * mib}
	t.NoError(eventually(patience, func() error {
		return store.PutObject(t.bucket, t.Key("object"), want.Reader())
	}), "the next put")
	t.NoError(readBack(store, t.bucket, t.Key("object"), want), "get")
}

func (t *T) abandon(store velero.ObjectStore, count int) {
	t.NoError(t.around().Put(t.bucket, t.Key("large"), body.Body{Seed: 64, Size: 32 * mib}.Bytes()), "put around the plugin")
	for range count {
		reader, err := store.GetObject(t.bucket, t.Key("large"))
		t.NoError(err, "get")
		_, err = io.ReadFull(reader, make([]byte, 1000))
		t.NoError(err, "read the first bytes")
		// As the server does it: the stream is half-closed, never cancelled.
		t.NoError(reader.Close(), "close")
	}
}

func abandonsGets(t *T) {
	store, _ := t.Store(nil)
	t.abandon(store, 6)
	want := body.Body{Seed: 65, Size: 10 * mib}
	t.NoError(within(patience, func() error {
		if err := store.PutObject(t.bucket, t.Key("object"), want.Reader()); err != nil {
			return err
		}
		if _, err := store.ListObjects(t.bucket, t.prefix); err != nil {
			return err
		}
		return readBack(store, t.bucket, t.Key("object"), want)
	}), "put, list and get")
}

func endsDespiteAbandonedGets(t *T) {
	store, session := t.Store(nil)
	t.abandon(store, 3)
	t.NoError(session.StopCleanly(), "stop")
}

// slowReader hands out a little at a time.
type slowReader struct{ source io.Reader }

func (r slowReader) Read(into []byte) (int, error) {
	time.Sleep(time.Millisecond)
	return r.source.Read(into[:min(len(into), 8<<10)])
}

func readsSlowly(t *T) {
	store, _ := t.Store(nil)
	want := body.Body{Seed: 66, Size: 12 * mib}
	t.NoError(store.PutObject(t.bucket, t.Key("object"), want.Reader()), "put")

	reader, err := store.GetObject(t.bucket, t.Key("object"))

	t.NoError(err, "get")
	t.NoError(want.Verify(slowReader{reader}), "read")
	t.NoError(reader.Close(), "close")
}

func runsTwoSessions(t *T) {
	first, firstSession := t.Store(nil)
	second, secondSession := t.Store(nil)
	stores := []velero.ObjectStore{first, second}
	t.NoError(atOnce(2, func(index int) error {
		want, key := body.Body{Seed: uint64(70 + index), Size: 6 * mib}, t.Key(fmt.Sprint(index))
		if err := stores[index].PutObject(t.bucket, key, want.Reader()); err != nil {
			return err
		}
		return readBack(stores[index], t.bucket, key, want)
	}), "puts and gets")
	if slices.Equal(firstSession.ProcessIDs(), secondSession.ProcessIDs()) {
		t.Fatalf("both sessions use process %v", firstSession.ProcessIDs())
	}
}
