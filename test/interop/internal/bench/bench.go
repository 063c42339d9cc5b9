// Package bench measures plugins through the Velero server's own client code, in turn, so that whatever else
// the machine does falls on all of them alike.
package bench

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"flotilla.io/test/interop/internal/delayproxy"
	"flotilla.io/test/interop/internal/specfile"
	"flotilla.io/test/interop/internal/veleroserver"
)

// endpointPlace stands in a location's keys for the endpoint, before which a case may put some distance.
const endpointPlace = "{endpoint}"

// Main measures the cases of a spec file and prints a line of JSON for each sample.
func Main(specPath string) (bool, error) {
	spec, err := specfile.Read[Spec](specPath)
	if err != nil {
		return false, err
	}
	if err := veleroserver.PretendServerArguments(); err != nil {
		return false, err
	}
	bench := &bench{spec: spec, output: json.NewEncoder(os.Stdout), stored: map[string]bool{}}
	for _, subject := range spec.Subjects {
		discovered, err := veleroserver.Discover(subject.Dir, spec.Provider)
		if err != nil {
			return false, err
		}
		bench.servers = append(bench.servers, discovered)
	}
	for _, each := range spec.Cases {
		if err := bench.measure(each); err != nil {
			return false, fmt.Errorf("%s: %w", each.Name, err)
		}
	}
	return true, nil
}

type bench struct {
	spec    Spec
	servers []*veleroserver.Server
	output  *json.Encoder
	// stored are the groups of objects which are there for gets.
	stored map[string]bool
}

func (b *bench) measure(each Case) error {
	endpoint := b.spec.Endpoint
	if line, distant := each.line(); distant {
		target, err := url.Parse(endpoint)
		if err != nil {
			return err
		}
		proxy, err := delayproxy.Start(target.Host, line)
		if err != nil {
			return err
		}
		defer proxy.Close()
		endpoint = "http://" + proxy.Address
	}
	for range each.Repetitions {
		for index, subject := range b.spec.Subjects {
			sample, err := b.sample(each, index, endpoint)
			if err != nil {
				return fmt.Errorf("%s: %w", subject.Name, err)
			}
			sample.Case, sample.Subject = each.Name, subject.Name
			if err := b.output.Encode(sample); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *bench) sample(each Case, index int, endpoint string) (Sample, error) {
	switch each.Kind {
	case "start":
		return b.start(index, endpoint)
	case "idle":
		return b.idle(index, endpoint)
	case "put":
		return b.put(each, index, endpoint)
	case "get":
		return b.get(each, index, endpoint)
	default:
		return Sample{}, fmt.Errorf("unknown kind %q", each.Kind)
	}
}

func (b *bench) config(endpoint string) (map[string]string, error) {
	path := filepath.Join(b.spec.WorkDir, "credentials")
	config := map[string]string{"bucket": b.spec.Bucket, "prefix": "", "credentialsFile": path}
	for key, value := range b.spec.Location {
		config[key] = strings.ReplaceAll(value, endpointPlace, endpoint)
	}
	return config, os.WriteFile(path, []byte(b.spec.Credentials), 0o600)
}
