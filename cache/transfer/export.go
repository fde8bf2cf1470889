package transfer

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"unicode/utf8"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// exportPage bounds the keys of one range request.
const exportPage = 2000

// Export writes prefix and all keys below it as they are at one revision, one
// key a line, in key order, and returns the number of keys. What it writes
// Parse reads back to the same bytes. A failure leaves a file that is cut off.
func Export(ctx context.Context, client *clientv3.Client, prefix string, w io.Writer) (keys int, err error) {
	out := bufio.NewWriter(w)
	revision := int64(0)
	write := func(key, value []byte) error {
		separator := ",\n "
		if keys == 0 {
			separator = "{\n "
		}
		keys++
		_, err := out.WriteString(separator + text(encodeKey(string(key))) + ": " + encodeValue(value))
		return err
	}
	for from := prefix; from != ""; {
		options := append(rangeOf(prefix), clientv3.WithLimit(exportPage), clientv3.WithRev(revision))
		response, err := client.Get(ctx, from, options...)
		if err != nil {
			return keys, refused("reading "+prefix, err)
		}
		if revision == 0 {
			revision = response.Header.Revision
		}
		from = ""
		for _, kv := range response.Kvs {
			if response.More {
				from = string(kv.Key) + "\x00"
			}
			if !below(string(kv.Key), prefix) {
				continue
			}
			if err := write(kv.Key, kv.Value); err != nil {
				return keys, unwritable(err)
			}
		}
	}
	closing := "\n}\n"
	if keys == 0 {
		closing = "{}\n"
	}
	if _, err := out.WriteString(closing); err != nil {
		return keys, unwritable(err)
	}
	if err := out.Flush(); err != nil {
		return keys, unwritable(err)
	}
	return keys, nil
}

func unwritable(err error) error {
	return mapping.Errorf(mapping.Other, "", "the export cannot be written: %w", err)
}

func encodeValue(value []byte) string {
	if utf8.Valid(value) {
		return text(string(value))
	}
	return `{"base64": "` + base64.StdEncoding.EncodeToString(value) + `"}`
}

// text is a JSON string in which < > and & stay readable.
func text(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string and a buffer cannot fail
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}
