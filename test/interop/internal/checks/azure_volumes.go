package checks

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	vsv1 "github.com/vmware-tanzu/velero/pkg/plugin/velero/volumesnapshotter/v1"

	"flotilla.io/test/interop/internal/cloud"
	"flotilla.io/test/interop/internal/veleroserver"
)

func azureVolumeChecks() []check {
	return slices.Concat(azurePersistentVolumeChecks(), azureSnapshotCopyChecks(), []check{
		{title: "the type of a Premium SSD is told, without IOPS", run: func(t *T) { tellsDisk(t, cloud.DiskRequest{SKU: "Premium_LRS"}) }},
		{title: "the type of a zone-redundant disk is told", run: func(t *T) { tellsDisk(t, cloud.DiskRequest{SKU: "StandardSSD_ZRS"}) }},
		{title: "asking about a disk that does not exist is an error that names it", run: refusesUnknownDisk},
		{title: "a snapshot has an id of the official form and the tags of disk, backup and location", run: snapshotsDisk},
		{title: "the name of a snapshot of a disk with a long name is cut as the official plugin cuts it", run: cutsSnapshotName},
		{title: "a snapshot of a disk that does not exist is an error", run: refusesSnapshotOfNoDisk},
		{title: "a disk made from a snapshot has the official form of name, its type, zone and tags", run: restoresDisk},
		{title: "IOPS and throughput of an Ultra disk survive snapshot and restore", run: restoresPerformance},
		{title: "a snapshot that does not exist is an error that names it", run: refusesRestoreOfNoSnapshot},
		{title: "deleting a snapshot removes it, and deleting it again succeeds", run: deletesDiskSnapshotTwice},
		{title: "a disk outside the default resource group is snapshotted and restored by its whole id", run: reachesOtherGroups},
		{title: "a snapshot outside the location's resource group is restored and deleted by its id", run: usesSnapshotsOfOtherGroups},
		{title: "a snapshot's id in another case is restored and deleted", run: readsIDsInAnyCase},
		{title: "two locations of two resource groups, interleaved in one process, each keep their own", run: keepsGroupsApart},
		{title: "an unknown key is refused at Init and named", run: refusesUnknownDiskKey},
		{title: "a location without subscription is refused at Init", run: refusesMissingSubscription},
		{title: "the documented key activeDirectoryAuthorityURI leads to the authority", run: usesTheAuthority},
		{title: "a wrong client secret is an error that does not read like a missing disk", run: refusesWrongClientSecret},
		{title: "after kill -9 the next call finds a new process, initialized again", run: restartsDiskSnapshotter},
	})
}

func (target *ARMTarget) trust() (err error) {
	if target.client, err = cloud.TrustingClient(target.CAFile); err != nil {
		return err
	}
	pem, err := os.ReadFile(target.CAFile)
	target.caCert = string(pem)
	return err
}

func (t *T) cloudARM() cloud.ARM {
	return cloud.ARM{
		Endpoint: t.arm.Endpoint, Authority: t.arm.Authority, TenantID: t.arm.TenantID, ClientID: t.arm.ClientID,
		ClientSecret: t.arm.ClientSecret, Client: t.arm.client,
	}
}

func (t *T) armID(kind, group, name string) string {
	return fmt.Sprintf("/subscriptions/%s/resourceGroups/%s/providers/Microsoft.Compute/%s/%s", t.arm.SubscriptionID, group, kind, name)
}

func (t *T) azureLines(secret string) string {
	return fmt.Sprintf(
		"AZURE_SUBSCRIPTION_ID=%s\nAZURE_RESOURCE_GROUP=%s\nAZURE_TENANT_ID=%s\nAZURE_CLIENT_ID=%s\nAZURE_CLIENT_SECRET='%s'\nAZURE_CLOUD_NAME=AzurePublicCloud\n",
		t.arm.SubscriptionID, t.arm.ResourceGroup, t.arm.TenantID, t.arm.ClientID, secret,
	)
}

// azureVolumeConfig leads to the stand-in, which Azure's own addresses do not.
func (t *T) azureVolumeConfig(changes map[string]string) map[string]string {
	config := map[string]string{
		"endpoint": t.arm.Endpoint, "activeDirectoryAuthorityURI": t.arm.Authority, "caCert": t.arm.caCert,
		"credentialsFile": t.credentialsFile(t.azureLines(t.arm.ClientSecret)),
	}
	for key, value := range changes {
		config[key] = value
	}
	return config
}

func (t *T) azureSnapshotterIn(session *veleroserver.Session, changes map[string]string) vsv1.VolumeSnapshotter {
	snapshotter, err := session.VolumeSnapshotter(t.azureVolumeConfig(changes))
	t.NoError(err, "init")
	return snapshotter
}

