package volume

import "strings"

// ID names a volume: its vpool and its UUID.
type ID struct{ VPool, Volume string }

// ConfigKey, LifecycleKey and StatusKey are the volume's keys below the prefix.
func (v ID) ConfigKey() string    { return v.dir() + "/config" }
func (v ID) LifecycleKey() string { return "vpool/" + v.VPool + "/lifecycle/" + v.Volume }
func (v ID) StatusKey() string    { return "vpool/" + v.VPool + "/status/" + v.Volume }

func (v ID) dir() string { return "vpool/" + v.VPool + "/volumes/" + v.Volume }

// OfConfigKey returns the volume whose config the key is.
func OfConfigKey(key string) (ID, bool) {
	if !strings.HasPrefix(key, "vpool/") {
		return ID{}, false // as most keys are: each of each change is asked about
	}
	p := strings.Split(key, "/")
	if len(p) != 5 || p[0] != "vpool" || p[2] != "volumes" || p[4] != "config" {
		return ID{}, false
	}
	return ID{p[1], p[3]}, true
}
