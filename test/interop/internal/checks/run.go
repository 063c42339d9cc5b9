// Package checks holds what a plugin promises the Velero server, each promise proved by the server's
// own client code against real processes.
package checks

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"flotilla.io/test/interop/internal/specfile"
	"flotilla.io/test/interop/internal/veleroserver"
)

// Main runs the checks of a spec file and prints a line for each. It tells whether all came out as expected.
func Main(specPath string) (bool, error) {
	spec, err := specfile.Read[Spec](specPath)
	if err != nil {
		return false, err
	}
	if err := veleroserver.PretendServerArguments(); err != nil {
		return false, err
	}
	filter, err := regexp.Compile(spec.Filter)
	if err != nil {
		return false, err
	}
	runner := &runner{spec: spec, filter: filter}
	if err := runner.discover(); err != nil {
		return false, err
	}
	if err := runner.runAll(); err != nil {
		return false, err
	}
	if runner.known > 0 {
		fmt.Printf("%d of the passed are known faults of %s, seen as expected\n", runner.known, spec.Plugin.Executable)
	}
	fmt.Printf("checks of %s: %d passed, %d failed\n", spec.Plugin.Executable, runner.passed, runner.failed)
	return runner.failed == 0, nil
}

// endpointVariable leads both plugins' SDKs to an EC2 target: the official plugin has no key for it.
const endpointVariable = "AWS_ENDPOINT_URL_EC2"

type runner struct {
	spec                  Spec
	filter                *regexp.Regexp
	plugin, other         *veleroserver.Server
	passed, failed, known int
	index                 int
}

func (r *runner) discover() (err error) {
	if r.plugin, err = discoverPromptly(r.spec.Plugin.Dir, r.spec.Provider); err != nil {
		return err
	}
	if r.spec.Other != nil {
		r.other, err = veleroserver.Discover(r.spec.Other.Dir, r.spec.Provider)
	}
	return err
}

// discoverPromptly discovers again where the server lost its patience with a process, which by chance happens.
func discoverPromptly(dir, provider string) (server *veleroserver.Server, err error) {
	for range tries {
		if server, err = veleroserver.Discover(dir, provider); err != nil || !server.Log.ToldOfForce() {
			break
		}
	}
	return server, err
}

func (r *runner) runAll() error {
	for _, each := range discoveryChecks() {
		r.run("discovery", each, func() *T { return &T{} })
	}
	for _, target := range r.spec.S3 {
		if err := (&T{s3: target}).cloudS3().CreateBucket(target.Bucket); err != nil {
			return fmt.Errorf("%s: create bucket: %w", target.Name, err)
		}
		newT := func() *T { return &T{s3: target, objects: s3Server{target}, bucket: target.Bucket} }
		r.runOn(target.Name, target.Capabilities, objectChecks(), newT)
		if r.other != nil {
			r.runOn(target.Name, target.Capabilities, objectInterchangeChecks(), newT)
		}
	}
	for _, target := range r.spec.EC2 {
		if err := os.Setenv(endpointVariable, target.Endpoint); err != nil {
			return err
		}
		r.runOn(target.Name, target.Capabilities, volumeChecks(), func() *T { return &T{ec2: target} })
		if r.other != nil {
			r.runOn(target.Name, target.Capabilities, volumeInterchangeChecks(), func() *T { return &T{ec2: target} })
		}
	}
	if err := errors.Join(r.runAzure(), r.runGCP()); err != nil {
		return err
	}
	for _, target := range r.spec.Restic {
		r.runOn(target.Name, nil, append(resticChecks(), resticVolumeChecks()...), func() *T { return &T{restic: target} })
	}
	return nil
}

func (r *runner) runAzure() error {
	for _, target := range r.spec.Blob {
		server, err := newBlobServer(target)
		if err != nil {
			return fmt.Errorf("%s: prepare: %w", target.Name, err)
		}
		newT := func() *T { return &T{blob: server, objects: server, bucket: blobContainer} }
		r.runOn(target.Name, target.Capabilities, objectChecks(), newT)
		if r.other != nil {
			r.runOn(target.Name, target.Capabilities, azureInterchangeChecks(), newT)
		}
	}
	for _, target := range r.spec.ARM {
		if err := target.trust(); err != nil {
			return fmt.Errorf("%s: %w", target.Name, err)
		}
		r.runOn(target.Name, nil, azureVolumeChecks(), func() *T { return &T{arm: target} })
	}
	return nil
}

