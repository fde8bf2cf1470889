package catalogue

import "testing"

func TestReferenceKey(t *testing.T) {
	for text, want := range map[string]string{
		"etcd://127.0.0.1:2379/ovs/a": "/ovs/a",
		"etcd://h/ovs/a/":             "/ovs/a",
		"etcd://a:1,b:2/ovs/a":        "/ovs/a",
		"etcd://u:p@h/ovs/a%20b%2Fc":  "/ovs/a b/c",
		"etcd://h/ovs/a?ini=%2Fx":     "/ovs/a",
		"etcd://[::1]:2379/ovs//a":    "/ovs//a",
		"etcd://h":                    "",
		"etcd://h/":                   "",
		"etcd:///ovs/a":               "",
		"etcd://h/a%2":                "",
		"etcd://h/a%zz":               "",
		"etcd://h/a%+1":               "",
		"arakoon://cluster/ovs/a":     "",
		"ETCD://h/ovs/a":              "",
		"":                            "",
	} {
		if got, ok := ReferenceKey(text); ok != (want != "") || ok && got != want {
			t.Errorf("%q: %q, %v; want %q", text, got, ok, want)
		}
	}
}
