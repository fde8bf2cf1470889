package main

import (
	"bytes"
	"net/url"
	"strings"

	"github.com/openvstorage/ovscfgfs/fs"
	"github.com/openvstorage/ovscfgfs/mapping"
	"github.com/openvstorage/ovscfgfs/mapping/catalogue"
)

// What --references takes.
const (
	referencesText    = "text"
	referencesSymlink = "symlink"
)

// references tells a mount which values refer to others. endpoint is what a URL that
// is made names.
func references(known *catalogue.Catalogue, settings mapping.Settings, mode, endpoint string) (fs.References, error) {
	empty, err := mapping.NewTree(settings) // knows the paths of keys
	if err != nil {
		return fs.References{}, err
	}
	r := fs.References{Target: func(path string, n mapping.Node) (string, bool) {
		if n.Type() != mapping.String {
			return "", false
		}
		return known.Target(empty, path, strings.TrimSuffix(string(n.Content()), "\n"))
	}}
	if mode != referencesSymlink {
		return r, nil
	}
	r.TargetOf = func(text string) (string, bool) {
		key, ok := catalogue.ReferenceKey(text)
		if !ok || strings.ContainsRune(key, 0) {
			return "", false
		}
		return empty.PathOf(key)
	}
	r.Link = func(n mapping.Node) (string, bool) {
		text := n.Content()
		if !bytes.HasPrefix(text, []byte("etcd://")) || mapping.Secret(n.Name(), text) {
			return "", false
		}
		return r.TargetOf(strings.TrimSuffix(string(text), "\n"))
	}
	r.URL = func(t *mapping.Tree, target string) (string, error) {
		key, err := t.KeyOf(target)
		if err != nil {
			return "", err
		}
		return "etcd://" + endpoint + (&url.URL{Path: key}).EscapedPath(), nil
	}
	return r, nil
}

// urlHost is the address of an endpoint as a URL of etcd names it: HOST:PORT.
func urlHost(endpoints []string) string {
	for _, endpoint := range endpoints {
		if _, rest, ok := strings.Cut(endpoint, "://"); ok {
			if strings.HasPrefix(endpoint, "unix") {
				continue
			}
			endpoint = rest
		}
		if endpoint = strings.TrimSuffix(endpoint, "/"); endpoint != "" {
			return endpoint
		}
	}
	return "127.0.0.1:2379"
}
