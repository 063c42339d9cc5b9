package checks

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"path/filepath"

	"flotilla.io/test/interop/internal/cloud"
)

// objectServer is a target of object stores as the checks that are about no single cloud use it.
type objectServer interface {
	// location is what leads a location there: all but bucket, prefix and credentialsFile.
	location() map[string]string
	// signing is what changes in a location whose signed URLs a plain client is to read.
	signing() map[string]string
	// credentials is the text of a location's credentials file.
	credentials() string
	wrongSecret() secret
	// endpoint is over plain HTTP; at is what changes in a location that is to reach it at another place.
	endpoint() string
	at(origin string) map[string]string
	// routesByHost tells a server that knows requests only by its own host and is not asked through another name.
	routesByHost() bool
	// boolKey is some key whose value is a bool.
	boolKey() string
	capabilities() []Capability
	// dataFile is where the server keeps an object of its bucket, for targets with data-files.
	dataFile(key string) string
	tenants() []tenant
	// copies is for targets with loses-regions.
	copies() copies
	around() cloud.Objects
	// aroundSigning is the same at the place where signed URLs lead.
	aroundSigning() cloud.Objects
	// client is of a person who was given a signed URL.
	client() *http.Client
}

// secret is a credentials file that must be refused, and the word in it that no error may show.
type secret struct{ file, word string }

// tenant is an account and its own bucket.
type tenant struct {
	bucket      string
	location    map[string]string
	credentials string
}

type s3Server struct{ target S3Target }

func (s s3Server) location() map[string]string {
	return map[string]string{"region": s.target.Region, "s3Url": s.target.Endpoint, "s3ForcePathStyle": "true"}
}

func (s s3Server) signing() map[string]string   { return nil }
func (s s3Server) credentials() string          { return credentialsText(s.target.Keys) }
func (s s3Server) endpoint() string             { return s.target.Endpoint }
func (s s3Server) routesByHost() bool           { return false }
func (s s3Server) boolKey() string              { return "s3ForcePathStyle" }
func (s s3Server) capabilities() []Capability   { return s.target.Capabilities }
func (s s3Server) client() *http.Client         { return http.DefaultClient }
func (s s3Server) aroundSigning() cloud.Objects { return s.around() }

func (s s3Server) at(origin string) map[string]string { return map[string]string{"s3Url": origin} }

func (s s3Server) wrongSecret() secret {
	keys := cloud.Credentials{AccessKeyID: s.target.Keys.AccessKeyID, SecretAccessKey: "wrongwrongwrongwrongwrongwrongwrongwrong"}
	return secret{file: credentialsText(keys), word: keys.SecretAccessKey}
}

func (s s3Server) around() cloud.Objects {
	return cloud.S3{Endpoint: s.target.Endpoint, Region: s.target.Region, Keys: s.target.Keys}
}

func (s s3Server) dataFile(key string) string {
	if s.target.DataLayout == "sha256" {
		digest := sha256.Sum256([]byte(key))
		return filepath.Join(s.target.DataDir, s.target.Bucket, hex.EncodeToString(digest[:]), "data")
	}
	return filepath.Join(s.target.DataDir, s.target.Bucket, filepath.FromSlash(key))
}

func (s s3Server) copies() copies {
	place := s.target.Copies
	home := map[string]string{}
	there := s.location()
	if len(place.Regions) > 1 {
		home["copyTo"] = fmt.Sprintf("s3://%s?region=%s", place.Bucket, place.Regions[1])
		there["region"] = place.Regions[1]
	}
	around := cloud.S3{Endpoint: s.target.Endpoint, Region: there["region"], Keys: s.target.Keys}
	return copies{CopyPlace: place, home: home, there: there, credentials: s.credentials(), around: around}
}

func (s s3Server) tenants() []tenant {
	var tenants []tenant
	for _, each := range s.target.Tenants {
		tenants = append(tenants, tenant{bucket: each.Bucket, credentials: credentialsText(each.Keys)})
	}
	return tenants
}

func credentialsText(keys cloud.Credentials) string {
	return fmt.Sprintf("[default]\naws_access_key_id=%s\naws_secret_access_key=%s\n", keys.AccessKeyID, keys.SecretAccessKey)
}
