package checks

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"

	"flotilla.io/test/interop/internal/cloud"
)

// tenantContainers have names of their own: locations of one process are told apart by bucket and prefix.
var tenantContainers = []string{"interop-north", "interop-south"}

// blobServer is an Azure Blob server. Locations reach it over plain HTTP, where faults can be put between; their signed
// URLs are for https only.
type blobServer struct {
	target  BlobTarget
	caCert  string
	trusted *http.Client
}

const (
	blobContainer = "interop"
	// keyLine is the line of the credentials file that the official plugin's README names.
	keyLine = "AZURE_STORAGE_ACCOUNT_ACCESS_KEY"
)

func newBlobServer(target BlobTarget) (blobServer, error) {
	trusted, err := cloud.TrustingClient(target.CAFile)
	if err != nil {
		return blobServer{}, err
	}
	pem, err := os.ReadFile(target.CAFile)
	server := blobServer{target: target, caCert: string(pem), trusted: trusted}
	if err != nil {
		return server, err
	}
	return server, errors.Join(
		server.around().CreateBucket(blobContainer), server.aroundSigning().CreateBucket(blobContainer),
		server.of(target.Main).CreateBucket(tenantContainers[0]), server.of(target.Other).CreateBucket(tenantContainers[1]),
	)
}

func (b blobServer) of(account cloud.StorageAccount) cloud.Blob {
	return cloud.Blob{Endpoint: b.target.PlainEndpoint, Account: account, Client: cloud.Client}
}

func placeOf(store cloud.Blob) map[string]string {
	return map[string]string{
		"storageAccount": store.Account.Name, "storageAccountURI": store.URL(), "storageAccountKeyEnvVar": keyLine,
	}
}

func keyFile(key string) string { return fmt.Sprintf("%s=%s\n", keyLine, key) }

func (b blobServer) location() map[string]string  { return placeOf(b.of(b.target.Main)) }
func (b blobServer) credentials() string          { return keyFile(b.target.Main.Key) }
func (b blobServer) endpoint() string             { return b.target.PlainEndpoint }
func (b blobServer) routesByHost() bool           { return false }
func (b blobServer) boolKey() string              { return "useAAD" }
func (b blobServer) capabilities() []Capability   { return b.target.Capabilities }
func (b blobServer) client() *http.Client         { return b.trusted }
func (b blobServer) around() cloud.Objects        { return b.of(b.target.Main) }
func (b blobServer) aroundSigning() cloud.Objects { return b.secure() }

func (b blobServer) secure() cloud.Blob {
	return cloud.Blob{Endpoint: b.target.Endpoint, Account: b.target.Main, Client: b.trusted}
}

func (b blobServer) signing() map[string]string {
	return map[string]string{"storageAccountURI": b.secure().URL(), "caCert": b.caCert}
}

func (b blobServer) at(origin string) map[string]string {
	return map[string]string{"storageAccountURI": origin + "/" + b.target.Main.Name}
}

func (b blobServer) wrongSecret() secret {
	key := base64.StdEncoding.EncodeToString([]byte("a key that is not the account's own, though of its form"))
	return secret{file: keyFile(key), word: key}
}

func (b blobServer) dataFile(key string) string {
	digest := sha256.Sum256([]byte(key))
	return filepath.Join(b.target.DataDir, "accounts", b.target.Main.Name, blobContainer, "blobs", hex.EncodeToString(digest[:]), "data")
}

func (b blobServer) tenants() []tenant {
	var tenants []tenant
	for index, account := range []cloud.StorageAccount{b.target.Main, b.target.Other} {
		tenants = append(tenants, tenant{bucket: tenantContainers[index], location: placeOf(b.of(account)), credentials: keyFile(account.Key)})
	}
	return tenants
}

// otherKeyLine is the line of a credentials file with the key of the account that keeps copies.
const otherKeyLine = "INTEROP_OTHER_ACCOUNT_KEY"

// copies are made over HTTPS: what lets the other account's store read the source is for https only.
func (b blobServer) copies() copies {
	place, other := b.target.Copies, b.secure()
	other.Account = b.target.Other
	there := map[string]string{
		"storageAccount": other.Account.Name, "storageAccountURI": other.URL(), "storageAccountKeyEnvVar": otherKeyLine,
	}
	query := url.Values{}
	for key, value := range there {
		query.Set(key, value)
	}
	home := b.signing()
	home["copyTo"] = fmt.Sprintf("azblob://%s?%s", place.Bucket, query.Encode())
	there["caCert"] = b.caCert
	credentials := b.credentials() + fmt.Sprintf("%s=%s\n", otherKeyLine, other.Account.Key)
	return copies{CopyPlace: place, home: home, there: there, credentials: credentials, around: other}
}
