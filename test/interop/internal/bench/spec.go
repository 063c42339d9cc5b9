package bench

import (
	"time"

	"flotilla.io/test/interop/internal/delayproxy"
)

// Spec says what to measure. What the numbers mean, and which are good, is decided by who reads them.
type Spec struct {
	// Provider is the implementation name of the plugins.
	Provider string    `json:"provider"`
	Subjects []Subject `json:"subjects"`
	// Endpoint is the store's, over plain HTTP; Bucket is there already.
	Endpoint string `json:"endpoint"`
	Bucket   string `json:"bucket"`
	// Location holds the keys that lead there, and Credentials is the text of the credentials file.
	Location    map[string]string `json:"location"`
	Credentials string            `json:"credentials"`
	Cases       []Case            `json:"cases"`
	WorkDir     string            `json:"workDir"`
}

// Subject is one of the plugins that are measured in turn.
type Subject struct {
	Name string `json:"name"`
	Dir  string `json:"dir"`
}

// Case is one thing to measure.
type Case struct {
	Name string `json:"name"`
	// Kind is start, idle, put or get.
	Kind         string  `json:"kind"`
	SizeBytes    int64   `json:"sizeBytes"`
	Objects      int     `json:"objects"`
	AtOnce       int     `json:"atOnce"`
	RoundTripMs  float64 `json:"roundTripMs"`
	MiBPerSecond float64 `json:"mibPerSecond"`
	Repetitions  int     `json:"repetitions"`
}

// Sample is one measurement, printed as a line of JSON.
type Sample struct {
	Case    string `json:"case"`
	Subject string `json:"subject"`
	// Seconds is the wall-clock time of what the case measures.
	Seconds float64 `json:"seconds"`
	Bytes   int64   `json:"bytes"`
	// CPUSeconds are user and system time of the plugin's process for it.
	CPUSeconds float64 `json:"cpuSeconds"`
	// PeakBytes is the highest resident size of the plugin's process since its start.
	PeakBytes int64 `json:"peakBytes"`
	// ResidentBytes is its resident size at the end.
	ResidentBytes int64 `json:"residentBytes"`
}

func (c Case) line() (delayproxy.Line, bool) {
	line := delayproxy.Line{
		RoundTrip:      time.Duration(c.RoundTripMs * float64(time.Millisecond)),
		BytesPerSecond: c.MiBPerSecond * (1 << 20),
	}
	return line, c.RoundTripMs > 0 || c.MiBPerSecond > 0
}