func (r *runner) runGCP() error {
	for _, target := range r.spec.GCS {
		server, err := newGCSServer(target)
		if err != nil {
			return fmt.Errorf("%s: prepare: %w", target.Name, err)
		}
		newT := func() *T { return &T{gcs: server, objects: server, bucket: target.Bucket} }
		r.runOn(target.Name, target.Capabilities, objectChecks(), newT)
		if r.other != nil {
			r.runOn(target.Name, target.Capabilities, gcpInterchangeChecks(), newT)
		}
	}
	for _, target := range r.spec.GCE {
		restore, err := target.lead()
		if err != nil {
			return fmt.Errorf("%s: prepare: %w", target.Name, err)
		}
		newT := func() *T { return &T{gce: target} }
		r.runOn(target.Name, nil, slices.Concat(gcpVolumeChecks(), gcpVolumeLocationChecks(), gcpSnapshotCopyChecks()), newT)
		if r.other != nil {
			r.runOn(target.Name, nil, gcpVolumeInterchangeChecks(), newT)
		}
		restore()
	}
	return nil
}

func (r *runner) runOn(target string, claimed []Capability, checks []check, newT func() *T) {
	for _, each := range checks {
		if has(claimed, each.needs) {
			r.run(target, each, newT)
		}
	}
}

// tries is how often a check may find that a process ends late before that is held against the plugin.
const tries = 3

func (r *runner) run(target string, each check, newT func() *T) {
	name := target + ": " + each.title
	isOfOther := each.only != "" && "velero.io/"+each.only != r.spec.Provider
	if isOfOther || !r.filter.MatchString(name) || (each.ownKeys && r.spec.Plugin.KnownFaults) {
		return
	}
	started := time.Now()
	err := r.try(each, newT())
	for again := 1; again < tries && errors.As(err, &veleroserver.SlowExit{}); again++ {
		r.report("again", name, oneLine(err.Error()), time.Since(started))
		started = time.Now()
		err = r.try(each, newT())
	}
	var expected *fault
	if r.spec.Plugin.KnownFaults {
		expected = each.faults.of(r.spec.Provider, target)
	}
	r.judge(name, expected, err, time.Since(started))
}

// try runs a check once, with keys and a folder of its own.
func (r *runner) try(each check, t *T) error {
	r.index++
	t.plugin, t.other, t.settings = r.plugin, r.other, r.spec.Plugin
	t.prefix = fmt.Sprintf("check-%d-%d/", time.Now().UnixNano(), r.index)
	t.dir = filepath.Join(r.spec.WorkDir, fmt.Sprintf("check-%d", r.index))
	if err := os.MkdirAll(t.dir, 0o700); err != nil {
		return err
	}
	return runWithin(checkTimeout, t, each)
}

func (r *runner) judge(name string, expected *fault, err error, took time.Duration) {
	switch {
	case err == nil && expected == nil:
		r.passed++
		r.report("ok", name, "", took)
	case err == nil:
		r.failed++
		r.report("FAIL", name, "passed, though listed as a known fault: "+expected.reason, took)
	case expected != nil && strings.Contains(err.Error(), expected.shows):
		r.passed++
		r.known++
		r.report("known", name, expected.reason+": "+oneLine(err.Error()), took)
	default:
		r.failed++
		r.report("FAIL", name, oneLine(err.Error()), took)
	}
}

func (r *runner) report(verdict, name, detail string, took time.Duration) {
	line := fmt.Sprintf("%-5s %s (%d ms)", verdict, name, took.Milliseconds())
	if detail != "" {
		line += "\n        " + detail
	}
	fmt.Println(line)
}

func oneLine(text string) string {
	const limit = 400
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > limit {
		text = text[:limit] + "…"
	}
	return text
}

// runWithin runs a check and what every check promises. A check that hangs is left behind and its processes killed.
func runWithin(limit time.Duration, t *T, each check) error {
	result := make(chan error, 1)
	go func() { result <- runToEnd(t, each) }()
	select {
	case err := <-result:
		return err
	case <-time.After(limit):
		killEach(t)
		return fmt.Errorf("no end after %v", limit)
	}
}

// killEach kills the processes of a check that hangs, and those that it starts when its next call finds the one before
// gone; each once, since its number may be another's later.
func killEach(t *T) {
	killed := map[int]bool{}
	kill := func() {
		for _, session := range t.sessions {
			for _, id := range session.ProcessIDs() {
				if !killed[id] {
					killed[id] = true
					_ = syscall.Kill(id, syscall.SIGKILL)
				}
			}
		}
	}
	kill()
	go func() {
		for range time.Tick(100 * time.Millisecond) {
			kill()
		}
	}()
}

func runToEnd(t *T, each check) (err error) {
	defer func() {
		for _, cleanup := range t.cleanups {
			cleanup()
		}
	}()
	defer func() {
		if caught := recover(); caught != nil {
			for _, session := range t.sessions {
				session.Stop()
			}
			stopped, isFailure := caught.(failure)
			if !isFailure {
				panic(caught)
			}
			err = stopped.err
		}
	}()
	each.run(t)
	return t.judgeSessions()
}
