package mapping

import (
	"bytes"
	"strings"
)

// secretWords in a name, in any case, mark what has it as a secret.
var secretWords = [...]string{"password", "passwd", "passphrase", "pwd", "secret", "token", "private_key", "privatekey", "credential"}

// Secret reports whether a leaf holds something that not everyone may read:
// its name says so, or its content has a URL with a password in it.
func Secret(name string, content []byte) bool {
	return secretName(name) || secretURL(content)
}

func secretName(name string) bool {
	name = strings.ToLower(name)
	for _, word := range secretWords {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

// secretURL finds scheme://user:password@host (RFC 3986 section 3.2.1).
func secretURL(b []byte) bool {
	for {
		at := bytes.Index(b, []byte("://"))
		if at < 0 {
			return false
		}
		b = b[at+3:]
		authority := b
		if end := bytes.IndexAny(authority, "/?# \t\r\n\"'<>"); end >= 0 {
			authority = authority[:end]
		}
		if userinfo := bytes.LastIndexByte(authority, '@'); userinfo > 0 {
			if colon := bytes.IndexByte(authority[:userinfo], ':'); colon >= 0 && colon+1 < userinfo {
				return true
			}
		}
	}
}
