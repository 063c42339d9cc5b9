package checks

import (
	"fmt"
	"strings"

	"flotilla.io/test/interop/internal/body"
)

func configurationChecks() []check {
	return []check{
		{title: "an unknown key is refused at Init and named", run: refusesUnknownKeys},
		{title: "a bool that is none is refused at Init, with its key", run: refusesBadBools},
		{title: "every documented key that has no effect today is accepted", only: "aws", run: acceptsIdleKeys},
		{title: "the key resticRepoPrefix, which the server documents, is accepted", faults: faults{"aws": refusesPrefix, "gcp": refusesPrefix}, run: acceptsResticRepoPrefix},
		{title: "several tags reach the object", only: "aws", run: func(t *T) { tags(t, "team=storage&purpose=backup") }},
		{title: "a single tag reaches the object", only: "aws", faults: faults{"aws": {reason: "a value without & is refused", shows: "Tags are not seperated"}}, run: func(t *T) { tags(t, "team=storage") }},
		{title: "two keys for encryption that exclude each other are refused", only: "aws", run: refusesTwoEncryptionKeys},
		{title: "a credentials file that does not exist is an error at Init or at the first call", run: refusesMissingCredentials},
		{title: "a location with memoryLimit stores and reads a larger object", ownKeys: true, run: worksWithinMemoryLimit},
	}
}

var refusesPrefix = fault{reason: "refuses it", shows: "invalid keys [resticRepoPrefix]"}

func (t *T) initError(changes map[string]string) error {
	_, err := t.Session().ObjectStore(t.objectConfig(changes))
	return err
}

func refusesUnknownKeys(t *T) {
	text := t.Fails(t.initError(map[string]string{"bogusKey": "x"}), "init")
	if !strings.Contains(text, "bogusKey") {
		t.Fatalf("the key is not named in: %s", text)
	}
}

func refusesBadBools(t *T) {
	text := t.Fails(t.initError(map[string]string{t.objects.boolKey(): "maybe"}), "init")
	if !strings.Contains(text, t.objects.boolKey()) {
		t.Fatalf("the key is not named in: %s", text)
	}
}

func acceptsIdleKeys(t *T) {
	idle := map[string]string{
		"signatureVersion": "4", "enableSharedConfig": "true", "profile": "", "serverSideEncryption": "", "kmsKeyId": "",
		"customerKeyEncryptionFile": "", "customerKeyEncryptionSecret": "", "publicUrl": "", "insecureSkipTLSVerify": "F",
	}
	t.NoError(t.initError(idle), "init")
}

func acceptsResticRepoPrefix(t *T) {
	t.NoError(t.initError(map[string]string{"resticRepoPrefix": "s3:http://example.com/bucket/restic"}), "init")
}

func tags(t *T, value string) {
	store, _ := t.Store(map[string]string{"tagging": value})
	sizes := map[string]int64{"small": 100}
	if has(t.objects.capabilities(), []Capability{TagsUploads}) {
		sizes["large"] = 12 * mib
	}
	for name, size := range sizes {
		t.NoError(store.PutObject(t.bucket, t.Key(name), body.Body{Size: size}.Reader()), "put "+name)

		got, err := t.cloudS3().Tags(t.bucket, t.Key(name))

		t.NoError(err, "get tags of "+name)
		pairs := strings.Split(value, "&")
		for _, pair := range pairs {
			key, want, _ := strings.Cut(pair, "=")
			if got[key] != want || len(got) != len(pairs) {
				t.Fatalf("tags of %s: %v, want %s", name, got, value)
			}
		}
	}
}

func refusesTwoEncryptionKeys(t *T) {
	both := map[string]string{"kmsKeyId": "alias/k", "customerKeyEncryptionFile": t.credentialsFile(credentialsText(t.s3.Keys))}
	t.Fails(t.initError(both), "init")
}

func refusesMissingCredentials(t *T) {
	session := t.Session()
	store, err := session.ObjectStore(t.objectConfig(map[string]string{"credentialsFile": t.dir + "/none"}))
	if err == nil {
		_, err = store.ListCommonPrefixes(t.bucket, "", "/")
	}
	text := t.Fails(err, "the use of a location without its credentials file")
	if word := wordOfAbsence(text); word != "" {
		t.Fatalf("%q would let a deletion go on without the tarball: %s", word, text)
	}
}

func worksWithinMemoryLimit(t *T) {
	store, _ := t.Store(map[string]string{"memoryLimit": "16Mi"})
	want := body.Body{Seed: 21, Size: 40 * mib}
	t.NoError(atOnce(2, func(index int) error {
		key := t.Key(fmt.Sprint(index))
		if err := store.PutObject(t.bucket, key, want.Reader()); err != nil {
			return err
		}
		return readBack(store, t.bucket, key, want)
	}), "puts and gets")
}
