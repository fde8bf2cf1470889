package test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Each place that skips is in skips.md, with its reason.
func TestSkips(t *testing.T) {
	page, err := os.ReadFile("skips.md")
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]int{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| ([0-9]+) \\| .+ \\|$").FindAllSubmatch(page, -1) {
		said[string(row[1])], _ = strconv.Atoi(string(row[2]))
	}
	skip := regexp.MustCompile(`\.Skip(f|Now)?\(`)
	err = filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") || filepath.Base(path) == "skips_test.go" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		n := 0
		for line := range bytes.Lines(text) {
			if skip.Match(line) {
				n++
			}
		}
		name := strings.TrimPrefix(path, "../")
		if n != said[name] {
			t.Errorf("%s skips in %d places, and skips.md tells of %d", name, n, said[name])
		}
		delete(said, name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range said {
		t.Errorf("skips.md tells of %s, which is not there", name)
	}
}
