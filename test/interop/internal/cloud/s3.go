package cloud

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// S3 is an S3 server, addressed by path.
type S3 struct {
	Endpoint string
	Region   string
	Keys     Credentials
}

// CreateBucket creates a bucket, or accepts that it is there.
func (s S3) CreateBucket(bucket string) error {
	answer, err := s.send(http.MethodPut, bucket, "", "", nil, nil)
	if err != nil {
		return err
	}
	return answer.expect(http.StatusOK, http.StatusConflict)
}

// Put stores an object in one request.
func (s S3) Put(bucket, key string, body []byte) error {
	answer, err := s.send(http.MethodPut, bucket, key, "", nil, body)
	if err != nil {
		return err
	}
	return answer.expect(http.StatusOK)
}

// Head returns an object's headers, or nil when there is none.
func (s S3) Head(bucket, key string) (http.Header, error) {
	answer, err := s.send(http.MethodHead, bucket, key, "", nil, nil)
	if err != nil || answer.Status == http.StatusNotFound {
		return nil, err
	}
	return answer.Header, answer.expect(http.StatusOK)
}

// Exists tells whether an object is visible.
func (s S3) Exists(bucket, key string) (bool, error) {
	header, err := s.Head(bucket, key)
	return header != nil, err
}

// Get reads an object whole.
func (s S3) Get(bucket, key string) ([]byte, error) {
	answer, err := s.send(http.MethodGet, bucket, key, "", nil, nil)
	if err != nil {
		return nil, err
	}
	return answer.Body, answer.expect(http.StatusOK)
}

// Tags returns an object's tags.
func (s S3) Tags(bucket, key string) (map[string]string, error) {
	answer, err := s.send(http.MethodGet, bucket, key, "tagging=", nil, nil)
	if err != nil {
		return nil, err
	}
	if err := answer.expect(http.StatusOK); err != nil {
		return nil, err
	}
	var parsed struct {
		Tags []struct{ Key, Value string } `xml:"TagSet>Tag"`
	}
	if err := xml.Unmarshal(answer.Body, &parsed); err != nil {
		return nil, fmt.Errorf("parse tags: %w", err)
	}
	tags := map[string]string{}
	for _, tag := range parsed.Tags {
		tags[tag.Key] = tag.Value
	}
	return tags, nil
}

// Uploads returns the keys of multipart uploads that were neither completed nor aborted.
func (s S3) Uploads(bucket string) ([]string, error) {
	answer, err := s.send(http.MethodGet, bucket, "", "uploads=", nil, nil)
	if err != nil {
		return nil, err
	}
	if err := answer.expect(http.StatusOK); err != nil {
		return nil, err
	}
	var parsed struct {
		Uploads []struct{ Key string } `xml:"Upload"`
	}
	if err := xml.Unmarshal(answer.Body, &parsed); err != nil {
		return nil, fmt.Errorf("parse uploads: %w", err)
	}
	var keys []string
	for _, upload := range parsed.Uploads {
		keys = append(keys, upload.Key)
	}
	return keys, nil
}

func (s S3) send(method, bucket, key, query string, header http.Header, body []byte) (Answer, error) {
	address := strings.TrimSuffix(s.Endpoint, "/") + "/" + bucket
	if key != "" {
		address += "/" + (&url.URL{Path: key}).EscapedPath()
	}
	if query != "" {
		address += "?" + query
	}
	answer, err := send(method, address, "s3", s.Region, s.Keys, header, body)
	if err != nil {
		return answer, fmt.Errorf("%s %s/%s: %w", method, bucket, key, err)
	}
	return answer, nil
}