// createDisk makes a disk in the default resource group, unless the request has an id, and returns its name.
func (t *T) createDisk(request cloud.DiskRequest) string {
	name := fmt.Sprintf("pvc-%d", time.Now().UnixNano())
	if request.ID == "" {
		request.ID = t.armID("disks", t.arm.ResourceGroup, name)
	}
	if request.SizeGiB == 0 {
		request.SizeGiB = 8
	}
	if request.SKU == "" {
		request.SKU = "Premium_LRS"
	}
	request.Location = t.arm.Location
	t.NoError(t.cloudARM().CreateDisk(request), "create a disk around the plugin")
	return request.ID[strings.LastIndex(request.ID, "/")+1:]
}

func (t *T) resource(id string) *cloud.Resource {
	found, err := t.cloudARM().Find(id)
	t.NoError(err, "describe around the plugin")
	if found == nil {
		t.Fatalf("%s does not exist", id)
	}
	return found
}

func (t *T) isGone(id string) {
	found, err := t.cloudARM().Find(id)
	t.NoError(err, "describe around the plugin")
	if found != nil {
		t.Fatalf("%s is still there", id)
	}
}

func (t *T) snapshotOf(snapshotter vsv1.VolumeSnapshotter, disk string) string {
	id, err := snapshotter.CreateSnapshot(disk, "", serverTags)
	t.NoError(err, "create a snapshot")
	return id
}

func tellsDisk(t *T, request cloud.DiskRequest) {
	name := t.createDisk(request)
	snapshotter, _ := t.AnySnapshotter()

	volumeType, iops, err := snapshotter.GetVolumeInfo(name, "")

	t.NoError(err, "get volume info")
	if volumeType != request.SKU || (iops != nil && *iops != 0) {
		t.Fatalf("type %q, IOPS %v", volumeType, iops)
	}
}

const noSuchDisk = "pvc-that-nobody-made"

func refusesUnknownDisk(t *T) {
	snapshotter, _ := t.AnySnapshotter()
	_, _, err := snapshotter.GetVolumeInfo(noSuchDisk, "")
	if text := t.Fails(err, "get volume info"); !strings.Contains(text, noSuchDisk) {
		t.Fatalf("the disk is not named in: %s", text)
	}
}

const uuidPattern = `[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`

func snapshotsDisk(t *T) {
	disk := t.createDisk(cloud.DiskRequest{Tags: map[string]string{"team": "shop", "velero.io-backup": "old", "owner": "disk"}})
	snapshotter := t.azureSnapshotterIn(t.Session(), map[string]string{"tags": "owner=location", "incremental": "true"})

	id := t.snapshotOf(snapshotter, disk)

	form := regexp.MustCompile("^" + regexp.QuoteMeta(t.armID("snapshots", t.arm.ResourceGroup, disk)) + "-" + uuidPattern + "$")
	if !form.MatchString(id) {
		t.Fatalf("the id is %s", id)
	}
	snapshot := t.resource(id)
	want := map[string]string{"team": "shop", "velero.io-backup": "nightly", "velero.io-pv": "pv-1", "owner": "location"}
	for key, value := range want {
		if snapshot.Tags[key] != value {
			t.Fatalf("the tags are %v, want %v", snapshot.Tags, want)
		}
	}
	if !snapshot.Properties.Incremental || !strings.HasSuffix(snapshot.Properties.CreationData.SourceResourceID, "/"+disk) {
		t.Fatalf("it is %+v", snapshot.Properties)
	}
}

func cutsSnapshotName(t *T) {
	disk := strings.Repeat("d", 79)
	t.createDisk(cloud.DiskRequest{ID: t.armID("disks", t.arm.ResourceGroup, disk)})
	snapshotter, _ := t.AnySnapshotter()

	id := t.snapshotOf(snapshotter, disk)

	name := id[strings.LastIndex(id, "/")+1:]
	if !regexp.MustCompile("^d{43}-" + uuidPattern + "$").MatchString(name) {
		t.Fatalf("the name is %s", name)
	}
}

func refusesSnapshotOfNoDisk(t *T) {
	snapshotter, _ := t.AnySnapshotter()
	_, err := snapshotter.CreateSnapshot(noSuchDisk, "", serverTags)
	if text := t.Fails(err, "create a snapshot"); !strings.Contains(text, noSuchDisk) {
		t.Fatalf("the disk is not named in: %s", text)
	}
}

