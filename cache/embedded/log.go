package embedded

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"

	"go.uber.org/zap/zapcore"
)

// errorCore hands what etcd logs at its error level to slog. The rest, some
// hundred lines per start, is dropped.
type errorCore struct {
	logger *slog.Logger
	// fatal is told what etcd calls fatal, before it panics of it.
	fatal func(reason string)
	// closing silences what etcd says of listeners that it is told to close.
	closing *atomic.Bool
}

func (c errorCore) Enabled(level zapcore.Level) bool {
	return level >= zapcore.ErrorLevel && !c.closing.Load()
}

func (c errorCore) With([]zapcore.Field) zapcore.Core { return c }

func (c errorCore) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(entry.Level) {
		return checked.AddCore(entry, c)
	}
	return checked
}

func (c errorCore) Write(entry zapcore.Entry, fields []zapcore.Field) error {
	encoder := zapcore.NewMapObjectEncoder()
	for _, field := range fields {
		field.AddTo(encoder)
	}
	if entry.Level >= zapcore.DPanicLevel {
		reason := entry.Message
		if cause, ok := encoder.Fields["error"]; ok {
			reason = fmt.Sprintf("%s: %v", reason, cause)
		}
		c.fatal(reason)
	}
	c.logger.LogAttrs(context.Background(), slog.LevelError, "embedded etcd: "+entry.Message, slog.Any("fields", encoder.Fields))
	return nil
}

func (c errorCore) Sync() error { return nil }
