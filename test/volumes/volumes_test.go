package volumes

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/openvstorage/ovscfgfs/mapping/volume"
)

// volumes is how many there are.
func volumes() int {
	if os.Getenv("OVSCFGFS_TEST_LONG") == "1" {
		return 200
	}
	return 24
}

func uuidOf(n int) string { return fmt.Sprintf("%08x-0000-4000-8000-000000000000", n) }

// vpoolOf: two of three volumes are in the vpool that has two agents.
func vpoolOf(n int) string {
	if n%3 == 2 {
		return db
	}
	return vm
}

func routerOf(n, turn int) string {
	list := routers[vpoolOf(n)]
	return list[(n+turn)%len(list)]
}

// isClone: half of the volumes are clones, of one that is made before them.
func isClone(n int) bool { return n%6 >= 3 }

func create(n int) string {
	clone := ""
	if isClone(n) {
		clone = fmt.Sprintf("echo %s > $v/parent_volume_id; echo %s > $v/snapshot_id; ", uuidOf(n-3), uuidOf(1000+n))
	}
	if n%2 == 0 {
		// A draft of another name, which is renamed when it is whole.
		return fmt.Sprintf("mkdir .draft%[1]d; v=.draft%[1]d/config; %[2]secho %[3]s > $v/volume_router; echo vol-%[1]d > $v/name; echo /d%[1]d/disk.raw > $v/filesystem_path; mv .draft%[1]d %[4]s",
			n, clone, routerOf(n, 0), uuidOf(n))
	}
	return fmt.Sprintf("mkdir %[4]s; v=%[4]s/config; %[2]secho %[3]s > $v/volume_router; echo vol-%[1]d > $v/name; echo /d%[1]d/disk.raw > $v/filesystem_path",
		n, clone, routerOf(n, 0), uuidOf(n))
}

// change is one of several things that people do to a volume.
func change(n, turn int) string {
	v := uuidOf(n) + "/config"
	switch (n + turn) % 5 {
	case 0:
		return fmt.Sprintf("echo %d > %s/sco_size", []int{4, 8, 16, 32}[turn%4], v)
	case 1:
		return fmt.Sprintf("echo /moved%d/%d.raw > %s/filesystem_path; echo %d > %s/write_buffer", turn, n, v, 128+turn, v)
	case 2:
		return fmt.Sprintf("echo %s > %s/volume_router", routerOf(n, turn), v)
	case 3:
		return fmt.Sprintf("sed -i s/CacheOn[A-Za-z]*/NoCache/ %s/cache_strategy; echo %d > %s/readcache_limit", v, turn+1, v)
	}
	return fmt.Sprintf("echo %s > %s/volume_router; echo /both%d-%d.raw > %s/filesystem_path", routerOf(n, turn+1), v, n, turn, v)
}

// each runs a script for each volume, four at a time, two on each mount.
func (s *site) each(script func(n int) string) {
	s.t.Helper()
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for n := worker; n < volumes(); n += 4 {
				text := script(n)
				if text == "" {
					continue
				}
				if _, err := s.Barrier(worker % 2); err != nil { // clones are of what others have made
					s.t.Error(err)
				}
				if err := s.sh(worker%2, vpoolOf(n), text); err != nil {
					s.t.Errorf("volume %d: %v", n, err)
				}
			}
		})
	}
	wg.Wait()
}

// Volumes are created, cloned, updated, migrated and deleted by shell scripts on
// two mounts, while agents are killed: in the end the files are what etcd says,
// and nothing was done twice.
func TestLives(t *testing.T) {
	s := newSite(t)
	s.startAll()
	begun := time.Now()
	kills := s.killing()

	s.each(func(n int) string {
		if isClone(n) {
			return ""
		}
		return create(n)
	})
	s.each(func(n int) string {
		if !isClone(n) {
			return ""
		}
		return create(n)
	})
	for turn := range 3 {
		s.awaitSettled(volumes() / 2) // so that some requests are folded and some are not
		s.each(func(n int) string { return change(n, turn) })
	}
	s.awaitSettled(volumes() / 2)
	s.each(func(n int) string {
		if n%4 != 3 || !isClone(n) {
			return ""
		}
		if n%8 == 3 {
			return "rmdir " + uuidOf(n)
		}
		return "rm -r " + uuidOf(n)
	})
	killed := kills()
	s.awaitSettled(0)
	t.Logf("%d volumes, %d agents killed, %v", volumes(), killed, time.Since(begun).Round(time.Second))
	s.compare()
}

