package checks

import (
	"fmt"
	"strings"

	"github.com/vmware-tanzu/velero/pkg/plugin/framework/common"

	"flotilla.io/test/interop/internal/body"
	"flotilla.io/test/interop/internal/cloud"
)

func failureChecks() []check {
	return []check{
		{title: "a small put to a missing bucket fails and names bucket and key", run: func(t *T) { putToMissingBucket(t, 1*kib) }},
		{
			title:  "a put of 64 MiB to a missing bucket fails with its reason, not only EOF",
			faults: faults{"aws": reasonIsLost, "gcp": reasonIsLost}, run: func(t *T) { putToMissingBucket(t, 64*mib) },
		},
		{title: "an error carries the place in the plugin where it arose", run: errorsCarryTheirPlace},
		{
			title: "a wrong secret is refused and does not read like a missing object", needs: []Capability{Authenticates},
			faults: faults{"gcp": accountNotFound}, run: wrongSecretIsRefused,
		},
		{
			title: "an unknown access key is refused and does not read like a missing object", needs: []Capability{Authenticates}, only: "aws",
			faults: faults{"aws": {reason: "its text carries the cloud's sentence, that the key id does not exist", shows: "InvalidAccessKeyId"}}, run: unknownKeyIsRefused,
		},
		{
			title:  "an unreachable endpoint is an error that does not read like a missing object",
			faults: faults{"gcp": {reason: "tries for ever", shows: "no end after"}}, run: unreachableIsAFailure,
		},
		{title: "a failing call writes no line that counts as a further error", run: failuresAreReportedOnce},
	}
}

var (
	reasonIsLost    = fault{reason: "fails before it has read the stream, so the server sees its own EOF only", shows: "the reason is lost"}
	accountNotFound = fault{reason: "its text carries the cloud's sentence, that the account is not found", shows: "account not found"}
)

func putToMissingBucket(t *T, size int64) {
	store, _ := t.Store(map[string]string{"bucket": missingBucket})

	err := store.PutObject(missingBucket, t.Key("object"), body.Body{Seed: 9, Size: size}.Reader())

	text := t.Fails(err, "put")
	if strings.HasSuffix(text, "desc = EOF") {
		t.Fatalf("the reason is lost: %s", text)
	}
	for _, want := range []string{missingBucket, t.Key("object")} {
		if size > mib && !strings.Contains(text, want) {
			t.Fatalf("%q is not named in: %s", want, text)
		}
	}
}

func errorsCarryTheirPlace(t *T) {
	store, _ := t.Store(nil)

	_, err := drain(store, t.bucket, t.Key("nothing"))

	placed, hasPlace := err.(*common.ProtoStackError)
	if !hasPlace {
		t.Fatalf("the error has no stack: %T %v", err, err)
	}
	if placed.File() == "" || placed.Line() == 0 {
		t.Fatalf("the innermost frame is %s:%d", placed.File(), placed.Line())
	}
}

func wrongSecretIsRefused(t *T) {
	refuses(t, t.objects.wrongSecret())
}

func unknownKeyIsRefused(t *T) {
	keys := cloud.Credentials{AccessKeyID: "AKIANOSUCHKEY0000000", SecretAccessKey: t.s3.Keys.SecretAccessKey}
	refuses(t, secret{file: credentialsText(keys), word: keys.SecretAccessKey})
}

func refuses(t *T, credentials secret) {
	present := body.Body{Seed: 4, Size: 100}
	t.NoError(t.around().Put(t.bucket, t.Key("object"), present.Bytes()), "put around the plugin")
	store, _ := t.Store(map[string]string{"credentialsFile": t.credentialsFile(credentials.file)})

	_, getError := drain(store, t.bucket, t.Key("object"))
	_, listError := store.ListCommonPrefixes(t.bucket, "", "/")
	putError := store.PutObject(t.bucket, t.Key("other"), present.Reader())

	for doing, err := range map[string]error{"get": getError, "list": listError, "put": putError} {
		text := t.Fails(err, doing)
		if word := wordOfAbsence(text); word != "" {
			t.Fatalf("%s: %q in: %s", doing, word, text)
		}
		if strings.Contains(text, credentials.word) {
			t.Fatalf("%s: the secret is in the text", doing)
		}
	}
	if exists, err := store.ObjectExists(t.bucket, t.Key("object")); err == nil && exists {
		t.Fatalf("exists answered without permission")
	}
}

func unreachableIsAFailure(t *T) {
	// Port 1 on loopback refuses connections everywhere.
	store, _ := t.Store(t.objects.at("http://127.0.0.1:1"))

	_, getError := drain(store, t.bucket, t.Key("object"))
	_, listError := store.ListCommonPrefixes(t.bucket, "", "/")
	_, existsError := store.ObjectExists(t.bucket, t.Key("object"))

	for doing, err := range map[string]error{"get": getError, "list": listError, "exists": existsError} {
		text := t.Fails(err, doing)
		if word := wordOfAbsence(text); word != "" {
			t.Fatalf("%s: %q in: %s", doing, word, text)
		}
	}
}

// failuresAreReportedOnce relies on what the runner judges after every check: no line at warn or error. The
// server reports the returned error itself; a line of the plugin would be counted beside it.
func failuresAreReportedOnce(t *T) {
	store, _ := t.Store(map[string]string{"bucket": missingBucket})
	for index := range 3 {
		_, err := drain(store, missingBucket, t.Key(fmt.Sprint(index)))
		t.Fails(err, "get")
		t.Fails(store.PutObject(missingBucket, t.Key("object"), body.Body{Size: 10}.Reader()), "put")
	}
}
