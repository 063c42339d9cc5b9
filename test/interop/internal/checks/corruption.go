package checks

import (
	"os"

	"github.com/vmware-tanzu/velero/pkg/plugin/velero"

	"flotilla.io/test/interop/internal/body"
	"flotilla.io/test/interop/internal/faultproxy"
)

var notVerified = fault{reason: "reads are not verified: other bytes are delivered as good", shows: "the get of a damaged object succeeded"}

func corruptionChecks() []check {
	return []check{
		{
			title: "a small object with one bit changed below the server never ends cleanly", needs: []Capability{DataFiles},
			faults: faults{"aws": notVerified}, run: func(t *T) { noticesChangedFile(t, 100*kib) },
		},
		{
			title: "a large object with one bit changed below the server never ends cleanly", needs: []Capability{DataFiles},
			faults: faults{"aws": notVerified}, run: func(t *T) { noticesChangedFile(t, 24*mib) },
		},
		{
			title:  "a small object with one bit changed on the way never ends cleanly",
			faults: faults{"aws": notVerified}, run: func(t *T) { noticesChangedAnswer(t, 100*kib) },
		},
		{
			title: "a large object with one bit changed on the way never ends cleanly", needs: []Capability{KeepsPartChecksums},
			faults: faults{"aws": notVerified}, run: func(t *T) { noticesChangedAnswer(t, 24*mib) },
		},
		{
			title: "an object shortened below the server never ends cleanly", needs: []Capability{DataFiles},
			// A server that announces the length of before makes the connection end early, which every client notices.
			faults: faults{
				"aws": {reason: notVerified.reason, shows: notVerified.shows, on: "versitygw"},
				"gcp": {reason: "asks for the rest again for ever", shows: "no end after"},
			}, run: noticesShortenedFile,
		},
	}
}

func noticesChangedFile(t *T, size int64) {
	t.countedAllowed = true
	store, _ := t.Store(nil)
	written := body.Body{Seed: 31, Size: size}
	t.NoError(store.PutObject(t.bucket, t.Key("object"), written.Reader()), "put")

	file, err := os.OpenFile(t.objects.dataFile(t.Key("object")), os.O_RDWR, 0)
	t.NoError(err, "open the server's file")
	defer file.Close()
	one := make([]byte, 1)
	_, err = file.ReadAt(one, size-1000)
	t.NoError(err, "read the server's file")
	one[0] ^= 0x10
	_, err = file.WriteAt(one, size-1000)
	t.NoError(err, "change the server's file")

	isNoticed(t, store, t.Key("object"))
}

func isNoticed(t *T, store velero.ObjectStore, key string) {
	_, err := drain(store, t.bucket, key)
	text := t.Fails(err, "the get of a damaged object")
	if word := wordOfAbsence(text); word != "" {
		t.Fatalf("%q reads like a missing object: %s", word, text)
	}
}

func noticesShortenedFile(t *T) {
	t.countedAllowed = true
	store, _ := t.Store(nil)
	t.NoError(store.PutObject(t.bucket, t.Key("object"), body.Body{Seed: 33, Size: 3 * mib}.Reader()), "put")

	t.NoError(os.Truncate(t.objects.dataFile(t.Key("object")), 2_000_000), "shorten the server's file")

	isNoticed(t, store, t.Key("object"))
}

func noticesChangedAnswer(t *T, size int64) {
	t.countedAllowed = true
	proxy := t.proxy(faultproxy.Rule{Kind: faultproxy.FlipAnswer, Method: "GET", After: 50 * kib})
	store, _ := t.Store(t.objects.at(proxy.URL))
	t.NoError(store.PutObject(t.bucket, t.Key("object"), body.Body{Seed: 32, Size: size}.Reader()), "put")

	isNoticed(t, store, t.Key("object"))

	if proxy.Spoiled() == 0 {
		t.Fatalf("the get failed before anything was changed")
	}
}

func (t *T) proxy(rule faultproxy.Rule) *faultproxy.Proxy {
	rule.ForOwnHost = t.objects.routesByHost()
	proxy, err := faultproxy.Start(t.objects.endpoint(), rule)
	t.NoError(err, "start the fault proxy")
	t.Cleanup(proxy.Close)
	return proxy
}