func restoresDisk(t *T) {
	disk := t.createDisk(cloud.DiskRequest{SKU: "StandardSSD_LRS", Zone: "1", Tags: map[string]string{"team": "shop"}})
	snapshotter, _ := t.AnySnapshotter()
	snapshotID := t.snapshotOf(snapshotter, disk)

	name, err := snapshotter.CreateVolumeFromSnapshot(snapshotID, "StandardSSD_LRS", t.arm.Location+"-2", nil)

	t.NoError(err, "create a disk from the snapshot")
	if !regexp.MustCompile("^restore-" + uuidPattern + "$").MatchString(name) {
		t.Fatalf("the disk is named %q", name)
	}
	restored := t.resource(t.armID("disks", t.arm.ResourceGroup, name))
	got := fmt.Sprint(restored.SKU.Name, " ", restored.Zones, " ", restored.Tags["team"], " ", restored.Tags["velero.io-backup"])
	if got != "StandardSSD_LRS [2] shop nightly" {
		t.Fatalf("the disk is %s", got)
	}
	if source := restored.Properties.CreationData.SourceResourceID; !strings.EqualFold(source, snapshotID) {
		t.Fatalf("it was made from %s", source)
	}
}

func restoresPerformance(t *T) {
	disk := t.createDisk(cloud.DiskRequest{SKU: "UltraSSD_LRS", Zone: "1", SizeGiB: 16, IOPS: 900, MBps: 30})
	snapshotter, _ := t.AnySnapshotter()
	volumeType, iops, err := snapshotter.GetVolumeInfo(disk, t.arm.Location+"-1")
	t.NoError(err, "get volume info")
	snapshotID := t.snapshotOf(snapshotter, disk)

	name, err := snapshotter.CreateVolumeFromSnapshot(snapshotID, volumeType, t.arm.Location+"-1", iops)

	t.NoError(err, "create a disk from the snapshot")
	restored := t.resource(t.armID("disks", t.arm.ResourceGroup, name)).Properties
	if restored.DiskIOPSReadWrite != 900 || restored.DiskMBpsReadWrite != 30 {
		t.Fatalf("restored with IOPS %d and %d MB/s", restored.DiskIOPSReadWrite, restored.DiskMBpsReadWrite)
	}
}

func refusesRestoreOfNoSnapshot(t *T) {
	snapshotter, _ := t.AnySnapshotter()
	id := t.armID("snapshots", t.arm.ResourceGroup, "snapshot-that-nobody-made")
	_, err := snapshotter.CreateVolumeFromSnapshot(id, "Premium_LRS", "", nil)
	if text := t.Fails(err, "create a disk"); !strings.Contains(text, "snapshot-that-nobody-made") {
		t.Fatalf("the snapshot is not named in: %s", text)
	}
}

func deletesDiskSnapshotTwice(t *T) {
	snapshotter, _ := t.AnySnapshotter()
	id := t.snapshotOf(snapshotter, t.createDisk(cloud.DiskRequest{}))

	t.NoError(snapshotter.DeleteSnapshot(id), "delete")

	t.isGone(id)
	t.NoError(snapshotter.DeleteSnapshot(id), "second delete")
}

func reachesOtherGroups(t *T) {
	elsewhere := t.armID("disks", t.arm.OtherResourceGroup, fmt.Sprintf("data-%d", time.Now().UnixNano()))
	t.createDisk(cloud.DiskRequest{ID: elsewhere, SKU: "StandardSSD_LRS"})
	snapshotter, _ := t.AnySnapshotter()

	id, err := snapshotter.GetVolumeID(csiVolume(azureDriver, elsewhere))
	t.NoError(err, "get the volume id")
	volumeType, _, err := snapshotter.GetVolumeInfo(id, "")
	t.NoError(err, "get volume info")
	snapshotID := t.snapshotOf(snapshotter, id)
	name, err := snapshotter.CreateVolumeFromSnapshot(snapshotID, volumeType, "", nil)
	t.NoError(err, "create a disk from the snapshot")

	if source := t.resource(snapshotID).Properties.CreationData.SourceResourceID; !strings.EqualFold(source, elsewhere) {
		t.Fatalf("the snapshot is of %s", source)
	}
	t.resource(t.armID("disks", t.arm.ResourceGroup, name))
}

func usesSnapshotsOfOtherGroups(t *T) {
	maker := t.azureSnapshotterIn(t.Session(), map[string]string{"resourceGroup": t.arm.OtherResourceGroup})
	id := t.snapshotOf(maker, t.createDisk(cloud.DiskRequest{}))
	if !strings.Contains(id, "/resourceGroups/"+t.arm.OtherResourceGroup+"/") {
		t.Fatalf("the snapshot is %s", id)
	}
	user, _ := t.AnySnapshotter()

	_, err := user.CreateVolumeFromSnapshot(id, "Premium_LRS", "", nil)
	t.NoError(err, "create a disk from the snapshot")
	t.NoError(user.DeleteSnapshot(id), "delete")

	t.isGone(id)
}

