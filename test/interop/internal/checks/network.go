package checks

import (
	"flotilla.io/test/interop/internal/body"
	"flotilla.io/test/interop/internal/faultproxy"
)

func networkChecks() []check {
	resumes := []Capability{ResumesUploads}
	return []check{
		{
			title: "a get resumes when its connection is cut", faults: faults{"aws": {reason: "a get is never resumed", shows: "unexpected EOF"}},
			run: func(t *T) { resumesGet(t, faultproxy.CutAnswer) },
		},
		{title: "a get is repeated when the service asks to slow down", run: func(t *T) { resumesGet(t, faultproxy.Refuse) }},
		{title: "a part is repeated when its connection is cut", needs: resumes, run: func(t *T) { repeatsPart(t, faultproxy.CutRequest) }},
		{title: "a part is repeated when the service asks to slow down", needs: resumes, run: func(t *T) { repeatsPart(t, faultproxy.Refuse) }},
		{title: "a put whose parts can never be sent fails, and nothing is visible", needs: resumes, run: failsWithoutTrace},
	}
}

func resumesGet(t *T, kind faultproxy.Kind) {
	want := body.Body{Seed: 41, Size: 20 * mib}
	t.NoError(t.around().Put(t.bucket, t.Key("object"), want.Bytes()), "put around the plugin")
	proxy := t.proxy(faultproxy.Rule{Kind: kind, Method: "GET", After: mib, Times: 1})
	store, _ := t.Store(t.objects.at(proxy.URL))

	t.NoError(readBack(store, t.bucket, t.Key("object"), want), "get")

	if proxy.Spoiled() != 1 {
		t.Fatalf("%d requests were spoiled", proxy.Spoiled())
	}
}

func repeatsPart(t *T, kind faultproxy.Kind) {
	proxy := t.proxy(faultproxy.Rule{Kind: kind, After: mib, Times: 1})
	store, _ := t.Store(t.objects.at(proxy.URL))
	want := body.Body{Seed: 42, Size: 20 * mib}

	t.NoError(store.PutObject(t.bucket, t.Key("object"), want.Reader()), "put")

	t.NoError(readBack(store, t.bucket, t.Key("object"), want), "get")
	if proxy.Spoiled() != 1 {
		t.Fatalf("%d requests were spoiled", proxy.Spoiled())
	}
}

func failsWithoutTrace(t *T) {
	proxy := t.proxy(faultproxy.Rule{Kind: faultproxy.CutRequest, After: 100 * kib})
	store, _ := t.Store(t.objects.at(proxy.URL))

	t.Fails(store.PutObject(t.bucket, t.Key("object"), body.Body{Size: 24 * mib}.Reader()), "put")

	exists, err := t.around().Exists(t.bucket, t.Key("object"))
	t.NoError(err, "head around the plugin")
	if exists {
		t.Fatalf("an object is visible")
	}
}
