package model

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// passer reads in a mount, and watches it, while something changes there: the
// kernel gets to hold, at any moment, whatever it may.
type passer struct {
	chooser // what is read
	watched chooser
	root    string
	paths   chan []string
	done    chan struct{}
	inotify int
}

func newPasser(root string, seed uint64) *passer {
	p := &passer{chooser: chooser{rand.New(rand.NewPCG(seed, 2))}, watched: chooser{rand.New(rand.NewPCG(seed, 3))}, root: root, paths: make(chan []string), done: make(chan struct{}), inotify: -1}
	go p.run()
	return p
}

// pass has it read some of the paths.
func (p *passer) pass(paths []string) { p.paths <- paths }

// await returns when it has read.
func (p *passer) await() { <-p.done }

func (p *passer) end() {
	close(p.paths)
	<-p.done
	p.unwatch()
}

func (p *passer) run() {
	defer close(p.done)
	for paths := range p.paths {
		for range p.IntN(4) {
			if len(paths) > 0 {
				p.read(pick(p.chooser, paths...))
			}
		}
		p.done <- struct{}{}
	}
}

// read looks at what may be there or not.
func (p *passer) read(path string) {
	at := filepath.Join(p.root, path)
	switch p.IntN(6) {
	case 0:
		_, _ = os.Lstat(at)
	case 1:
		_, _ = os.ReadDir(at)
	case 2:
		_, _ = os.ReadDir(filepath.Dir(at))
	case 3:
		_, _ = os.Lstat(filepath.Join(at, p.name()))
	case 4:
		_, _ = os.Lstat(filepath.Join(filepath.Dir(at), p.name()))
	default:
		_, _ = os.ReadFile(at)
	}
}

// watch has some of the paths watched from now on, and none of before.
func (p *passer) watch(paths []string) (err error) {
	p.unwatch()
	if p.watched.IntN(3) == 0 {
		return nil
	}
	if p.inotify, err = unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK); err != nil {
		return err
	}
	for _, path := range append(paths, "") {
		if p.watched.IntN(2) == 0 {
			// It may be gone, of course.
			_, _ = unix.InotifyAddWatch(p.inotify, filepath.Join(p.root, path), unix.IN_ALL_EVENTS)
		}
	}
	return nil
}

func (p *passer) unwatch() {
	if p.inotify >= 0 {
		_ = syscall.Close(p.inotify)
		p.inotify = -1
	}
}
