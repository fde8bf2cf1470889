package program

import "sync"

// kept is the beginning, or the end, of what a program writes. What is more is
// read and dropped, so that the program does not wait.
type kept struct {
	most int
	end  bool

	mu   sync.Mutex // the program may still write when it was given up
	data []byte
}

func (k *kept) Write(b []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.end {
		k.data = append(k.data, b...)
		if excess := len(k.data) - k.most; excess > 0 {
			k.data = append(k.data[:0], k.data[excess:]...)
		}
	} else if room := k.most - len(k.data); room > 0 {
		k.data = append(k.data, b[:min(room, len(b))]...)
	}
	return len(b), nil
}

func (k *kept) bytes() []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]byte(nil), k.data...)
}
