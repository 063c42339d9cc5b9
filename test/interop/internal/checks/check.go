package checks

import (
	"slices"
	"strings"
	"time"
)

// check is one promise of a plugin, as a sentence of its behaviour.
type check struct {
	title string
	needs []Capability
	// only is the one provider whose service or keys it is about; empty means every one.
	only string
	// faults are of the official plugins that are known to break this promise.
	faults faults
	// ownKeys marks a check of configuration keys that the official plugin refuses by design.
	ownKeys bool
	run     func(t *T)
}

// faults are known faults of official plugins, by their providers as in only.
type faults map[string]fault

// of returns the fault of a provider's plugin that shows on a target, or nil.
func (f faults) of(provider, target string) *fault {
	found, isKnown := f[strings.TrimPrefix(provider, "velero.io/")]
	if !isKnown || (found.on != "" && found.on != target) {
		return nil
	}
	return &found
}

// fault is a known fault of an official plugin: why it fails, and a part of the text by which the failure shows,
// so that a failure for any other reason is not taken for it.
type fault struct {
	reason string
	shows  string
	// on is the one target where it shows; empty means all of them.
	on string
}

// checkTimeout bounds a check: the server sets no deadline on any call, so a plugin that hangs would hang us.
const checkTimeout = 3 * time.Minute

func objectChecks() []check {
	return slices.Concat(
		bodyChecks(), absenceChecks(), failureChecks(), listingChecks(), signedURLChecks(), configurationChecks(),
		checksumChecks(), corruptionChecks(), networkChecks(), truncationChecks(), crashChecks(), locationChecks(),
		azureObjectChecks(), gcpObjectChecks(), objectCopyChecks(), azureCopyChecks(),
	)
}

func volumeChecks() []check {
	return slices.Concat(persistentVolumeChecks(), volumeChecksInOneRegion(), volumeLocationChecks(), snapshotCopyChecks())
}
