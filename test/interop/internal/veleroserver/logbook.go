package veleroserver

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"

	"github.com/sirupsen/logrus"
)

// Entry is one line of the log as the server would write it.
type Entry struct {
	Level   logrus.Level
	Message string
	Fields  logrus.Fields
}

func (e Entry) String() string {
	text := e.Level.String() + ": " + e.Message
	for _, key := range []string{"error", "plugin", "pluginName"} {
		if value, found := e.Fields[key]; found {
			text += fmt.Sprintf(" %s=%v", key, value)
		}
	}
	return text
}

// FromPlugin tells a line that the plugin wrote on stderr from the server's own lines about it.
func (e Entry) FromPlugin() bool {
	command, _ := e.Fields["cmd"].(string)
	return command != "" && e.Fields["pluginName"] == filepath.Base(command)
}

// Counts tells a line which a backup would count as one of its warnings and errors.
func (e Entry) Counts() bool { return e.Level <= logrus.WarnLevel }

// Logbook keeps every line that a server's logger was given.
type Logbook struct {
	lock    sync.Mutex
	entries []Entry
}

// Levels makes the logbook a logrus hook for every level.
func (l *Logbook) Levels() []logrus.Level { return logrus.AllLevels }

// Fire keeps one line.
func (l *Logbook) Fire(entry *logrus.Entry) error {
	l.lock.Lock()
	defer l.lock.Unlock()
	l.entries = append(l.entries, Entry{Level: entry.Level, Message: entry.Message, Fields: entry.Data})
	return nil
}

// Entries returns the lines so far.
func (l *Logbook) Entries() []Entry {
	l.lock.Lock()
	defer l.lock.Unlock()
	return append([]Entry(nil), l.entries...)
}

// Counted returns the lines which a backup would count as its warnings and errors.
func (l *Logbook) Counted() []Entry {
	var counted []Entry
	for _, entry := range l.Entries() {
		if entry.Counts() {
			counted = append(counted, entry)
		}
	}
	return counted
}

// Garbled returns lines of the plugin that the server could not parse: it then logs them verbatim at debug.
func (l *Logbook) Garbled() []Entry {
	var garbled []Entry
	for _, entry := range l.Entries() {
		if entry.FromPlugin() && strings.HasPrefix(entry.Message, "{") {
			garbled = append(garbled, entry)
		}
	}
	return garbled
}

// ToldOfForce tells whether the server killed a process that did not end in time.
func (l *Logbook) ToldOfForce() bool { return len(l.Find("plugin failed to exit gracefully")) > 0 }

// Find returns the lines whose message contains text.
func (l *Logbook) Find(text string) []Entry {
	var found []Entry
	for _, entry := range l.Entries() {
		if strings.Contains(entry.Message, text) {
			found = append(found, entry)
		}
	}
	return found
}
