package test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/openvstorage/ovscfgfs"

// arrow forbids the packages at and below one directory to import others. The
// tests of a package may import what they like.
type arrow struct {
	from string   // directory
	to   []string // import paths, each with all below it
	why  string
}

func arrows() []arrow {
	return []arrow{
		{"mapping", []string{module}, "mapping is the lowest layer: the others build on it, and it on nothing of this module"},
		{"mapping", []string{"os", "io/fs", "net", "context", "syscall", "os/exec", "golang.org/x/sys"},
			"an edit may run again on a newer tree: mapping is pure and waits for nothing"},
		{"mapping", []string{"github.com/hanwen/go-fuse"}, "only fs speaks to the kernel"},
		{"mapping", []string{"go.etcd.io", "google.golang.org/grpc"}, "only cache speaks etcd; mapping has its own KV"},
		{"mapping", []string{"log", "log/slog"}, "what mapping has to say it returns as an Error"},
		{"fs", []string{module + "/cache", module + "/cmd", module + "/test"},
			"fs declares the Store it needs, so that its tests need no etcd"},
		{"fs", []string{"go.etcd.io", "google.golang.org/grpc"}, "only cache speaks etcd"},
		{"cache", []string{module + "/fs", module + "/cmd", module + "/test"},
			"the copy of the prefix knows nothing of who shows it"},
		{"cache", []string{"github.com/hanwen/go-fuse"}, "only fs speaks to the kernel"},
		{"cmd", []string{module + "/test"}, "the program does not depend on its tests"},
	}
}

// TestLayers holds the arrows of the layers: cmd -> fs, cache -> mapping.
func TestLayers(t *testing.T) {
	seen := map[string]bool{}
	for path, file := range sources(t) {
		layer, _, _ := strings.Cut(path, "/")
		seen[layer] = true
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range arrows() {
				if a.from == layer && slices.ContainsFunc(a.to, func(to string) bool { return imported == to || strings.HasPrefix(imported, to+"/") }) {
					if within(imported, layer) {
						continue
					}
					t.Errorf("%s imports %s: %s", path, imported, a.why)
				}
			}
		}
	}
	for _, layer := range []string{"mapping", "cache", "fs"} {
		if !seen[layer] {
			t.Errorf("the layer %s has no files: an arrow that nothing can break holds nothing", layer)
		}
	}
}

// within reports whether an import is of the layer's own packages.
func within(imported, layer string) bool {
	own := module + "/" + layer
	return imported == own || strings.HasPrefix(imported, own+"/")
}

// TestPackageComments holds that each package says in one place what it is.
func TestPackageComments(t *testing.T) {
	comments := map[string][]string{}
	for path, file := range sources(t) {
		directory := filepath.Dir(path)
		list := comments[directory]
		if file.Doc != nil {
			list = append(list, path)
		}
		comments[directory] = list
	}
	for directory, files := range comments {
		if len(files) != 1 {
			slices.Sort(files)
			t.Errorf("%s has %d package comments, not one: %v", directory, len(files), files)
		}
	}
}

// sources are all Go files of the module but tests, by path, with imports and comments.
func sources(t *testing.T) map[string]*ast.File {
	t.Helper()
	files := map[string]*ast.File{}
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() {
			if name != ".." && (strings.HasPrefix(name, ".") || name == "testdata" || name == "vendor") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel("..", path)
		files[filepath.ToSlash(relative)] = file
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
