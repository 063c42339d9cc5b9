package checks

import (
	"bytes"
	"net/http"
	"net/url"
	"time"

	"flotilla.io/test/interop/internal/body"
)

func signedURLChecks() []check {
	return []check{
		{title: "a signed URL is fetched by a plain HTTP client", faults: faults{"gcp": signsForGoogleOnly}, run: signsForPlainClients},
		{title: "a signed URL lives as long as the server asked", only: "aws", run: signsForTheTimeAsked},
		{title: "a signed URL is for reading that object only", needs: []Capability{Authenticates}, faults: faults{"gcp": signsForGoogleOnly}, run: signsForReadingOnly},
		{title: "a signed URL points at publicUrl where one is given", only: "aws", run: signsForThePublicAddress},
	}
}

const signedName = "logs and more"

func (t *T) sign(changes map[string]string, want body.Body) string {
	for key, value := range t.objects.signing() {
		changes[key] = value
	}
	store, _ := t.Store(changes)
	t.NoError(store.PutObject(t.bucket, t.Key(signedName), want.Reader()), "put")
	address, err := store.CreateSignedURL(t.bucket, t.Key(signedName), 10*time.Minute)
	t.NoError(err, "sign")
	return address
}

func signsForPlainClients(t *T) {
	want := body.Body{Seed: 8, Size: 300 * kib}

	response, err := t.objects.client().Get(t.sign(map[string]string{}, want))

	t.NoError(err, "fetch")
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("status %d", response.StatusCode)
	}
	t.NoError(want.Verify(response.Body), "body")
}

func signsForTheTimeAsked(t *T) {
	address, err := url.Parse(t.sign(map[string]string{}, body.Body{Size: 10}))

	t.NoError(err, "parse")
	if seconds := address.Query().Get("X-Amz-Expires"); seconds != "600" {
		t.Fatalf("X-Amz-Expires is %q for 10 minutes", seconds)
	}
}

func signsForReadingOnly(t *T) {
	want := body.Body{Seed: 6, Size: 10}
	address := t.sign(map[string]string{}, want)

	put, err := http.NewRequest(http.MethodPut, address, bytes.NewReader([]byte("other")))
	t.NoError(err, "make a request")
	// Without it, Azure would refuse the request for its form.
	put.Header.Set("X-Ms-Blob-Type", "BlockBlob")
	response, err := t.objects.client().Do(put)
	t.NoError(err, "send")
	defer response.Body.Close()

	if response.StatusCode != http.StatusForbidden {
		t.Fatalf("a put by the URL was answered %d", response.StatusCode)
	}
	stored, err := t.objects.aroundSigning().Get(t.bucket, t.Key(signedName))
	t.NoError(err, "get around the plugin")
	t.NoError(want.Verify(bytes.NewReader(stored)), "what is stored")
}

func signsForThePublicAddress(t *T) {
	address, err := url.Parse(t.sign(map[string]string{"publicUrl": "https://backups.example.com:9000"}, body.Body{Size: 10}))

	t.NoError(err, "parse")
	if address.Scheme != "https" || address.Host != "backups.example.com:9000" {
		t.Fatalf("the URL points at %s://%s", address.Scheme, address.Host)
	}
}
