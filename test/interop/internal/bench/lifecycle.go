package bench

import (
	"time"

	"flotilla.io/test/interop/internal/veleroserver"
)

// start measures what each validation of a location costs the server: from exec to the first answered listing.
func (b *bench) start(index int, endpoint string) (Sample, error) {
	config, err := b.config(endpoint)
	if err != nil {
		return Sample{}, err
	}
	session := b.servers[index].Session()
	defer session.Stop()
	started := time.Now()
	store, err := session.ObjectStore(config)
	if err != nil {
		return Sample{}, err
	}
	// A prefix that holds nothing, so that what other cases stored does not lengthen the answer.
	if _, err := store.ListCommonPrefixes(b.spec.Bucket, "start/", "/"); err != nil {
		return Sample{}, err
	}
	took := time.Since(started)
	usage, err := usageOf(session)
	if err != nil {
		return Sample{}, err
	}
	return Sample{
		Seconds: took.Seconds(), CPUSeconds: usage.CPU.Seconds(), PeakBytes: usage.PeakBytes, ResidentBytes: usage.ResidentBytes,
	}, nil
}

// settleTime lets a process come to rest after Init.
const settleTime = time.Second

func (b *bench) idle(index int, endpoint string) (Sample, error) {
	config, err := b.config(endpoint)
	if err != nil {
		return Sample{}, err
	}
	session := b.servers[index].Session()
	defer session.Stop()
	if _, err := session.ObjectStore(config); err != nil {
		return Sample{}, err
	}
	time.Sleep(settleTime)
	usage, err := usageOf(session)
	if err != nil {
		return Sample{}, err
	}
	return Sample{CPUSeconds: usage.CPU.Seconds(), PeakBytes: usage.PeakBytes, ResidentBytes: usage.ResidentBytes}, nil
}

func usageOf(session *veleroserver.Session) (veleroserver.Usage, error) {
	id, err := session.ProcessID()
	if err != nil {
		return veleroserver.Usage{}, err
	}
	return veleroserver.UsageOf(id)
}
