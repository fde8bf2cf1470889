package main

import (
	"fmt"
	"os"

	"github.com/openvstorage/ovscfgfs/cache"
	"github.com/openvstorage/ovscfgfs/fs"
)

// status is what .ovscfgfs/status shows.
func (d *daemon) status(tree *cache.Cache) any {
	return struct {
		Version    string          `json:"version"`
		PID        int             `json:"pid"`
		Mountpoint string          `json:"mountpoint"`
		ReadOnly   bool            `json:"read_only"`
		Events     fs.EventsStatus `json:"events"`
		cache.Status
	}{version, os.Getpid(), d.config.mountpoint, d.config.readOnly, d.events(), tree.Status()}
}

// events says whether watchers get events. The mount may ask before it is there.
func (d *daemon) events() fs.EventsStatus {
	if m := d.served.Load(); m != nil {
		return m.Events()
	}
	return fs.EventsStatus{Reason: "the mount is starting"}
}

// shown is what .ovscfgfs/config shows: the flags' outcome, without secrets.
func (m *mountConfig) shown() any {
	return map[string]any{
		"endpoints": m.connect.Endpoints, "cacert": m.connect.CACert, "cert": m.connect.Cert, "key": m.connect.Key, "user": m.connect.User, "password_file": m.passwordFile, "insecure_skip_tls_verify": m.connect.SkipVerify,
		"prefix": m.settings.Prefix, "raw": m.settings.Raw, "exact": m.settings.Exact,
		"mountpoint": m.mountpoint, "read_only": m.readOnly, "options": m.options.kernel,
		"uid": m.uid, "gid": m.gid, "file_mode": fmt.Sprintf("%04o", m.fileMode), "dir_mode": fmt.Sprintf("%04o", m.dirMode),
		"scratch": m.scratch, "scratch_limit": m.scratchLimit, "state_dir": m.stateDir, "list_views": m.listViews, "local_locks": m.localLocks, "lock_ttl": m.lockTTL.String(), "embedded": m.embedded,
		"validate": m.validate, "references": m.references, "events": m.events,
	}
}
