package services

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// What ALBA reads (src/asd_config.ml, proxy_cfg.ml, maintenance_config.ml). Its parsers are typed: a
// whole number is none with quotes, and a field that they do not know is an error. Pointers are what may be missing.

type asdConfig struct {
	IPs        []string                       `json:"ips"`
	Port       *int                           `json:"port"`
	NodeID     string                         `json:"node_id"`
	Home       string                         `json:"home"`
	LogLevel   string                         `json:"log_level"`
	ASDID      *string                        `json:"asd_id"`
	Limit      *int64                         `json:"limit"`
	BufferSize *int                           `json:"buffer_size"`
	Multicast  *float64                       `json:"multicast"`
	Transport  *string                        `json:"transport"`
	Capacity   *int64                         `json:"capacity"`
	BlockCache *int                           `json:"rocksdb_block_cache_size"`
	TLS        *struct{ Cert, Key, Port any } `json:"tls"`
	TCPKeep    any                            `json:"tcp_keepalive"`
}

type proxyConfig struct {
	IPs            []string `json:"ips"`
	Port           *int     `json:"port"`
	LogLevel       string   `json:"log_level"`
	FragmentDir    string   `json:"fragment_cache_dir"`
	ManifestSize   *int     `json:"manifest_cache_size"`
	FragmentSize   *int     `json:"fragment_cache_size"`
	AlbamgrURL     *string  `json:"albamgr_cfg_url"`
	AlbamgrFile    *string  `json:"albamgr_cfg_file"`
	AlbamgrPool    *int     `json:"albamgr_connection_pool_size"`
	NSMPool        *int     `json:"nsm_host_connection_pool_size"`
	OSDPool        *int     `json:"osd_connection_pool_size"`
	OSDTimeout     *float64 `json:"osd_timeout"`
	MaxConnections *int     `json:"max_client_connections"`
}

type maintenanceConfig struct {
	LogLevel   string   `json:"log_level"`
	AlbamgrURL *string  `json:"albamgr_cfg_url"`
	OSDTimeout *float64 `json:"osd_timeout"`
	Load       *float64 `json:"load"`
}

func readStrictly(file string, config any) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.DisallowUnknownFields()
	if err := d.Decode(config); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

func checkLevel(level string) error {
	if !slices.Contains([]string{"debug", "info", "notice", "warning", "error", "fatal"}, level) {
		return fmt.Errorf("log_level %q is none", level)
	}
	return nil
}

// StartASD reports why an asd with this configuration file would not start.
func StartASD(file string) error {
	var c asdConfig
	if err := readStrictly(file, &c); err != nil {
		return err
	}
	switch {
	case c.NodeID == "" || c.Home == "":
		return errors.New("node_id and home are required")
	case c.Port == nil && c.TLS == nil:
		return errors.New("one of port and tls is required")
	}
	return checkLevel(c.LogLevel)
}

// StartProxy reports why a proxy would not start. root is the directory that shows /ovs.
func StartProxy(file, root string) error {
	var c proxyConfig
	if err := readStrictly(file, &c); err != nil {
		return err
	}
	switch {
	case len(c.IPs) == 0 || c.Port == nil || c.FragmentDir == "":
		return errors.New("ips, port and fragment_cache_dir are required")
	case (c.AlbamgrURL == nil) == (c.AlbamgrFile == nil):
		return errors.New("one of albamgr_cfg_url and albamgr_cfg_file is required, and not both")
	}
	if err := checkLevel(c.LogLevel); err != nil {
		return err
	}
	return followURL(*c.AlbamgrURL, root)
}

// StartMaintenance reports why a maintenance agent would not start.
func StartMaintenance(file, root string) error {
	var c maintenanceConfig
	if err := readStrictly(file, &c); err != nil {
		return err
	}
	if c.AlbamgrURL == nil {
		return errors.New("albamgr_cfg_url is required")
	}
	if err := checkLevel(c.LogLevel); err != nil {
		return err
	}
	return followURL(*c.AlbamgrURL, root)
}

// followURL reads the Arakoon configuration that a URL names.
func followURL(text, root string) error {
	u, err := url.Parse(text)
	if err != nil {
		return err
	}
	return StartArakoon(filepath.Join(root, strings.TrimPrefix(u.Path, "/ovs/")), "")
}
