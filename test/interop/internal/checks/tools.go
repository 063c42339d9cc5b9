package checks

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"sort"
	"sync"
	"time"

	"github.com/vmware-tanzu/velero/pkg/plugin/velero"

	"flotilla.io/test/interop/internal/body"
)

// atOnce runs count calls in parallel and joins their errors.
func atOnce(count int, call func(index int) error) error {
	failures := make([]error, count)
	var running sync.WaitGroup
	for index := range count {
		running.Add(1)
		go func() {
			defer running.Done()
			if err := call(index); err != nil {
				failures[index] = fmt.Errorf("%d: %w", index, err)
			}
		}()
	}
	running.Wait()
	return errors.Join(failures...)
}

// gzipped returns a gzip file of about size bytes.
func gzipped(size int64) []byte {
	var archive bytes.Buffer
	writer := gzip.NewWriter(&archive)
	// Neither a buffer nor a body can fail.
	_, _ = io.Copy(writer, body.Body{Seed: 77, Size: size}.Reader())
	_ = writer.Close()
	return archive.Bytes()
}

func sameBytes(store velero.ObjectStore, bucket, key string, want []byte) error {
	reader, err := store.GetObject(bucket, key)
	if err != nil {
		return err
	}
	defer reader.Close()
	got, err := io.ReadAll(reader)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("%d bytes that differ from the %d written", len(got), len(want))
	}
	return nil
}

// drain reads an object to its end and returns how many bytes came and the error that ended it.
func drain(store velero.ObjectStore, bucket, key string) (int64, error) {
	reader, err := store.GetObject(bucket, key)
	if err != nil {
		return 0, err
	}
	defer reader.Close()
	return io.Copy(io.Discard, reader)
}

// patience is for what comes at once where nothing else runs: how long it takes otherwise is no matter of a plugin.
const patience = time.Minute

// eventually repeats until the call succeeds or the time is over, and returns the last error.
func eventually(limit time.Duration, call func() error) error {
	deadline := time.Now().Add(limit)
	for {
		err := call()
		if err == nil || time.Now().After(deadline) {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// within runs a call that must not take longer.
func within(limit time.Duration, call func() error) error {
	result := make(chan error, 1)
	go func() { result <- call() }()
	select {
	case err := <-result:
		return err
	case <-time.After(limit):
		return fmt.Errorf("no answer after %v", limit)
	}
}

func sortedBySize(sizes map[string]int64) []string {
	names := make([]string, 0, len(sizes))
	for name := range sizes {
		names = append(names, name)
	}
	sort.Slice(names, func(i, j int) bool { return sizes[names[i]] < sizes[names[j]] })
	return names
}
