package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The Go of Debian 12 and Ubuntu 22.04 says of go.mod only that it is invalid.
func TestInstallToolsTellsOfAnOldGo(t *testing.T) {
	for version, old := range map[string]bool{
		"go version go1.19.8 linux/amd64": true,
		"go version go1.18 linux/amd64":   true,
		"go version go1.21.0 linux/amd64": false,
		"go version go1.26.8 linux/amd64": false,
		"go version devel go1.27-1234":    false,
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "go"), []byte("#!/bin/sh\necho "+version+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("../contrib/install-tools", "sh:dash", "go:golang-go")
		cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
		out, err := cmd.CombinedOutput()
		if (err != nil) != old || old != strings.Contains(string(out), "bookworm-backports") {
			t.Errorf("%s: %v, %s", version, err, out)
		}
	}
}