// killing kills an agent after the other until the function that it returns is
// called, which tells how many it were.
func (s *site) killing() (stop func() int) {
	end, ended := make(chan struct{}), make(chan int)
	seed := uint64(time.Now().UnixNano())
	s.t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	var all [][2]string
	for vpool, list := range routers {
		for _, vrouter := range list {
			all = append(all, [2]string{vpool, vrouter})
		}
	}
	go func() {
		for n := 0; ; n++ {
			select {
			case <-end:
				ended <- n
				return
			case <-time.After(time.Second + time.Duration(random.Int64N(int64(4*time.Second)))):
			}
			victim := all[random.IntN(len(all))]
			s.kill(victim[0], victim[1])
		}
	}()
	return func() int {
		close(end)
		return <-ended
	}
}

// record is what the example handler keeps of a volume.
type record struct {
	There   bool
	VRouter string
	Config  map[string]any
	History []struct {
		Action     volume.Action
		Generation int64
	}
}

// compare holds the files against etcd.
func (s *site) compare() {
	s.t.Helper()
	all, err := s.stored()
	if err != nil {
		s.t.Fatal(err)
	}
	want := map[string]string{} // path -> volume
	for id, config := range all.configs {
		want[filepath.Join(s.storage, id.VPool, config["volume_router"].(string), config["filesystem_path"].(string))] = id.Volume
	}
	done := map[volume.Action]int{}
	for vpool := range routers {
		dir := filepath.Join(s.storage, vpool)
		err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case entry.Name() == ".volumes":
				s.records(path, volume.ID{VPool: vpool}, all, done)
				return filepath.SkipDir
			case entry.IsDir() || entry.Name() == ".lock":
				return nil
			}
			if want[path] == "" {
				s.t.Errorf("%s is of no volume", path)
			}
			delete(want, path)
			return nil
		})
		if err != nil {
			s.t.Fatal(err)
		}
	}
	for path, name := range want {
		s.t.Errorf("volume %s has no file %s: %+v", name, path, all.statuses[volume.ID{VPool: vm, Volume: name}])
	}
	s.t.Logf("done: %v", done)
	for _, action := range []volume.Action{volume.Create, volume.Clone, volume.Update, volume.Migrate, volume.Delete} {
		if done[action] == 0 {
			s.t.Errorf("nothing came to a %s: the test has missed its aim", action)
		}
	}
}

// records holds what the handler has noted against etcd: each generation was
// done at most once, and what it has is what is asked for.
func (s *site) records(dir string, id volume.ID, all stored, done map[volume.Action]int) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, entry := range entries {
		if strings.HasSuffix(entry.Name(), ".new") {
			continue // of one that was killed
		}
		text, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			s.t.Fatal(err)
		}
		var r record
		if err := json.Unmarshal(text, &r); err != nil {
			s.t.Errorf("%s: %v", entry.Name(), err)
			continue
		}
		id.Volume = entry.Name()
		config := all.configs[id]
		if r.There != (config != nil) || config != nil && !reflect.DeepEqual(r.Config, config) {
			s.t.Errorf("volume %s is %s, and to be %v", id.Volume, text, config)
		}
		last := int64(0)
		there := false
		for _, h := range r.History {
			done[h.Action]++
			if h.Generation <= last || h.Action == volume.Delete && !there {
				s.t.Errorf("volume %s: %s of generation %d was done again: %+v", id.Volume, h.Action, h.Generation, r.History)
			}
			last, there = h.Generation, h.Action != volume.Delete
		}
	}
}
