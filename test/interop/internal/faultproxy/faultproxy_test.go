package faultproxy

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

const size = 100_000

// start puts a proxy before a server that answers zeros to a GET and the length of its body to a PUT.
func start(t *testing.T, rule Rule) *Proxy {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		if request.Method == http.MethodPut {
			_, _ = io.Copy(io.Discard, request.Body)
			return
		}
		_, _ = writer.Write(make([]byte, size))
	}))
	t.Cleanup(server.Close)
	proxy, err := Start(server.URL, rule)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Close)
	return proxy
}

func get(t *testing.T, proxy *Proxy) (int, []byte, error) {
	t.Helper()
	response, err := http.Get(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return response.StatusCode, content, err
}

func TestOneBitOfTheAnswerIsFlippedAtThePlaceGiven(t *testing.T) {
	proxy := start(t, Rule{Kind: FlipAnswer, Method: http.MethodGet, After: 70_000})
	_, content, err := get(t, proxy)
	want := make([]byte, size)
	want[70_000] = 1
	if err != nil || !bytes.Equal(content, want) {
		t.Errorf("%d bytes, %v", len(content), err)
	}
}

func TestTheAnswerIsCutAsOftenAsAsked(t *testing.T) {
	proxy := start(t, Rule{Kind: CutAnswer, Method: http.MethodGet, After: 70_000, Times: 1})
	if _, content, err := get(t, proxy); err == nil || len(content) > 70_000 {
		t.Errorf("the first answer: %d bytes, %v", len(content), err)
	}
	if _, content, err := get(t, proxy); err != nil || len(content) != size {
		t.Errorf("the second answer: %d bytes, %v", len(content), err)
	}
	if proxy.Spoiled() != 1 {
		t.Errorf("%d spoiled", proxy.Spoiled())
	}
}

func TestARefusedRequestIsAnswered503(t *testing.T) {
	proxy := start(t, Rule{Kind: Refuse, Method: http.MethodGet, Times: 1})
	if status, _, _ := get(t, proxy); status != http.StatusServiceUnavailable {
		t.Errorf("status %d", status)
	}
	if status, _, _ := get(t, proxy); status != http.StatusOK {
		t.Errorf("then status %d", status)
	}
}

func TestARequestIsCutAndOthersAreLeftAlone(t *testing.T) {
	proxy := start(t, Rule{Kind: CutRequest, Method: http.MethodPut, After: 1000})
	for length, wantFailure := range map[int]bool{1000: false, size: true} {
		request, err := http.NewRequest(http.MethodPut, proxy.URL, bytes.NewReader(make([]byte, length)))
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			_ = response.Body.Close()
		}
		if (err != nil) != wantFailure {
			t.Errorf("a body of %d bytes: %v", length, err)
		}
	}
	if _, content, err := get(t, proxy); err != nil || len(content) != size {
		t.Errorf("a get: %d bytes, %v", len(content), err)
	}
}

func TestWithoutAMethodOnlyUploadsOfMoreAreMeant(t *testing.T) {
	proxy := start(t, Rule{Kind: Refuse, After: 1000, Times: 1})
	for _, expected := range []struct{ length, status int }{
		{1000, http.StatusOK}, {1001, http.StatusServiceUnavailable}, {1001, http.StatusOK},
	} {
		response, err := http.Post(proxy.URL, "text/plain", bytes.NewReader(make([]byte, expected.length)))
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != expected.status {
			t.Errorf("a body of %d bytes: status %d", expected.length, response.StatusCode)
		}
	}
}

func TestTheServerIsAskedInTheProxysNameUnlessItRoutesByItsOwn(t *testing.T) {
	var asked string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) { asked = request.Host }))
	t.Cleanup(server.Close)
	for _, isForOwnHost := range []bool{false, true} {
		proxy, err := Start(server.URL, Rule{Kind: Refuse, Method: http.MethodPut, ForOwnHost: isForOwnHost})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(proxy.Close)
		_, _, _ = get(t, proxy)
		if want := map[bool]string{false: proxy.URL, true: server.URL}[isForOwnHost]; "http://"+asked != want {
			t.Errorf("own host %v: asked as %s, want %s", isForOwnHost, asked, want)
		}
	}
}
