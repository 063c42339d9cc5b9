package cloud

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// EC2 is a server of the EC2 Query API. The region of a request is the one that it is signed for.
type EC2 struct {
	Endpoint string
	Keys     Credentials
}

// VolumeRequest says what volume to create.
type VolumeRequest struct {
	Type       string
	Zone       string
	SizeGiB    int
	IOPS       int
	Throughput int
	Tags       map[string]string
}

// Volume is a volume as the cloud describes it.
type Volume struct {
	ID         string `xml:"volumeId"`
	State      string `xml:"status"`
	Type       string `xml:"volumeType"`
	Zone       string `xml:"availabilityZone"`
	SnapshotID string `xml:"snapshotId"`
	IOPS       int64  `xml:"iops"`
	Throughput int64  `xml:"throughput"`
	Tags       []Tag  `xml:"tagSet>item"`
}

// Snapshot is a snapshot as the cloud describes it.
type Snapshot struct {
	ID       string `xml:"snapshotId"`
	VolumeID string `xml:"volumeId"`
	State    string `xml:"status"`
	Tags     []Tag  `xml:"tagSet>item"`
}

// Tag is one key and value.
type Tag struct {
	Key   string `xml:"key"`
	Value string `xml:"value"`
}

// CreateVolume creates a volume and waits until it is available.
func (e EC2) CreateVolume(region string, volume VolumeRequest) (string, error) {
	form := url.Values{
		"Action":           {"CreateVolume"},
		"AvailabilityZone": {volume.Zone},
		"Size":             {strconv.Itoa(volume.SizeGiB)},
		"VolumeType":       {volume.Type},
	}
	if volume.IOPS > 0 {
		form.Set("Iops", strconv.Itoa(volume.IOPS))
	}
	if volume.Throughput > 0 {
		form.Set("Throughput", strconv.Itoa(volume.Throughput))
	}
	index := 1
	for key, value := range volume.Tags {
		form.Set("TagSpecification.1.ResourceType", "volume")
		form.Set(fmt.Sprintf("TagSpecification.1.Tag.%d.Key", index), key)
		form.Set(fmt.Sprintf("TagSpecification.1.Tag.%d.Value", index), value)
		index++
	}
	var created Volume
	if err := e.call(region, form, &created); err != nil {
		return "", err
	}
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		found, err := e.Volume(region, created.ID)
		if err != nil {
			return "", err
		}
		if found != nil && found.State == "available" {
			return created.ID, nil
		}
	}
	return "", fmt.Errorf("volume %s did not become available", created.ID)
}

// Volume describes a volume; nil when there is none.
func (e EC2) Volume(region, id string) (*Volume, error) {
	var parsed struct {
		Volumes []Volume `xml:"volumeSet>item"`
	}
	err := e.call(region, url.Values{"Action": {"DescribeVolumes"}, "VolumeId.1": {id}}, &parsed)
	if err != nil || len(parsed.Volumes) == 0 {
		return nil, absent(err)
	}
	return &parsed.Volumes[0], nil
}

// Snapshot describes a snapshot; nil when there is none.
func (e EC2) Snapshot(region, id string) (*Snapshot, error) {
	var parsed struct {
		Snapshots []Snapshot `xml:"snapshotSet>item"`
	}
	err := e.call(region, url.Values{"Action": {"DescribeSnapshots"}, "SnapshotId.1": {id}}, &parsed)
	if err != nil || len(parsed.Snapshots) == 0 {
		return nil, absent(err)
	}
	return &parsed.Snapshots[0], nil
}

// SnapshotsWithTag lists the account's own snapshots with a tag of this value.
func (e EC2) SnapshotsWithTag(region, key, value string) ([]Snapshot, error) {
	var parsed struct {
		Snapshots []Snapshot `xml:"snapshotSet>item"`
	}
	form := url.Values{
		"Action": {"DescribeSnapshots"}, "Owner.1": {"self"},
		"Filter.1.Name": {"tag:" + key}, "Filter.1.Value.1": {value},
	}
	err := e.call(region, form, &parsed)
	return parsed.Snapshots, err
}

// TagMap returns tags by their key.
func TagMap(tags []Tag) map[string]string {
	byKey := map[string]string{}
	for _, tag := range tags {
		byKey[tag.Key] = tag.Value
	}
	return byKey
}

func absent(err error) error {
	if err != nil && strings.Contains(err.Error(), ".NotFound") {
		return nil
	}
	return err
}

func (e EC2) call(region string, form url.Values, into any) error {
	form.Set("Version", "2016-11-15")
	header := http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}}
	answer, err := send(http.MethodPost, e.Endpoint+"/", "ec2", region, e.Keys, header, []byte(form.Encode()))
	if err != nil {
		return fmt.Errorf("%s: %w", form.Get("Action"), err)
	}
	if err := answer.expect(http.StatusOK); err != nil {
		return fmt.Errorf("%s: %w", form.Get("Action"), err)
	}
	return xml.Unmarshal(answer.Body, into)
}
