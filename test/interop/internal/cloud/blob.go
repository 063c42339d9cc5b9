package cloud

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sort"
	"strings"
	"time"
)

// blobVersion is of the Blob API; what is used here is much older.
const blobVersion = "2024-11-04"

// StorageAccount is an account with one of its keys, in base64.
type StorageAccount struct {
	Name string `json:"name"`
	Key  string `json:"key"`
}

// Blob is an Azure Blob server; the account is the first part of a path.
type Blob struct {
	Endpoint string
	Account  StorageAccount
	Client   *http.Client
}

// URL is the account's blob endpoint.
func (b Blob) URL() string { return strings.TrimSuffix(b.Endpoint, "/") + "/" + b.Account.Name }

// CreateBucket creates a container, or accepts that it is there.
func (b Blob) CreateBucket(container string) error {
	answer, err := b.send(http.MethodPut, container, "", url.Values{"restype": {"container"}}, nil, nil)
	if err != nil {
		return err
	}
	return answer.expect(http.StatusCreated, http.StatusConflict)
}

// Put stores a blob in one request.
func (b Blob) Put(container, name string, body []byte) error {
	answer, err := b.send(http.MethodPut, container, name, nil, map[string]string{"x-ms-blob-type": "BlockBlob"}, body)
	if err != nil {
		return err
	}
	return answer.expect(http.StatusCreated)
}

// PutBlocks stores a blob as the official plugin does: blocks of one size behind each other under numbers of eight
// digits, without a hash of a block or of the whole.
func (b Blob) PutBlocks(container, name string, body []byte, blockBytes int) error {
	if err := b.StageBlocks(container, name, body, blockBytes); err != nil {
		return err
	}
	var list bytes.Buffer
	list.WriteString(xml.Header + "<BlockList>")
	for index := range (len(body) + blockBytes - 1) / blockBytes {
		fmt.Fprintf(&list, "<Latest>%s</Latest>", blockID(index))
	}
	list.WriteString("</BlockList>")
	answer, err := b.send(http.MethodPut, container, name, url.Values{"comp": {"blocklist"}}, nil, list.Bytes())
	if err != nil {
		return err
	}
	return answer.expect(http.StatusCreated)
}

// StageBlocks does the same without making them an object, as an upload that is interrupted.
func (b Blob) StageBlocks(container, name string, body []byte, blockBytes int) error {
	for index := 0; index*blockBytes < len(body); index++ {
		block := body[index*blockBytes : min(len(body), (index+1)*blockBytes)]
		query := url.Values{"comp": {"block"}, "blockid": {blockID(index)}}
		answer, err := b.send(http.MethodPut, container, name, query, nil, block)
		if err != nil {
			return err
		}
		if err := answer.expect(http.StatusCreated); err != nil {
			return err
		}
	}
	return nil
}

// blockID is a number of eight digits, which the official plugin gives for base64 as it is.
func blockID(index int) string { return fmt.Sprintf("%08d", index) }

// Head returns a blob's headers, or nil when there is none.
func (b Blob) Head(container, name string) (http.Header, error) {
	answer, err := b.send(http.MethodHead, container, name, nil, nil, nil)
	if err != nil || answer.Status == http.StatusNotFound {
		return nil, err
	}
	return answer.Header, answer.expect(http.StatusOK)
}

// Exists tells whether a blob is visible.
func (b Blob) Exists(container, name string) (bool, error) {
	header, err := b.Head(container, name)
	return header != nil, err
}

// Delete removes a blob.
func (b Blob) Delete(container, name string) error {
	answer, err := b.send(http.MethodDelete, container, name, nil, nil, nil)
	if err != nil {
		return err
	}
	return answer.expect(http.StatusAccepted)
}

// Get reads a blob whole.
func (b Blob) Get(container, name string) ([]byte, error) {
	answer, err := b.send(http.MethodGet, container, name, nil, nil, nil)
	if err != nil {
		return nil, err
	}
	return answer.Body, answer.expect(http.StatusOK)
}

func (b Blob) send(method, container, name string, query url.Values, header map[string]string, body []byte) (Answer, error) {
	address := b.URL() + "/" + container
	if name != "" {
		address += "/" + (&url.URL{Path: name}).EscapedPath()
	}
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return Answer{}, err
	}
	for key, value := range header {
		request.Header.Set(key, value)
	}
	if err := b.sign(request, query, len(body)); err != nil {
		return Answer{}, err
	}
	answer, err := receive(b.Client, request)
	if err != nil {
		return answer, fmt.Errorf("%s %s/%s: %w", method, container, name, err)
	}
	return answer, nil
}

// sign adds the Shared Key authorization of the account.
func (b Blob) sign(request *http.Request, query url.Values, length int) error {
	request.Header.Set("X-Ms-Date", time.Now().UTC().Format(http.TimeFormat))
	request.Header.Set("X-Ms-Version", blobVersion)
	size := ""
	if length > 0 {
		size = fmt.Sprint(length)
	}
	// Verb, encoding, language, length, MD5, type, date, four conditions and the range: most are never sent here.
	text := []string{request.Method, "", "", size, "", "", "", "", "", "", "", ""}
	var own []string
	for name, values := range request.Header {
		if lower := strings.ToLower(name); strings.HasPrefix(lower, "x-ms-") {
			own = append(own, lower+":"+values[0])
		}
	}
	sort.Strings(own)
	resource := []string{"/" + b.Account.Name + request.URL.EscapedPath()}
	var parameters []string
	for name, values := range query {
		parameters = append(parameters, name+":"+values[0])
	}
	sort.Strings(parameters)
	text = append(append(text, own...), append(resource, parameters...)...)
	key, err := base64.StdEncoding.DecodeString(b.Account.Key)
	if err != nil {
		return fmt.Errorf("the key of the account %s: %w", b.Account.Name, err)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(strings.Join(text, "\n")))
	signature := base64.StdEncoding.EncodeToString(mac.Sum(nil))
	request.Header.Set("Authorization", "SharedKey "+b.Account.Name+":"+signature)
	return nil
}

func receive(client *http.Client, request *http.Request) (Answer, error) {
	response, err := client.Do(request)
	if err != nil {
		return Answer{}, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return Answer{Status: response.StatusCode, Header: response.Header, Body: content}, err
}
