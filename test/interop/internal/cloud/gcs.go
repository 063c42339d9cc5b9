package cloud

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
)

// GCS is a Cloud Storage server, by its JSON API.
type GCS struct {
	Google
	project string
}

// NewGCS reaches a server as the service account of a key file.
func NewGCS(endpoint, project, keyFile string) (GCS, error) {
	google, err := newGoogle(endpoint, keyFile, Client)
	return GCS{Google: google, project: project}, err
}

// CreateBucket creates a bucket, or accepts that it is there.
func (g GCS) CreateBucket(bucket string) error {
	answer, err := g.sendJSON(http.MethodPost, "/storage/v1/b", url.Values{"project": {g.project}}, map[string]string{"name": bucket})
	if err != nil {
		return err
	}
	return answer.expect(http.StatusOK, http.StatusConflict)
}

// Put stores an object in one request.
func (g GCS) Put(bucket, key string, body []byte) error {
	query := url.Values{"uploadType": {"media"}, "name": {key}}
	answer, err := g.send(http.MethodPost, "/upload/storage/v1/b/"+bucket+"/o", query, "application/octet-stream", body)
	if err != nil {
		return err
	}
	return answer.expect(http.StatusOK)
}

// Get reads an object whole.
func (g GCS) Get(bucket, key string) ([]byte, error) {
	answer, err := g.send(http.MethodGet, objectPath(bucket, key), url.Values{"alt": {"media"}}, "", nil)
	if err != nil {
		return nil, err
	}
	return answer.Body, answer.expect(http.StatusOK)
}

// Properties are what is kept beside an object's bytes.
type Properties struct {
	Size, CRC32C, ContentEncoding, StorageClass, Generation, KMSKeyName string
}

// Properties returns an object's properties, or nil when there is none.
func (g GCS) Properties(bucket, key string) (*Properties, error) {
	answer, err := g.send(http.MethodGet, objectPath(bucket, key), nil, "", nil)
	if err != nil || answer.Status == http.StatusNotFound {
		return nil, err
	}
	if err := answer.expect(http.StatusOK); err != nil {
		return nil, err
	}
	var properties Properties
	if err := json.Unmarshal(answer.Body, &properties); err != nil {
		return nil, fmt.Errorf("parse the properties of %s: %w", key, err)
	}
	return &properties, nil
}

// Head returns an object's properties as the headers that the other services have, or nil when there is none.
func (g GCS) Head(bucket, key string) (http.Header, error) {
	properties, err := g.Properties(bucket, key)
	if err != nil || properties == nil {
		return nil, err
	}
	header := http.Header{}
	header.Set("Content-Length", properties.Size)
	if properties.ContentEncoding != "" {
		header.Set("Content-Encoding", properties.ContentEncoding)
	}
	return header, nil
}

// Exists tells whether an object is visible.
func (g GCS) Exists(bucket, key string) (bool, error) {
	properties, err := g.Properties(bucket, key)
	return properties != nil, err
}

func objectPath(bucket, key string) string {
	return "/storage/v1/b/" + bucket + "/o/" + url.PathEscape(key)
}
