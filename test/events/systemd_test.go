package events

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/openvstorage/ovscfgfs/test/harness"
)

// systemd is the manager that Debian has; it watches paths as a user's manager
// too, which needs no booted system but for the sign of one.
const systemd = "/lib/systemd/systemd"

func systemdPath(t *testing.T, p *node, d string) {
	if _, err := os.Stat(systemd); err != nil {
		t.Skip("systemd is not installed")
	}
	work := t.TempDir()
	out := filepath.Join(work, "out")
	file := p.at(d + "/key")
	for name, unit := range map[string]string{
		"config.path":    fmt.Sprintf("[Path]\nPathModified=%s\nTriggerLimitIntervalSec=0\n", file),
		"config.service": fmt.Sprintf("[Service]\nType=oneshot\nExecStart=/bin/sh -c 'cat %s >>%s'\n", file, out),
		"start.service":  fmt.Sprintf("[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo ready >>%s'\n", out),
		"default.target": "[Unit]\nWants=config.path start.service\nAfter=config.path\n",
	} {
		limits := "[Unit]\nDefaultDependencies=no\nStartLimitIntervalSec=0\n"
		if name == "start.service" {
			limits += "After=config.path\n"
		}
		writeFile(t, filepath.Join(work, name), limits+unit)
	}
	// In a mount namespace of its own, where the system looks booted by systemd.
	script := fmt.Sprintf(`mkdir -p /run/systemd && mount -t tmpfs none /run/systemd && mkdir /run/systemd/system &&
		exec env XDG_RUNTIME_DIR=%[1]s SYSTEMD_UNIT_PATH=%[1]s %[2]s --user --unit=default.target --log-target=console`, work, systemd)
	words := run(t, "", "unshare", "--mount", "--propagation", "slave", "sh", "-c", script)
	read := func() string { b, _ := os.ReadFile(out); return string(b) }
	var said []string
	ended := false
	if !harness.Await(func() bool { said, ended = words.sofar(said); return ended || read() != "" }) || ended {
		t.Skipf("systemd does not run here: %q", said)
	}
	hearsBetween(t, p, d+"/key", func(value string) bool { return strings.HasSuffix(read(), "\n"+value+"\n") })
}
