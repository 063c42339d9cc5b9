package veleroserver

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// clockTicksPerSecond is USER_HZ, which Linux fixes at 100 for everything that it shows in /proc.
const clockTicksPerSecond = 100

// Usage is what a process has taken so far.
type Usage struct {
	CPU           time.Duration
	PeakBytes     int64
	ResidentBytes int64
}

// UsageOf reads /proc.
func UsageOf(processID int) (Usage, error) {
	dir := filepath.Join("/proc", strconv.Itoa(processID))
	stat, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return Usage{}, err
	}
	// The second field is the command's name in parentheses and may hold spaces: count from its end.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 13 {
		return Usage{}, fmt.Errorf("unexpected /proc/%d/stat", processID)
	}
	var ticks int64
	for _, field := range fields[11:13] {
		count, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return Usage{}, err
		}
		ticks += count
	}
	status, err := os.ReadFile(filepath.Join(dir, "status"))
	if err != nil {
		return Usage{}, err
	}
	return Usage{
		CPU:           time.Duration(ticks) * time.Second / clockTicksPerSecond,
		PeakBytes:     statusBytes(string(status), "VmHWM:"),
		ResidentBytes: statusBytes(string(status), "VmRSS:"),
	}, nil
}

func statusBytes(status, name string) int64 {
	for line := range strings.Lines(status) {
		if rest, found := strings.CutPrefix(line, name); found {
			kibibytes, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			if err == nil {
				return kibibytes * 1024
			}
		}
	}
	return 0
}
