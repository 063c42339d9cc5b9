package checks

import (
	"errors"
	"fmt"
	"os"
	"path"
	"strings"
	"time"

	vsv1 "github.com/vmware-tanzu/velero/pkg/plugin/velero/volumesnapshotter/v1"

	"flotilla.io/test/interop/internal/cloud"
	"flotilla.io/test/interop/internal/veleroserver"
)

// lead leads plugins to the target by their environment, as it takes Google's own name: the official plugin has no key
// for another endpoint. The function that it returns takes that back.
func (target *GCETarget) lead() (func(), error) {
	client, err := cloud.TrustingClient(target.CAFile)
	if err != nil {
		return nil, err
	}
	if target.api, err = cloud.NewGCE(target.Endpoint, target.Credentials, client); err != nil {
		return nil, err
	}
	pem, err := os.ReadFile(target.CAFile)
	target.caCert = string(pem)
	return func() { _ = setVariables(map[string]string{"HTTPS_PROXY": "", "SSL_CERT_FILE": ""}) },
		errors.Join(err, setVariables(map[string]string{"HTTPS_PROXY": target.Proxy, "SSL_CERT_FILE": target.CAFile}))
}

func setVariables(variables map[string]string) error {
	var failed error
	for name, value := range variables {
		failed = errors.Join(failed, os.Setenv(name, value))
	}
	return failed
}

// diskPlace is a zone or two zones of a region: the path of what is there, and how a PersistentVolume names it.
type diskPlace struct {
	path, zones string
	replicas    []string
}

func (t *T) zone(index int) diskPlace {
	zone := t.gce.Zones[index]
	return diskPlace{path: "projects/" + t.gce.Project + "/zones/" + zone, zones: zone}
}

func (t *T) bothZones() diskPlace {
	project := "projects/" + t.gce.Project
	var replicas []string
	for _, zone := range t.gce.Zones {
		replicas = append(replicas, project+"/zones/"+zone)
	}
	return diskPlace{path: project + "/regions/" + t.gce.Region, zones: strings.Join(t.gce.Zones, "__"), replicas: replicas}
}

func (p diskPlace) disk(name string) string { return p.path + "/disks/" + name }

// gcpVolumeConfig is what the server hands to Init; the environment leads to the target.
func (t *T) gcpVolumeConfig(changes map[string]string) map[string]string {
	config := map[string]string{"credentialsFile": t.credentialsFile(t.gce.Credentials)}
	for key, value := range changes {
		config[key] = value
	}
	return config
}

func (t *T) gcpSnapshotterIn(session *veleroserver.Session, changes map[string]string) vsv1.VolumeSnapshotter {
	snapshotter, err := session.VolumeSnapshotter(t.gcpVolumeConfig(changes))
	t.NoError(err, "init")
	return snapshotter
}

// createDiskIn makes a disk with a name of its own, unless the request has one, and returns its name.
func (t *T) createDiskIn(place diskPlace, request cloud.GCEDiskRequest) string {
	request.Place, request.ReplicaZones = place.path, place.replicas
	if request.Name == "" {
		request.Name = fmt.Sprintf("pvc-%d", time.Now().UnixNano())
	}
	if request.SizeGB == 0 {
		request.SizeGB = 10
	}
	if request.Type == "" {
		request.Type = "pd-balanced"
	}
	t.NoError(t.gce.api.CreateDisk(request), "create a disk around the plugin")
	return request.Name
}

func (t *T) inGCE(path string) cloud.GCEResource {
	found, err := t.gce.api.Find(path)
	t.NoError(err, "describe around the plugin")
	if found == nil {
		t.Fatalf("%s does not exist", path)
	}
	return *found
}

func (t *T) snapshotPath(id string) string {
	return "projects/" + t.gce.Project + "/global/snapshots/" + id
}

// leavesGCE waits until something is gone, which takes a while in the cloud.
func (t *T) leavesGCE(path string) {
	t.NoError(eventually(patience, func() error {
		found, err := t.gce.api.Find(path)
		if err == nil && found != nil {
			err = fmt.Errorf("%s is still there", path)
		}
		return err
	}), "after the deletion")
}

// gcpSnapshotOf makes a snapshot and waits until a disk can be made of it.
func (t *T) gcpSnapshotOf(snapshotter vsv1.VolumeSnapshotter, disk string, place diskPlace) string {
	id, err := snapshotter.CreateSnapshot(disk, place.zones, serverTags)
	t.NoError(err, "create a snapshot")
	t.NoError(t.gce.api.AwaitReady(t.snapshotPath(id)), "wait for the snapshot")
	return id
}

func (t *T) typeOf(snapshotter vsv1.VolumeSnapshotter, disk string, place diskPlace) string {
	volumeType, _, err := snapshotter.GetVolumeInfo(disk, place.zones)
	t.NoError(err, "get volume info")
	return volumeType
}

// restoredIn makes a disk of a snapshot, waits for it and describes it.
func (t *T) restoredIn(place diskPlace, snapshotter vsv1.VolumeSnapshotter, snapshotID, volumeType string) cloud.GCEResource {
	name, err := snapshotter.CreateVolumeFromSnapshot(snapshotID, volumeType, place.zones, nil)
	t.NoError(err, "create a disk from the snapshot")
	t.NoError(t.gce.api.AwaitReady(place.disk(name)), "wait for the disk")
	return t.inGCE(place.disk(name))
}

// lastOf is the name at the end of a link.
func lastOf(link string) string { return path.Base(link) }
