package checks

import (
	"net/http"
	"slices"

	"flotilla.io/test/interop/internal/cloud"
)

// Spec says what to judge and against which servers.
type Spec struct {
	// Provider is the implementation name of the plugins.
	Provider string `json:"provider"`
	Plugin   Plugin `json:"plugin"`
	// Other is the plugin whose objects and snapshots ours must read and whose reader must read ours.
	Other *Plugin      `json:"other"`
	S3    []S3Target   `json:"s3"`
	EC2   []EC2Target  `json:"ec2"`
	Blob  []BlobTarget `json:"blob"`
	ARM   []ARMTarget  `json:"arm"`
	GCS   []GCSTarget  `json:"gcs"`
	GCE   []GCETarget  `json:"gce"`
	// Restic are repositories for the restic plugin.
	Restic  []ResticTarget `json:"restic"`
	WorkDir string         `json:"workDir"`
	// Filter is a regular expression over target and title; empty runs everything.
	Filter string `json:"filter"`
}

// Plugin is a directory as the server's --plugin-dir.
type Plugin struct {
	Dir  string `json:"dir"`
	Name string `json:"name"`
	// Executable is the file within Dir which is the plugin.
	Executable string `json:"executable"`
	// KnownFaults expects the faults of the official plugin: a check that lists one must fail.
	KnownFaults bool `json:"knownFaults"`
}

// S3Target is one S3 server.
type S3Target struct {
	Name         string            `json:"name"`
	Endpoint     string            `json:"endpoint"`
	Region       string            `json:"region"`
	Keys         cloud.Credentials `json:"keys"`
	Capabilities []Capability      `json:"capabilities"`
	// Bucket is where the checks write; each check has a prefix of its own.
	Bucket string `json:"bucket"`
	// DataDir is where the server keeps its objects as files, for targets with data-files.
	DataDir string `json:"dataDir"`
	// DataLayout is how a key becomes a file below DataDir: "key" or "sha256".
	DataLayout string `json:"dataLayout"`
	// Tenants are two accounts that cannot read each other's bucket, for targets with tenants.
	Tenants []Tenant `json:"tenants"`
	// Copies is for targets with loses-regions.
	Copies CopyPlace `json:"copies"`
}

// CopyPlace is where a target keeps copies in another region.
type CopyPlace struct {
	// Regions are that of the bucket to check in, and that of the bucket of copies.
	Regions []string `json:"regions"`
	Bucket  string   `json:"bucket"`
	Control control  `json:"control"`
}

// Tenant is an account and its own bucket.
type Tenant struct {
	Keys   cloud.Credentials `json:"keys"`
	Bucket string            `json:"bucket"`
}

// EC2Target is one EC2 server.
type EC2Target struct {
	Name         string            `json:"name"`
	Endpoint     string            `json:"endpoint"`
	Keys         cloud.Credentials `json:"keys"`
	Capabilities []Capability      `json:"capabilities"`
	// Regions are two regions which the server keeps apart.
	Regions []string `json:"regions"`
	// Control is for targets with loses-regions.
	Control control `json:"control"`
}

// BlobTarget is one Azure Blob server.
type BlobTarget struct {
	Name string `json:"name"`
	// Endpoint is over HTTPS, PlainEndpoint over plain HTTP; the data need not be the same.
	Endpoint      string               `json:"endpoint"`
	PlainEndpoint string               `json:"plainEndpoint"`
	Main          cloud.StorageAccount `json:"main"`
	Other         cloud.StorageAccount `json:"other"`
	CAFile        string               `json:"caFile"`
	Capabilities  []Capability         `json:"capabilities"`
	// DataDir is where the server keeps its accounts as folders, for targets with data-files.
	DataDir string `json:"dataDir"`
	// Copies are in the other account, for targets with loses-regions.
	Copies CopyPlace `json:"copies"`
}

// ARMTarget is Azure Resource Manager with an application that may use two resource groups of it.
type ARMTarget struct {
	Name               string `json:"name"`
	Endpoint           string `json:"endpoint"`
	Authority          string `json:"authority"`
	CAFile             string `json:"caFile"`
	TenantID           string `json:"tenantId"`
	ClientID           string `json:"clientId"`
	ClientSecret       string `json:"clientSecret"`
	SubscriptionID     string `json:"subscriptionId"`
	ResourceGroup      string `json:"resourceGroup"`
	OtherResourceGroup string `json:"otherResourceGroup"`
	Location           string `json:"location"`
	// OtherLocation is a second region, which each of the groups may have disks and snapshots of.
	OtherLocation string  `json:"otherLocation"`
	Control       control `json:"control"`

	client *http.Client
	caCert string
}

