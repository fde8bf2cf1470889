package services

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/openvstorage/ovscfgfs/test/harness"
)

// mounted is the sample tree on two nodes: services start from the second, people edit on the first.
func mounted(t *testing.T) *harness.Pair {
	t.Helper()
	data, err := os.ReadFile("../../contrib/sample-tree.json")
	if err != nil {
		t.Fatal(err)
	}
	var tree map[string]string
	if err := json.Unmarshal(data, &tree); err != nil {
		t.Fatal(err)
	}
	return harness.StartPair(t, func(e *harness.Etcd) {
		for key, value := range tree {
			if _, err := e.Client.Put(context.Background(), key, value); err != nil {
				t.Fatal(err)
			}
		}
	}, "--events", "off")
}

// startAll starts every service of the tree, and returns how many, and the first reason why one does not start.
func startAll(t *testing.T, root string, parameters []Parameter) (started map[string]int, failed error) {
	t.Helper()
	started = map[string]int{}
	each := func(what, pattern string, start func(file string) error) {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if err := start(file); err != nil {
				if failed == nil {
					failed = err
				}
				continue
			}
			started[what]++
		}
	}
	each("volumedriver, a key a component", "vpools/*/hosts/*/config", func(dir string) error {
		config, err := FetchComponents(dir)
		if err != nil {
			return err
		}
		return StartVolumedriver(config, parameters)
	})
	each("volumedriver, one file", "vpools/*/hosts/*", func(dir string) error {
		config, err := FetchFile(filepath.Join(dir, "config.json"))
		if err != nil {
			return err
		}
		return StartVolumedriver(config, parameters)
	})
	each("proxy", "vpools/*/proxies/*/config", func(dir string) error { return StartProxy(filepath.Join(dir, "main.json"), root) })
	each("asd", "alba/asds/*", func(dir string) error { return StartASD(filepath.Join(dir, "config.json")) })
	each("maintenance", "alba/backends/*/maintenance", func(dir string) error { return StartMaintenance(filepath.Join(dir, "config.json"), root) })
	each("arakoon", "arakoon/*/config", func(file string) error { return StartArakoon(file, "7YHl0GFdaJDsdzom") })
	return started, failed
}

func TestServicesStartFromTheMount(t *testing.T) {
	p := mounted(t)
	here, there := p.Dirs[0], p.Dirs[1]
	parameters, err := LoadParameters("../../mapping/catalogue/testdata/volumedriver-parameters.json", "5.6.2")
	if err != nil || len(parameters) == 0 {
		t.Fatal(len(parameters), err)
	}
	wantStarted := func(when string) {
		t.Helper()
		if _, err := p.Barrier(1); err != nil {
			t.Fatal(err)
		}
		started, err := startAll(t, there, parameters)
		want := map[string]int{"volumedriver, a key a component": 6, "volumedriver, one file": 6, "proxy": 6, "asd": 12, "maintenance": 2, "arakoon": 3}
		for what, n := range want {
			if started[what] != n {
				t.Errorf("%s, of the %d %s %d started: %v", when, n, what, started[what], err)
			}
		}
	}
	wantFailed := func(when, words string) {
		t.Helper()
		if _, err := p.Barrier(1); err != nil {
			t.Fatal(err)
		}
		if _, err := startAll(t, there, parameters); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %v, want ...%s...", when, err, words)
		}
	}
	shell := func(script string) {
		t.Helper()
		cmd := exec.Command("bash", "-euc", script)
		cmd.Env = append(os.Environ(), "M="+here)
		if output, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", script, err, output)
		}
	}
	wantStarted("as imported")

	// Edits with what people have. The types that the parsers insist on stay.
	shell(`for asd in "$M"/alba/asds/*; do echo 9001 > $asd/config/port; echo debug > $asd/config/log_level; done`)
	shell(`sed -i s/262/272/ "$M"/vpools/*/proxies/*/config/main/port`)
	shell(`for c in "$M"/vpools/*/hosts/*; do echo 8000 > $c/config/volume_router/vrouter_redirect_timeout_ms; echo False > $c/config/volume_router/vrouter_check; rm $c/config/volume_router/vrouter_check; done`)
	shell(`for c in "$M"/vpools/*/hosts/*/config; do jq '.scocache.trigger_gap = "1GiB" | .threadpool_component.num_threads = 8' $c.json > $c.json.tmp; mv $c.json.tmp $c.json; done`)
	shell(`for m in "$M"/alba/backends/*/maintenance; do jq '. + {osd_timeout: 20.5}' $m/config.json | sponge $m/config.json 2>/dev/null || { jq '. + {osd_timeout: 20.5}' $m/config.json > $m/.t; cat $m/.t > $m/config.json; rm $m/.t; }; done`)
	shell(`sed -i 's/^client_port = 26404/client_port = 27404/' "$M"/arakoon/*/config "$M"/vpools/*/proxies/*/config/abm`)
	wantStarted("after edits")

	// What they must not have is noticed as the services would.
	shell(`d=$(ls -d "$M"/alba/asds/* | head -1)/config; echo 1 > $d/unknown`)
	wantFailed("a field that ALBA does not know", `unknown field "unknown"`)
	shell(`d=$(ls -d "$M"/alba/asds/* | head -1)/config; rm $d/unknown; setfattr -n user.type -v string $d/port`)
	wantFailed("a port in quotes", "cannot unmarshal string")
	shell(`d=$(ls -d "$M"/alba/asds/* | head -1)/config; setfattr -n user.type -v number $d/port`)
	wantStarted("with all put back")
	shell(`d=$(ls -d "$M"/vpools/*/hosts/* | head -1)/config; echo sometimes > $d/filesystem/fs_dtl_mode`)
	wantFailed("an enumeration", `filesystem/fs_dtl_mode: "sometimes" is none of`)
	shell(`d=$(ls -d "$M"/vpools/*/hosts/* | head -1)/config; echo Synchronous > $d/filesystem/fs_dtl_mode; rm $d/scocache/backoff_gap`)
	wantFailed("a required parameter", "scocache/backoff_gap is required")
}
