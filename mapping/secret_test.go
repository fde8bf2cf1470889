package mapping

import "testing"

func TestSecret(t *testing.T) {
	for _, c := range []struct {
		name, content string
		want          bool
	}{
		{"password", "", true},
		{"S3_Secret_Key", "", true},
		{"access-token", "", true},
		{"x%2Fpassword", "", true},
		{"port", "26203\n", false},
		{"url", "amqp://ovs:0penv@10.0.0.1:5672//\n", true},
		{"url", "etcd://127.0.0.1:2379/ovs/x", false},
		{"url", "https://user@host/", false},
		{"url", "https://user:@host/", false},
		{"url", "https://host/a:b@c", false},
		{"ini", "[a]\nuri = http://h/\nother = ftp://u:p@h\n", true},
		{"text", "://", false},
		{"", "", false},
	} {
		if got := Secret(c.name, []byte(c.content)); got != c.want {
			t.Errorf("Secret(%q, %q) is %v", c.name, c.content, got)
		}
	}
}

func FuzzSecret(f *testing.F) {
	f.Add("url", []byte("a://b:c@d"))
	f.Add("token", []byte{0xff, 0})
	f.Fuzz(func(t *testing.T, name string, content []byte) {
		if Secret(name, content) != (secretName(name) || secretURL(content)) {
			t.Error("not the sum of its parts")
		}
		if secretURL(content) && !secretURL(append([]byte("before "), content...)) {
			t.Error("what comes before a URL hides it")
		}
	})
}
