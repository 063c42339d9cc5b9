package cloud

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

const (
	armVersion  = "2024-03-02"
	armAudience = "https://management.azure.com/.default"
)

// ARM is Azure Resource Manager with the application that may use it.
type ARM struct {
	Endpoint, Authority, TenantID, ClientID, ClientSecret string
	Client                                                *http.Client
}

// DiskRequest says what disk to create.
type DiskRequest struct {
	ID, Location, SKU, Zone string
	SizeGiB, IOPS, MBps     int
	Tags                    map[string]string
}

// Resource is a disk or a snapshot as the cloud describes it.
type Resource struct {
	ID, Name, Location string
	Tags               map[string]string
	Zones              []string
	SKU                struct{ Name string }
	Properties         struct {
		ProvisioningState string
		Incremental       bool
		DiskIOPSReadWrite int64
		DiskMBpsReadWrite int64
		DiskSizeGB        int64
		CompletionPercent float64
		CreationData      struct{ CreateOption, SourceResourceID string }
	}
}

// CreateDisk creates a disk and waits until it is there.
func (a ARM) CreateDisk(disk DiskRequest) error {
	properties := map[string]any{"creationData": map[string]any{"createOption": "Empty"}, "diskSizeGB": disk.SizeGiB}
	if disk.IOPS > 0 {
		properties["diskIOPSReadWrite"], properties["diskMBpsReadWrite"] = disk.IOPS, disk.MBps
	}
	body := map[string]any{"location": disk.Location, "sku": map[string]any{"name": disk.SKU}, "tags": disk.Tags, "properties": properties}
	if disk.Zone != "" {
		body["zones"] = []string{disk.Zone}
	}
	answer, err := a.send(http.MethodPut, disk.ID, body)
	if err != nil {
		return err
	}
	if err := answer.expect(http.StatusOK, http.StatusCreated, http.StatusAccepted); err != nil {
		return err
	}
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		found, err := a.Find(disk.ID)
		if err != nil {
			return err
		}
		if found != nil && found.Properties.ProvisioningState == "Succeeded" {
			return nil
		}
	}
	return errors.New("the disk was not made within a minute")
}

// Find returns a disk or a snapshot, or nil when there is none.
func (a ARM) Find(id string) (*Resource, error) {
	answer, err := a.send(http.MethodGet, id, nil)
	if err != nil || answer.Status == http.StatusNotFound {
		return nil, err
	}
	if err := answer.expect(http.StatusOK); err != nil {
		return nil, err
	}
	var found Resource
	if err := json.Unmarshal(answer.Body, &found); err != nil {
		return nil, fmt.Errorf("parse %s: %w", id, err)
	}
	return &found, nil
}

// SnapshotsIn lists the snapshots of a resource group, which must have room in one page.
func (a ARM) SnapshotsIn(subscriptionID, group string) ([]Resource, error) {
	id := fmt.Sprintf("/subscriptions/%s/resourceGroups/%s/providers/Microsoft.Compute/snapshots", subscriptionID, group)
	answer, err := a.send(http.MethodGet, id, nil)
	if err != nil {
		return nil, err
	}
	if err := answer.expect(http.StatusOK); err != nil {
		return nil, err
	}
	var page struct {
		Value    []Resource
		NextLink string
	}
	if err := json.Unmarshal(answer.Body, &page); err != nil {
		return nil, fmt.Errorf("parse the snapshots of %s: %w", group, err)
	}
	if page.NextLink != "" {
		return nil, fmt.Errorf("%s has more snapshots than one page holds", group)
	}
	return page.Value, nil
}

func (a ARM) send(method, id string, body any) (Answer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	defer cancel()
	token, err := a.token(ctx)
	if err != nil {
		return Answer{}, err
	}
	var content []byte
	if body != nil {
		if content, err = json.Marshal(body); err != nil {
			return Answer{}, err
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, a.Endpoint+id+"?api-version="+armVersion, bytes.NewReader(content))
	if err != nil {
		return Answer{}, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	return receive(a.Client, request)
}

func (a ARM) token(ctx context.Context) (string, error) {
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {a.ClientID}, "client_secret": {a.ClientSecret}, "scope": {armAudience},
	}
	address := strings.TrimSuffix(a.Authority, "/") + "/" + a.TenantID + "/oauth2/v2.0/token"
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := receive(a.Client, request)
	if err != nil {
		return "", err
	}
	if err := answer.expect(http.StatusOK); err != nil {
		return "", fmt.Errorf("ask for a token: %w", err)
	}
	var parsed struct {
		Token string `json:"access_token"`
	}
	err = json.Unmarshal(answer.Body, &parsed)
	return parsed.Token, err
}

// TrustingClient is an HTTP client that trusts the authority in a PEM file and no other.
func TrustingClient(caFile string) (*http.Client, error) {
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate", caFile)
	}
	return &http.Client{Transport: transport(&tls.Config{RootCAs: pool})}, nil
}