func readsIDsInAnyCase(t *T) {
	snapshotter, _ := t.AnySnapshotter()
	disk := t.createDisk(cloud.DiskRequest{})
	for _, spell := range []func(string) string{strings.ToLower, strings.ToUpper} {
		id := t.snapshotOf(snapshotter, disk)
		_, err := snapshotter.CreateVolumeFromSnapshot(spell(id), "Premium_LRS", "", nil)
		t.NoError(err, "create a disk from "+spell(id))
		t.NoError(snapshotter.DeleteSnapshot(spell(id)), "delete "+spell(id))
		t.isGone(id)
	}
}

func keepsGroupsApart(t *T) {
	session := t.Session()
	groups := []string{t.arm.ResourceGroup, t.arm.OtherResourceGroup}
	var snapshotters []vsv1.VolumeSnapshotter
	for _, group := range groups {
		// As the server sends it: the credentials file names the group in which the location's disks are.
		lines := strings.Replace(t.azureLines(t.arm.ClientSecret), "GROUP="+t.arm.ResourceGroup, "GROUP="+group, 1)
		snapshotters = append(snapshotters, t.azureSnapshotterIn(session, map[string]string{"credentialsFile": t.credentialsFile(lines)}))
	}
	var snapshots []string
	for index, group := range groups {
		disk := t.createDisk(cloud.DiskRequest{ID: t.armID("disks", group, fmt.Sprintf("own-%d-%d", index, time.Now().UnixNano()))})
		id := t.snapshotOf(snapshotters[index], disk)
		if source := t.resource(id).Properties.CreationData.SourceResourceID; !strings.EqualFold(source, t.armID("disks", group, disk)) {
			t.Fatalf("the snapshot of %s in %s is of %s", disk, group, source)
		}
		snapshots = append(snapshots, id)
	}
	for index := range groups {
		t.NoError(snapshotters[index].DeleteSnapshot(snapshots[index]), "delete")
		t.isGone(snapshots[index])
	}
}

func refusesUnknownDiskKey(t *T) {
	text := t.Fails(t.volumeInitError(t.azureVolumeConfig(map[string]string{"bogusKey": "x"})), "init")
	if !strings.Contains(text, "bogusKey") {
		t.Fatalf("the key is not named in: %s", text)
	}
}

func refusesMissingSubscription(t *T) {
	lines := strings.Replace(t.azureLines(t.arm.ClientSecret), "AZURE_SUBSCRIPTION_ID", "NOTHING", 1)
	text := t.Fails(t.volumeInitError(t.azureVolumeConfig(map[string]string{"credentialsFile": t.credentialsFile(lines)})), "init")
	if !strings.Contains(text, "AZURE_SUBSCRIPTION_ID") {
		t.Fatalf("the line is not named in: %s", text)
	}
}

func usesTheAuthority(t *T) {
	disk := t.createDisk(cloud.DiskRequest{})
	nowhere := map[string]string{"activeDirectoryAuthorityURI": "https://127.0.0.1:1/"}

	_, _, err := t.azureSnapshotterIn(t.Session(), nowhere).GetVolumeInfo(disk, "")

	if text := t.Fails(err, "get volume info by an authority that is not there"); !strings.Contains(text, "127.0.0.1:1") {
		t.Fatalf("the authority is not named in: %s", text)
	}
}

func refusesWrongClientSecret(t *T) {
	const wrong = "not-the-secret-of-the-application"
	lines := t.credentialsFile(t.azureLines(wrong))
	session := t.Session()
	snapshotter, err := session.VolumeSnapshotter(t.azureVolumeConfig(map[string]string{"credentialsFile": lines}))
	if err == nil {
		_, _, err = snapshotter.GetVolumeInfo(noSuchDisk, "")
	}
	text := t.Fails(err, "the use of a location with a wrong secret")
	if word := wordOfAbsence(text); word != "" || strings.Contains(text, wrong) {
		t.Fatalf("%q reads like a missing disk, or the secret is shown: %s", word, text)
	}
}

func restartsDiskSnapshotter(t *T) {
	disk := t.createDisk(cloud.DiskRequest{})
	snapshotter, session := t.AnySnapshotter()

	kill(t, session)

	t.NoError(eventually(patience, func() error {
		_, _, err := snapshotter.GetVolumeInfo(disk, "")
		return err
	}), "get volume info")
	if started := len(session.ProcessIDs()); started != 2 {
		t.Fatalf("%d processes were started", started)
	}
}
