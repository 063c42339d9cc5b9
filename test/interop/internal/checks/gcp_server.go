package checks

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path/filepath"

	"flotilla.io/test/interop/internal/cloud"
)

// gcsServer is a Cloud Storage server.
type gcsServer struct {
	target GCSTarget
	store  cloud.GCS
}

func newGCSServer(target GCSTarget) (gcsServer, error) {
	store, err := cloud.NewGCS(target.Endpoint, target.Project, target.Credentials)
	if err != nil {
		return gcsServer{}, err
	}
	return gcsServer{target: target, store: store}, store.CreateBucket(target.Bucket)
}

func (g gcsServer) location() map[string]string  { return g.at(g.target.Endpoint) }
func (g gcsServer) signing() map[string]string   { return nil }
func (g gcsServer) credentials() string          { return g.target.Credentials }
func (g gcsServer) endpoint() string             { return g.target.Endpoint }
func (g gcsServer) routesByHost() bool           { return g.target.RoutesByHost }
func (g gcsServer) boolKey() string              { return "insecureSkipTLSVerify" }
func (g gcsServer) capabilities() []Capability   { return g.target.Capabilities }
func (g gcsServer) around() cloud.Objects        { return g.store }
func (g gcsServer) aroundSigning() cloud.Objects { return g.store }

func (g gcsServer) at(origin string) map[string]string {
	return map[string]string{"storeEndpoint": origin + "/storage/v1/"}
}

func (g gcsServer) wrongSecret() secret {
	var key struct {
		ID string `json:"private_key_id"`
	}
	// Without an id the check that looks for it in an error fails by itself.
	_ = json.Unmarshal([]byte(g.target.Refused), &key)
	return secret{file: g.target.Refused, word: key.ID}
}

func (g gcsServer) dataFile(key string) string {
	digest := sha256.Sum256([]byte(key))
	return filepath.Join(g.target.DataDir, g.target.Bucket, "objects", hex.EncodeToString(digest[:]), "data")
}

func (g gcsServer) copies() copies {
	home := map[string]string{"copyTo": "gs://" + g.target.Copies.Bucket}
	return copies{CopyPlace: g.target.Copies, home: home, there: g.location(), credentials: g.credentials(), around: g.store}
}

func (g gcsServer) tenants() []tenant {
	var tenants []tenant
	for _, each := range g.target.Tenants {
		tenants = append(tenants, tenant{bucket: each.Bucket, credentials: each.Credentials})
	}
	return tenants
}

// client reaches this server only: a signed URL that leads to Google's own address must fail alike with and without a
// way there.
func (g gcsServer) client() *http.Client {
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		if "http://"+address != g.target.Endpoint {
			return nil, fmt.Errorf("the URL leads to %s, not to the store", address)
		}
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	return &http.Client{Transport: &http.Transport{DialContext: dial}}
}

// led is a signed URL with its host replaced by this server, as a resolver of names would do it.
func (g gcsServer) led(signed string) (string, error) {
	address, err := url.Parse(signed)
	if err != nil {
		return "", err
	}
	own, err := url.Parse(g.target.Endpoint)
	if err != nil {
		return "", err
	}
	address.Scheme, address.Host = own.Scheme, own.Host
	return address.String(), nil
}
