package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A command line that cannot work: one line of words and the documented exit code.
func TestRefusals(t *testing.T) {
	dir := t.TempDir()
	full := filepath.Join(dir, "full")
	file := filepath.Join(dir, "file")
	for _, err := range []error{os.Mkdir(full, 0o755), os.WriteFile(filepath.Join(full, "x"), nil, 0o644), os.WriteFile(file, []byte("{\n\"a\": 1}"), 0o644)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		args  string
		code  int
		words string
	}{
		{"frobnicate", exitUsage, `there is no command "frobnicate"`},
		{"mount --frobnicate", exitUsage, "flag provided but not defined: -frobnicate (see ovscfgfs help mount)"},
		{"mount a b", exitUsage, "usage: ovscfgfs mount"},
		{"mount --prefix ovs " + dir, exitUsage, `--prefix "ovs" must start with a slash, such as /ovs`},
		{"mount --prefix / " + dir, exitUsage, "names no prefix"},
		{"mount --prefix /ovs/ " + dir, exitUsage, "must not end with a slash"},
		{"mount --prefix /a//b " + dir, exitUsage, "must not hold two slashes in a row"},
		{"mount --user root:secret " + dir, exitUsage, "--user takes a name without a password, ps shows it"},
		{"mount --password secret " + dir, exitUsage, "no password on the command line"},
		{"mount --password-file /nonexistent/p " + dir, exitInput, "--password-file cannot be read"},
		{"mount --cert x.pem " + dir, exitUsage, "--cert and --key go together"},
		{"mount --cacert /nonexistent/ca.pem " + dir, exitInput, "--cacert cannot be read"},
		{"mount --endpoints nonsense " + dir, exitUsage, "write HOST:PORT"},
		{"mount --dial-timeout 0 " + dir, exitUsage, "must be more than nothing"},
		{"mount --dial-timeout soon " + dir, exitUsage, "soon"},
		{"mount --file-mode 999 " + dir, exitUsage, "--file-mode \"999\" is no mode"},
		{"mount --uid root " + dir, exitUsage, "--uid \"root\" is no number"},
		{"mount --raw [ " + dir, exitUsage, "--raw \"[\" is no pattern"},
		{"mount --scratch-limit much " + dir, exitUsage, "--scratch-limit \"much\" is no size"},
		{"mount --log-level loud " + dir, exitUsage, "--log-level \"loud\" is none of"},
		{"mount --log-format xml " + dir, exitUsage, "--log-format \"xml\" is none of"},
		{"mount --log-file /nonexistent/log " + dir, exitInput, "--log-file cannot be written"},
		{"mount -o frobnicate " + dir, exitUsage, "-o frobnicate is no option"},
		{"mount -o uid=x " + dir, exitUsage, `-o uid=x: "x" is no number`},
		{"mount --embedded d --endpoints 127.0.0.1:1 " + dir, exitUsage, "give one of them"},
		{"mount --import /nonexistent/sample.json " + dir, exitInput, "the file to import cannot be read"},
		{"mount --import " + file + " " + dir, exitInput, "line 2"},
		{"mount /nonexistent/mountpoint", exitMountpoint, "does not exist: make it first"},
		{"mount " + file, exitMountpoint, "is not a directory"},
		{"mount " + full, exitMountpoint, "is not empty"},
		{"import", exitUsage, "usage: ovscfgfs import [flags] FILE"},
		{"import /nonexistent/file", exitInput, "the file to import cannot be read"},
		{"export --format tree --output -", exitUsage, "--format tree needs a directory"},
		{"export x", exitUsage, "usage: ovscfgfs export"},
		{"txn", exitUsage, "usage: ovscfgfs txn [flags] -- COMMAND"},
		{"txn --mountpoint " + dir + " -- true", exitMountpoint, "no ovscfgfs is mounted on " + dir},
		{"umount", exitUsage, "usage: ovscfgfs umount [flags] MOUNTPOINT"},
		{"umount " + dir, exitMountpoint, "no ovscfgfs is mounted on " + dir},
		{"umount /nonexistent", exitMountpoint, "cannot be reached"},
		{"status " + dir, exitMountpoint, "no ovscfgfs is mounted on " + dir},
		{"completion fish", exitUsage, "for bash only"},
		{"version x", exitUsage, "usage: ovscfgfs version"},
	} {
		t.Run(test.args, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			args := append([]string{"ovscfgfs"}, strings.Fields(test.args)...)
			if args[1] == "mount" {
				args = slices.Insert(args, 2, "--state-dir", t.TempDir())
			}
			code := run(args, &stdout, &stderr)
			if code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			if text := stderr.String(); !strings.Contains(text, test.words) || !strings.HasPrefix(text, "ovscfgfs: ") || strings.Count(text, "\n") != 1 {
				t.Errorf("got %q, want one line with %q", text, test.words)
			}
		})
	}
}

func TestHelpVersionAndCompletionPrint(t *testing.T) {
	for args, words := range map[string]string{
		"help":       "COMMANDS:",
		"":           "COMMANDS:",
		"help mount": "--embedded-listen",
		"version":    "ovscfgfs unknown\n",
		"completion": "complete -o default",
	} {
		var stdout, stderr bytes.Buffer
		if code := run(append([]string{"ovscfgfs"}, strings.Fields(args)...), &stdout, &stderr); code != exitOK || !strings.Contains(stdout.String(), words) {
			t.Errorf("%q: exit code %d, %q%q", args, code, stdout.String(), stderr.String())
		}
	}
}

func TestFlagsMayFollowArguments(t *testing.T) {
	app := newApp(nil, nil)
	for args, want := range map[string]string{
		"mount /mnt -o ro":                "mount -o ro /mnt",
		"mount /mnt --read-only -o ro":    "mount --read-only -o ro /mnt",
		"mount --read-only /mnt":          "mount --read-only /mnt",
		"mount /mnt --prefix=/x --exact":  "mount --prefix=/x --exact /mnt",
		"import - --if-empty":             "import --if-empty -",
		"umount --lazy -- -strange":       "umount --lazy -- -strange",
		"mount /mnt -o":                   "mount -o /mnt",
		"frobnicate /mnt --read-only":     "frobnicate /mnt --read-only",
		"--help":                          "--help",
		"":                                "",
		"mount a --prefix /x b --unknown": "mount --prefix /x --unknown a b",
	} {
		got := flagsFirst(app, append([]string{"ovscfgfs"}, strings.Fields(args)...))
		if text := strings.Join(got[1:], " "); text != want {
			t.Errorf("%q became %q, want %q", args, text, want)
		}
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "1": 1, "7B": 7, "64MiB": 64 << 20, "1G": 1 << 30, "3KiB": 3 << 10} {
		if got, err := parseSize(text); got != want || err != nil {
			t.Errorf("%s: %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "MiB", "-1", "1.5M", "1TiB", "9999999999999999999", "9000000000GiB", "1 MiB"} {
		if got, err := parseSize(text); err == nil {
			t.Errorf("%q was taken for %d", text, got)
		}
	}
}
