package checks

import (
	"strings"

	"flotilla.io/test/interop/internal/body"
)

func absenceChecks() []check {
	return []check{
		{title: "a missing object is absent, not an error", run: missingIsAbsent},
		{
			title:  "getting a missing object fails in the words by which the server knows a missing tarball",
			faults: faults{"gcp": {reason: "its words are others, and it names no key", shows: "none of the words"}}, run: missingReadsAsMissing,
		},
		{title: "a failing get leaves the process and the following calls unharmed", run: failureHarmsNothing},
		{
			title:  "deleting makes an object absent, and deleting it again succeeds",
			faults: faults{"gcp": {reason: "an absent object cannot be deleted", shows: "second delete"}}, run: deletesTwice,
		},
		{
			title: "getting from a missing bucket does not read like a missing object",
			faults: faults{
				"aws": {reason: "its text carries the cloud's sentence", shows: "would let a deletion go on"},
				"gcp": {reason: "says that the object does not exist", shows: "the bucket is not named"},
			}, run: missingBucketReadsAsFailure,
		},
		{title: "listing a missing bucket is an error, never an empty list", run: missingBucketCannotBeListed},
		{title: "an object in a missing bucket is not reported as present", run: missingBucketHasNoObjects},
	}
}

const missingBucket = "flotilla-no-such-bucket"

func missingIsAbsent(t *T) {
	store, _ := t.Store(nil)

	exists, err := store.ObjectExists(t.bucket, t.Key("nothing"))

	t.NoError(err, "exists")
	if exists {
		t.Fatalf("the object is said to be present")
	}
}

func missingReadsAsMissing(t *T) {
	store, _ := t.Store(nil)

	_, err := drain(store, t.bucket, t.Key("nothing.tar.gz"))

	text := t.Fails(err, "get")
	if wordOfAbsence(text) == "" {
		t.Fatalf("none of the words in: %s", text)
	}
	if !strings.Contains(text, "nothing.tar.gz") {
		t.Fatalf("the key is not named in: %s", text)
	}
}

func failureHarmsNothing(t *T) {
	store, session := t.Store(nil)
	for range 20 {
		_, err := drain(store, t.bucket, t.Key("nothing"))
		t.Fails(err, "get")
	}
	want := body.Body{Seed: 3, Size: 1000}
	t.NoError(store.PutObject(t.bucket, t.Key("object"), want.Reader()), "put")
	t.NoError(readBack(store, t.bucket, t.Key("object"), want), "get")
	if started := len(session.ProcessIDs()); started != 1 {
		t.Fatalf("%d processes were needed", started)
	}
}

func deletesTwice(t *T) {
	store, _ := t.Store(nil)
	t.NoError(store.PutObject(t.bucket, t.Key("object"), body.Body{Size: 10}.Reader()), "put")

	t.NoError(store.DeleteObject(t.bucket, t.Key("object")), "delete")

	exists, err := store.ObjectExists(t.bucket, t.Key("object"))
	t.NoError(err, "exists")
	if exists {
		t.Fatalf("the object is still there")
	}
	t.NoError(store.DeleteObject(t.bucket, t.Key("object")), "second delete")
}

func missingBucketReadsAsFailure(t *T) {
	store, _ := t.Store(map[string]string{"bucket": missingBucket})

	_, err := drain(store, missingBucket, t.Key("object.tar.gz"))

	text := t.Fails(err, "get")
	if word := wordOfAbsence(text); word != "" {
		t.Fatalf("%q would let a deletion go on without the tarball: %s", word, text)
	}
	if !strings.Contains(text, missingBucket) {
		t.Fatalf("the bucket is not named in: %s", text)
	}
}

func missingBucketCannotBeListed(t *T) {
	store, _ := t.Store(map[string]string{"bucket": missingBucket})

	_, err := store.ListCommonPrefixes(missingBucket, "", "/")
	t.Fails(err, "listing prefixes")

	_, err = store.ListObjects(missingBucket, "backups/")
	t.Fails(err, "listing objects")
}

func missingBucketHasNoObjects(t *T) {
	store, _ := t.Store(map[string]string{"bucket": missingBucket})

	// S3 answers a HEAD without saying which of the two is missing, so an error and "absent" are both right.
	exists, err := store.ObjectExists(missingBucket, t.Key("object"))

	if err == nil && exists {
		t.Fatalf("the object is said to be present")
	}
}
