// Package specfile reads the JSON files that tell this program what to do.
package specfile

import (
	"encoding/json"
	"fmt"
	"os"
)

// Read reads a spec; an error about its content names the file.
func Read[T any](path string) (T, error) {
	var spec T
	content, err := os.ReadFile(path)
	if err != nil {
		return spec, err
	}
	if err := json.Unmarshal(content, &spec); err != nil {
		var none T
		return none, fmt.Errorf("%s: %w", path, err)
	}
	return spec, nil
}
