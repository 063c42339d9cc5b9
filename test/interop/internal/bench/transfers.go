package bench

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vmware-tanzu/velero/pkg/plugin/velero"

	"flotilla.io/test/interop/internal/body"
)

// transfer moves one object of a case.
type transfer func(store velero.ObjectStore, object int) error

func (b *bench) put(each Case, index int, endpoint string) (Sample, error) {
	group := b.group(each, index)
	b.stored[group] = true
	return b.transfer(each, index, endpoint, func(store velero.ObjectStore, object int) error {
		return store.PutObject(b.spec.Bucket, keyOf(group, object), bodyOf(each, object).Reader())
	})
}

func (b *bench) get(each Case, index int, endpoint string) (Sample, error) {
	group := b.group(each, index)
	if !b.stored[group] {
		// Each plugin reads what it wrote itself, by the short way to the server and outside the measurement.
		if _, err := b.put(each, index, b.spec.Endpoint); err != nil {
			return Sample{}, err
		}
	}
	return b.transfer(each, index, endpoint, func(store velero.ObjectStore, object int) error {
		reader, err := store.GetObject(b.spec.Bucket, keyOf(group, object))
		if err != nil {
			return err
		}
		return errors.Join(bodyOf(each, object).Verify(reader), reader.Close())
	})
}

// group names the objects of one size and plugin; puts and gets of it share them.
func (b *bench) group(each Case, index int) string {
	return fmt.Sprintf("%s/%d-x%d", b.spec.Subjects[index].Name, each.SizeBytes, each.Objects)
}

func keyOf(group string, object int) string { return fmt.Sprintf("%s/object-%d", group, object) }

func bodyOf(each Case, object int) body.Cyclic {
	return body.Cyclic{Offset: int64(object) * 1_000_003, Size: each.SizeBytes}
}

// transfer measures all objects of a case in a fresh process, after one small object has loaded what a first
// call loads.
func (b *bench) transfer(each Case, index int, endpoint string, move transfer) (Sample, error) {
	config, err := b.config(endpoint)
	if err != nil {
		return Sample{}, err
	}
	session := b.servers[index].Session()
	defer session.Stop()
	store, err := session.ObjectStore(config)
	if err != nil {
		return Sample{}, err
	}
	if err := b.warmUp(store); err != nil {
		return Sample{}, err
	}
	before, err := usageOf(session)
	if err != nil {
		return Sample{}, err
	}
	started := time.Now()
	if err := moveAll(store, each, move); err != nil {
		return Sample{}, err
	}
	took := time.Since(started)
	after, err := usageOf(session)
	if err != nil {
		return Sample{}, err
	}
	return Sample{
		Seconds: took.Seconds(), Bytes: each.SizeBytes * int64(each.Objects), CPUSeconds: (after.CPU - before.CPU).Seconds(),
		PeakBytes: after.PeakBytes, ResidentBytes: after.ResidentBytes,
	}, nil
}

func (b *bench) warmUp(store velero.ObjectStore) error {
	small := body.Cyclic{Size: 64 << 10}
	if err := store.PutObject(b.spec.Bucket, "warm-up", small.Reader()); err != nil {
		return err
	}
	reader, err := store.GetObject(b.spec.Bucket, "warm-up")
	if err != nil {
		return err
	}
	return errors.Join(small.Verify(reader), reader.Close())
}

func moveAll(store velero.ObjectStore, each Case, move transfer) error {
	var next atomic.Int64
	failures := make([]error, each.AtOnce)
	var workers sync.WaitGroup
	for worker := range each.AtOnce {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for object := int(next.Add(1)) - 1; object < each.Objects; object = int(next.Add(1)) - 1 {
				if err := move(store, object); err != nil {
					failures[worker] = fmt.Errorf("object %d: %w", object, err)
					return
				}
			}
		}()
	}
	workers.Wait()
	return errors.Join(failures...)
}
