// Package cloud prepares and judges what is in a cloud without the plugin under test: plain signed HTTP
// requests, so that no SDK's habits are shared with it.
package cloud

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// Credentials are a static key pair.
type Credentials struct {
	AccessKeyID     string `json:"accessKeyId"`
	SecretAccessKey string `json:"secretAccessKey"`
}

// Answer is a whole HTTP answer.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

const requestTimeout = 60 * time.Second

// Client reaches servers over plain HTTP.
var Client = &http.Client{Transport: transport(nil)}

// transport gives idle connections up before a server does, after five seconds at the earliest: a request that is sent
// just then fails, and most of those here must not be sent twice.
func transport(security *tls.Config) *http.Transport {
	return &http.Transport{TLSClientConfig: security, IdleConnTimeout: 2 * time.Second}
}

func send(method, url, service, region string, keys Credentials, header http.Header, body []byte) (Answer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return Answer{}, err
	}
	for name, values := range header {
		request.Header[name] = values
	}
	digest := sha256.Sum256(body)
	payloadHash := hex.EncodeToString(digest[:])
	request.Header.Set("X-Amz-Content-Sha256", payloadHash)
	credentials := aws.Credentials{AccessKeyID: keys.AccessKeyID, SecretAccessKey: keys.SecretAccessKey}
	signer := v4.NewSigner(func(options *v4.SignerOptions) { options.DisableURIPathEscaping = service == "s3" })
	if err := signer.SignHTTP(ctx, credentials, request, payloadHash, service, region, time.Now()); err != nil {
		return Answer{}, err
	}
	response, err := Client.Do(request)
	if err != nil {
		return Answer{}, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return Answer{Status: response.StatusCode, Header: response.Header, Body: content}, err
}

func (a Answer) expect(statuses ...int) error {
	for _, status := range statuses {
		if a.Status == status {
			return nil
		}
	}
	return fmt.Errorf("status %d: %.300s", a.Status, a.Body)
}
