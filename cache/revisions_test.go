package cache

import (
	"fmt"
	"strings"
	"testing"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

func event(revision int64, key, value string) *clientv3.Event {
	if value == "-" {
		return &clientv3.Event{Type: clientv3.EventTypeDelete, Kv: &mvccpb.KeyValue{Key: []byte(key), ModRevision: revision}}
	}
	return &clientv3.Event{Kv: &mvccpb.KeyValue{Key: []byte(key), Value: []byte(value), ModRevision: revision}}
}

func TestRevisionsOfAResponse(t *testing.T) {
	for _, test := range []struct {
		name   string
		events []*clientv3.Event
		want   string
	}{
		{"none", nil, ""},
		{"one", []*clientv3.Event{event(5, "/ovs/a", "1")}, "5: /ovs/a=1"},
		{"one of several keys", []*clientv3.Event{event(5, "/ovs/a", "1"), event(5, "/ovs/b", "-")}, "5: /ovs/a=1 /ovs/b="},
		{"several", []*clientv3.Event{event(5, "/ovs/a", "1"), event(7, "/ovs/a", "2"), event(7, "/ovs", "3"), event(9, "/ovs/a", "-")},
			"5: /ovs/a=1; 7: /ovs/a=2 /ovs=3; 9: /ovs/a="},
		{"keys of others", []*clientv3.Event{event(5, "/ovs-x", "1"), event(6, "/ovs.y/z", "1"), event(6, "/ovs/a", "1")}, "5:; 6: /ovs/a=1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := &Cache{prefix: "/ovs"}
			var got []string
			for revision, changes := range c.revisions(clientv3.WatchResponse{Events: test.events}) {
				line := fmt.Sprintf("%d:", revision)
				for _, change := range changes {
					line += fmt.Sprintf(" %s=%s", change.Key, change.Value)
					if change.Deleted != (len(change.Value) == 0) {
						t.Errorf("%+v", change)
					}
				}
				got = append(got, line)
			}
			if joined := strings.Join(got, "; "); joined != test.want {
				t.Errorf("%q, want %q", joined, test.want)
			}
		})
	}
}

func TestMine(t *testing.T) {
	for _, prefix := range []string{"/ovs", ""} {
		c := &Cache{prefix: prefix}
		for key, want := range map[string]bool{"": false, "/": true, "/a": true, "a": false} {
			if got := c.mine(prefix + key); got != (want || prefix != "" && key == "") {
				t.Errorf("prefix %q, key %q: %v", prefix, prefix+key, got)
			}
		}
	}
}
