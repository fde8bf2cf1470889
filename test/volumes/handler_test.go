package volumes

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// told is the example handler with a storage of its own.
type told struct {
	t       *testing.T
	python  string
	storage string
}

// ask runs it once.
func (h told) ask(task string) string {
	h.t.Helper()
	cmd := exec.Command(h.python, "../../contrib/volumedriver-handler")
	cmd.Env = append(os.Environ(), "OVSCFGFS_STORAGE="+h.storage, "OVSCFGFS_VOLUME_SIZE=4096")
	cmd.Stdin = strings.NewReader(task)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil || !json.Valid(output) {
		h.t.Fatalf("%s: %v, %q, %s", task, err, output, &stderr)
	}
	return string(output)
}

// volume asks for an action; fields are JSON.
func (h told) volume(action, id, vrouter, fields string) string {
	h.t.Helper()
	wanted := "null"
	if action != "delete" {
		wanted = fmt.Sprintf(`{"volume_router": %q, "name": "vol-%s"%s}`, vrouter, id, fields)
	}
	return h.ask(fmt.Sprintf(`{"action": %q, "vpool": "p", "volume": %q, "vrouter": %q, "owner": "r1", "generation": 1, "old": null, "new": %s, "changed": []}`,
		action, id, vrouter, wanted))
}

func (h told) want(answer string, words ...string) {
	h.t.Helper()
	for _, w := range words {
		if !strings.Contains(answer, w) {
			h.t.Errorf("the answer %s does not have %q", answer, w)
		}
	}
	if len(words) == 0 && (strings.Contains(answer, "error") || strings.Contains(answer, "reason")) {
		h.t.Errorf("the answer is %s", answer)
	}
}

func (h told) files() string {
	var list []string
	for _, pattern := range []string{"p/r*/*", "p/r*/*/*"} {
		found, _ := filepath.Glob(filepath.Join(h.storage, pattern))
		for _, path := range found {
			if info, err := os.Stat(path); err == nil && !info.IsDir() {
				list = append(list, fmt.Sprintf("%s:%d", strings.TrimPrefix(path, h.storage+"/p/"), info.Size()))
			}
		}
	}
	return strings.Join(list, " ")
}

// The example handler holds volumes against what the volumedriver takes, and may be
// run again at any time.
func TestExampleHandler(t *testing.T) {
	h := told{t, interpreter(t), t.TempDir()}
	h.want(h.volume("create", "a", "r1", `, "filesystem_path": "/d/a", "sco_size": 5`), "sco_size must be 4", `"retry": false`)
	h.want(h.volume("create", "a", "r1", `, "filesystem_path": "/../a"`), "must be an absolute path")
	h.want(h.volume("create", "a", "r1", `, "filesystem_path": "/d/a", "readcache_limit": null`))
	h.want(h.volume("create", "a", "r1", `, "filesystem_path": "/d/a", "readcache_limit": null`))
	h.want(h.volume("create", "b", "r1", `, "filesystem_path": "/d/a"`), "FileExists", `"retry": true`)
	h.want(h.volume("clone", "c", "r2", `, "filesystem_path": "/c", "parent_volume_id": "x", "snapshot_id": "s"`), "ObjectNotFound")
	h.want(h.volume("clone", "c", "r2", `, "filesystem_path": "/c", "parent_volume_id": "a"`), "InvalidOperation")
	h.want(h.volume("clone", "c", "r2", `, "filesystem_path": "/c", "parent_volume_id": "a", "snapshot_id": "s"`))
	h.want(h.volume("delete", "a", "r1", ""), "ObjectStillHasChildren", `"retry": true`)
	h.want(h.volume("update", "a", "r1", `, "filesystem_path": "/d/b", "write_buffer": 1, "readcache_limit": 7`), `"field": "write_buffer"`)
	h.want(h.volume("update", "c", "r2", `, "filesystem_path": "/c", "parent_volume_id": "b", "snapshot_id": "s"`), "cannot be changed")
	if got := h.files(); got != "r2/c:4096 r1/d/b:4096" {
		t.Errorf("files %s", got)
	}
	h.want(h.volume("migrate", "a", "r2", `, "filesystem_path": "/d/c", "readcache_limit": 7`))
	h.want(h.volume("migrate", "a", "r2", `, "filesystem_path": "/d/c", "readcache_limit": 7`))
	h.want(h.volume("delete", "c", "r2", ""))
	h.want(h.volume("delete", "a", "r1", ""))
	h.want(h.volume("delete", "a", "r1", ""))
	if got := h.files(); got != "" {
		t.Errorf("files %s are left", got)
	}
	text, err := os.ReadFile(filepath.Join(h.storage, "p/.volumes/a"))
	if err != nil || strings.Count(string(text), `"action"`) != 4 {
		t.Errorf("the journal is %s, %v", text, err)
	}

	// A run that was killed between the move and its note is taken back.
	h.want(h.volume("create", "k", "r1", `, "filesystem_path": "/k"`))
	record := filepath.Join(h.storage, "p/.volumes/k")
	moved := filepath.Join(h.storage, "p/r1/k2")
	note, err := os.ReadFile(record)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(record, append([]byte(`{"moving": "`+moved+`", `), note[1:]...), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(h.storage, "p/r1/k"), moved); err != nil {
		t.Fatal(err)
	}
	h.want(h.volume("update", "k", "r1", `, "filesystem_path": "/k3"`))
	if got := h.files(); got != "r1/k3:4096" {
		t.Errorf("files %s", got)
	}
}

// It checks a volumedriver's configuration as the volumedriver does, and reloads it.
func TestExampleHandlerChecks(t *testing.T) {
	h := told{t, interpreter(t), t.TempDir()}
	check := func(config string) string {
		return h.ask(`{"action": "check", "service": "vpools/p/hosts/r", "running": {"volume_manager": {"read_cache_default_mode": "ContentBased"}}, "config": ` + config + `}`)
	}
	good := `"volume_manager": {"read_cache_default_mode": "ContentBased", "open_scos_per_volume": "32"}`
	h.want(check(`{`+good+`, "scocache": {"trigger_gap": "1GB", "backoff_gap": "2GiB"}, "volume_router": {"vrouter_min_workers": "4", "vrouter_max_workers": 4}}`), `"rejected": []`)
	h.want(check(`{`+good+`, "scocache": {"trigger_gap": "1GiB", "backoff_gap": "1GB"}}`), "backoff_gap")
	h.want(check(`{`+good+`, "scocache": {"trigger_gap": "0B", "backoff_gap": "1GB"}}`), "trigger_gap")
	h.want(check(`{`+good+`, "volume_router": {"vrouter_min_workers": 17}}`), "vrouter_max_workers")
	h.want(check(`{`+good+`, "fuse": {"fuse_min_workers": 0}, "file_driver": {"fd_extent_cache_capacity": "x"}}`), "fuse_min_workers", "fd_extent_cache_capacity")
	h.want(check(`{"volume_manager": {"read_cache_default_mode": "LocationBased", "open_scos_per_volume": 1024}}`), "cannot be changed while it runs", "open_scos_per_volume")
	h.want(h.ask(`{"action": "reload", "service": "vpools/p/hosts/r", "config": {}, "changed": [{"param_name": "x", "old_value": 1, "new_value": 2}]}`), `"param_name": "x"`)
}
