package checks

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// control is the address at which a stand-in takes commands while it runs.
type control string

var controlClient = &http.Client{Timeout: 30 * time.Second}

func (c control) tell(command string) error {
	response, err := controlClient.Post(string(c), "text/plain", strings.NewReader(command))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		answer, _ := io.ReadAll(response.Body)
		return fmt.Errorf("%s: %s", command, answer)
	}
	return nil
}

// lose takes a region away until the check has ended, or the function that comes back is called.
func (t *T) lose(c control, region string) (restore func()) {
	t.NoError(c.tell("lose-region "+region), "lose "+region)
	isLost := true
	restore = func() {
		if isLost {
			isLost = false
			t.NoError(c.tell("restore-region "+region), "restore "+region)
		}
	}
	t.Cleanup(func() {
		// A check that failed already is not to end in a panic of its cleanup.
		if isLost {
			_ = c.tell("restore-region " + region)
		}
	})
	return restore
}

// A plugin process remembers for half a minute that a region is out of reach; the server asks it again later.
const remembersLossFor = 30 * time.Second

// whenItIsBack repeats what a plugin refuses while it still takes the region for lost, as the server does.
func (t *T) whenItIsBack(what string, do func() error) {
	deadline := time.Now().Add(remembersLossFor + patience)
	err := do()
	for err != nil && time.Now().Before(deadline) {
		time.Sleep(time.Second)
		err = do()
	}
	t.NoError(err, what+" when the region is back")
}
