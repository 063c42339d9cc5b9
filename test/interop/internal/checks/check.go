package checks

import (
	"slices"
	"time"
)

// check is one promise of a plugin, as a sentence of its behaviour.
type check struct {
	title string
	needs []Capability
	// only is the one provider whose service or keys it is about; empty means every one.
	only string
	// fault is set where the official plugin is known to break this promise.
	fault *fault
	// ownKeys marks a check of configuration keys that the official plugin refuses by design.
	ownKeys bool
	run     func(t *T)
}

// fault is a known fault of the official plugin: why it fails, and a part of the text by which the failure shows,
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
		azureObjectChecks(), azureCopyChecks(),
	)
}

func volumeChecks() []check {
	return slices.Concat(persistentVolumeChecks(), volumeChecksInOneRegion(), volumeLocationChecks())
}
