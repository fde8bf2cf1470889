package main

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestMountOptionsOfFstab(t *testing.T) {
	flags := func(name string) bool { return slices.Contains([]string{"endpoints", "read-only"}, name) }
	got, err := parseMountOptions([]string{
		"rw,_netdev,nofail,x-systemd.automount,allow_other,default_permissions",
		`uid=1000,umask=027,fsname=cfg,noexec,endpoints=a:1\,b:2,read-only`,
	}, flags)
	if err != nil {
		t.Fatal(err)
	}
	uid, umask := uint32(1000), uint32(0o27)
	want := mountOptions{
		allowOther: true, uid: &uid, umask: &umask, fsName: "cfg",
		kernel: []string{"default_permissions", "noexec"},
		flags:  [][2]string{{"endpoints", "a:1,b:2"}, {"read-only", "true"}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func FuzzMountOptions(f *testing.F) {
	f.Add("ro,uid=1,umask=022")
	f.Add(`fsname=a\,b,,=,x-`)
	f.Fuzz(func(t *testing.T, text string) {
		o, err := parseMountOptions([]string{text}, func(string) bool { return false })
		if err != nil {
			if code, _ := verdict(err); code != exitUsage {
				t.Fatal(err)
			}
		} else if len(o.flags) > 0 {
			t.Fatalf("%q set %q", text, o.flags)
		}
	})
}

func TestMountinfo(t *testing.T) {
	const table = `22 28 0:21 / /proc rw,nosuid shared:13 - proc proc rw
90 28 0:45 / /mnt/a\040b rw,nosuid,nodev shared:70 - fuse.ovscfgfs ovs\134cfg rw,user_id=0
damaged line
91 90 0:46 / /mnt/a\040b rw - tmpfs tmpfs rw
`
	list, err := parseMountinfo(strings.NewReader(table))
	want := []mounted{
		{"/proc", "proc", "proc"},
		{"/mnt/a b", "fuse.ovscfgfs", `ovs\cfg`},
		{"/mnt/a b", "tmpfs", "tmpfs"},
	}
	if err != nil || !slices.Equal(list, want) {
		t.Errorf("got %+v, %v", list, err)
	}
}

func TestUserAllowOther(t *testing.T) {
	conf := filepath.Join(t.TempDir(), "fuse.conf")
	if userAllowOther(conf) {
		t.Error("allowed without the file")
	}
	for text, want := range map[string]bool{"#user_allow_other\n": false, "mount_max = 10\n user_allow_other \n": true} {
		if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := userAllowOther(conf); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestNoDevice(t *testing.T) {
	err := checkFUSE("/nonexistent/fuse", false)
	if code, text := verdict(err); code != exitFuse || !strings.Contains(text, "modprobe fuse") {
		t.Errorf("%d: %v", code, err)
	}
}

// Mounts share --state-dir, and each has a part of its own.
func TestStateOfAMountpoint(t *testing.T) {
	long := "/" + strings.Repeat("x", 300)
	seen := map[string]string{}
	for _, mountpoint := range []string{"/ovs", "/mnt/ovs", "/mnt%2Fovs", "/mnt ovs", long, long + "y"} {
		dir := mountState("/state", mountpoint)
		if filepath.Dir(dir) != "/state" || len(filepath.Base(dir)) > 255 {
			t.Errorf("%s: %s", mountpoint, dir)
		}
		if other, taken := seen[dir]; taken {
			t.Errorf("%s and %s share %s", other, mountpoint, dir)
		}
		seen[dir] = mountpoint
	}
}
