package cloud

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// GCE is a Compute Engine server.
type GCE struct{ Google }

// NewGCE reaches a server as the service account of a key file.
func NewGCE(endpoint, keyFile string, client *http.Client) (GCE, error) {
	google, err := newGoogle(endpoint, keyFile, client)
	return GCE{google}, err
}

// GCEDiskRequest says what disk to create; replica zones make it a regional one.
type GCEDiskRequest struct {
	// Place is projects/P/zones/Z or projects/P/regions/R.
	Place, Name, Type, Description string
	SizeGB, Iops, Throughput       int
	Labels                         map[string]string
	ReplicaZones                   []string
}

// GCEResource is a disk or a snapshot as the cloud describes it.
type GCEResource struct {
	Name, Status, Description, Type          string
	SourceSnapshot, SourceDisk, SnapshotType string
	ProvisionedIops, ProvisionedThroughput   string
	SizeGb, DiskSizeGb                       string
	Labels                                   map[string]string
	ReplicaZones, StorageLocations           []string
}

// CreateDisk creates a disk and waits until it is there.
func (g GCE) CreateDisk(disk GCEDiskRequest) error {
	body := map[string]any{
		"name": disk.Name, "sizeGb": fmt.Sprint(disk.SizeGB), "type": disk.Place + "/diskTypes/" + disk.Type,
		"description": disk.Description, "labels": disk.Labels,
	}
	if disk.Iops > 0 {
		body["provisionedIops"], body["provisionedThroughput"] = fmt.Sprint(disk.Iops), fmt.Sprint(disk.Throughput)
	}
	if len(disk.ReplicaZones) > 0 {
		body["replicaZones"] = disk.ReplicaZones
	}
	answer, err := g.sendJSON(http.MethodPost, computePath+disk.Place+"/disks", nil, body)
	if err != nil {
		return err
	}
	if err := answer.expect(http.StatusOK); err != nil {
		return err
	}
	return g.AwaitReady(disk.Place + "/disks/" + disk.Name)
}

// AwaitReady waits until a disk or a snapshot can be used.
func (g GCE) AwaitReady(path string) error {
	status := "absent"
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		found, err := g.Find(path)
		if err != nil {
			return err
		}
		if found == nil {
			continue
		}
		if status = found.Status; status == "READY" {
			return nil
		}
	}
	return fmt.Errorf("%s is %s after a minute", path, status)
}

// Find returns a disk or a snapshot, or nil when there is none.
func (g GCE) Find(path string) (*GCEResource, error) {
	answer, err := g.send(http.MethodGet, computePath+path, nil, "", nil)
	if err != nil || answer.Status == http.StatusNotFound {
		return nil, err
	}
	if err := answer.expect(http.StatusOK); err != nil {
		return nil, err
	}
	var found GCEResource
	if err := json.Unmarshal(answer.Body, &found); err != nil {
		return nil, fmt.Errorf("parse %s: %w", path, err)
	}
	return &found, nil
}

// Snapshots lists those of a project, which must have room in one page.
func (g GCE) Snapshots(project string) ([]GCEResource, error) {
	answer, err := g.send(http.MethodGet, computePath+"projects/"+project+"/global/snapshots", nil, "", nil)
	if err != nil {
		return nil, err
	}
	if err := answer.expect(http.StatusOK); err != nil {
		return nil, err
	}
	var page struct {
		Items         []GCEResource
		NextPageToken string
	}
	if err := json.Unmarshal(answer.Body, &page); err != nil {
		return nil, fmt.Errorf("parse the snapshots of %s: %w", project, err)
	}
	if page.NextPageToken != "" {
		return nil, fmt.Errorf("%s has more snapshots than one page holds", project)
	}
	return page.Items, nil
}

const computePath = "/compute/v1/"