// GCSTarget is one Cloud Storage server.
type GCSTarget struct {
	Name string `json:"name"`
	// Endpoint is its origin, over plain HTTP.
	Endpoint string `json:"endpoint"`
	Project  string `json:"project"`
	Bucket   string `json:"bucket"`
	// Credentials is the key file of a service account, Refused one whose account is gone.
	Credentials  string       `json:"credentials"`
	Refused      string       `json:"refused"`
	Capabilities []Capability `json:"capabilities"`
	// KMSKey is the name of a key of Cloud KMS, for targets with kms-keys.
	KMSKey       string `json:"kmsKey"`
	RoutesByHost bool   `json:"routesByHost"`
	// DataDir is where the server keeps its buckets as folders, for targets with data-files.
	DataDir string `json:"dataDir"`
	// Tenants are two accounts that cannot read each other's bucket, for targets with tenants.
	Tenants []GCSTenant `json:"tenants"`
	// Copies is for targets with loses-regions.
	Copies CopyPlace `json:"copies"`
}

// GCSTenant is a service account's key file and its own bucket.
type GCSTenant struct {
	Credentials string `json:"credentials"`
	Bucket      string `json:"bucket"`
}

// GCETarget is a Compute Engine server which serves in the name of Google's own.
type GCETarget struct {
	Name string `json:"name"`
	// Endpoint is where it listens; Proxy is where its own name leads to it.
	Endpoint string `json:"endpoint"`
	Proxy    string `json:"proxy"`
	CAFile   string `json:"caFile"`
	// Credentials is the key file of a service account, Refused one whose account is gone.
	Credentials string `json:"credentials"`
	Refused     string `json:"refused"`
	// Project is that of the credentials; OtherProject is open to them too.
	Project      string `json:"project"`
	OtherProject string `json:"otherProject"`
	Region       string `json:"region"`
	// Zones are two of the region.
	Zones []string `json:"zones"`
	// OtherRegion is where copies of snapshots are stored.
	OtherRegion string  `json:"otherRegion"`
	Control     control `json:"control"`

	api    cloud.GCE
	caCert string
}

// ResticTarget is one restic repository.
type ResticTarget struct {
	Name string `json:"name"`
	// Config is what the server hands to Init.
	Config map[string]string `json:"config"`
	// WrongPassword is what changes in it for a location that has another password.
	WrongPassword map[string]string `json:"wrongPassword"`
}

// Capability is what a target does as the real service does, so that a check of it means something.
type Capability string

const (
	// Authenticates: a wrong key or secret is refused.
	Authenticates Capability = "authenticates"
	// DataFiles: objects lie as files below DataDir and can be damaged there.
	DataFiles Capability = "data-files"
	// Tenants: two accounts whose buckets are closed to each other.
	Tenants Capability = "tenants"
	// ListsUploads: unfinished multipart uploads can be listed.
	ListsUploads Capability = "lists-uploads"
	// TagsUploads: the tags given with a multipart upload reach the object.
	TagsUploads Capability = "tags-uploads"
	// KeepsPartChecksums: the checksum of a multipart object is the right one, in the form it was asked for, and
	// reading by part number works. Where it is wrong, a reader that verifies must refuse, or cannot verify.
	KeepsPartChecksums Capability = "keeps-part-checksums"
	// ResumesUploads: of an upload whose connection was cut, the rest can be sent.
	ResumesUploads Capability = "resumes-uploads"
	// KMSKeys: objects are encrypted with a named key of a key service and say with which.
	KMSKeys Capability = "kms-keys"
	// TellsKeptHashes: the hash in an answer is the one that was kept, not one that is computed for the answer.
	TellsKeptHashes Capability = "tells-kept-hashes"
	// LosesRegions: there are two regions, each of which can be lost and found again.
	LosesRegions Capability = "loses-regions"
)

func has(claimed []Capability, needed []Capability) bool {
	for _, capability := range needed {
		if !slices.Contains(claimed, capability) {
			return false
		}
	}
	return true
}
