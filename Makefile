# make run    try it: embedded etcd, the sample tree, mounted on ./mnt
# make test   install what the tests need and run everything that CI runs
# The rest: build, install, lint, unit, fuzz, bench, packages.

SHELL      := /bin/bash
.DEFAULT_GOAL := build
.SHELLFLAGS := -euo pipefail -c

VERSION    ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
PREFIX     ?= /usr/local
# -w leaves the debugger's tables out: linking is half as long, stack traces stay.
LDFLAGS    := -w -X main.version=$(VERSION)
GO         ?= go
# Executions of each fuzz target; a count, because a time ends some runs with a false failure on slow machines.
FUZZTIME   ?= 3000x
# Minutes that one package's tests may take; CI machines can be slow.
TESTTIME   ?= 20m

# What runs the daemon, and the tools that the tests run for real. An
# executable (or a file, by its whole path) on the left, the Debian package that
# has it on the right.
RUN_TOOLS  := fusermount3:fuse3
TEST_TOOLS := $(RUN_TOOLS) gcc:gcc /usr/include/stdlib.h:libc6-dev nano:nano emacs:emacs-nox rsync:rsync sponge:moreutils \
	inotifywait:inotify-tools getfattr:attr getfacl:acl vim:vim ed:ed patch:patch jq:jq \
	dash:dash git:git perl:perl tar:tar python3:python3 unshare:util-linux \
	dos2unix:dos2unix umount:mount ps:procps diff:diffutils find:findutils setpriv:util-linux \
	entr:entr watchmedo:python3-watchdog /lib/systemd/systemd:systemd

.PHONY: build install run test unit lint fuzz bench packages run-packages clean

build:
	$(GO) build -buildvcs=false -ldflags '$(LDFLAGS)' -o bin/ovscfgfs ./cmd/ovscfgfs

install: build
	install -D -m 755 bin/ovscfgfs $(DESTDIR)$(PREFIX)/bin/ovscfgfs
	install -D -m 755 contrib/mount.fuse.ovscfgfs $(DESTDIR)/sbin/mount.fuse.ovscfgfs
	install -D -m 644 contrib/ovscfgfs.service $(DESTDIR)/lib/systemd/system/ovscfgfs.service
	install -d $(DESTDIR)$(PREFIX)/share/bash-completion/completions
	bin/ovscfgfs completion > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/ovscfgfs

run: run-packages build
	@contrib/try bin/ovscfgfs

test: packages lint unit fuzz

lint:
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); \
	if [ -n "$$unformatted" ]; then echo "gofmt -w these files:" $$unformatted >&2; exit 1; fi
	$(GO) vet ./...
	$(GO) tool staticcheck ./...

unit:
	$(GO) test -race -buildvcs=false -ldflags=-w -timeout $(TESTTIME) ./...

# Each target FUZZTIME long; go test fuzzes one target of one package at a time.
fuzz:
	@git ls-files '*_test.go' | xargs grep -oH '^func Fuzz[A-Za-z0-9_]*' | sort -u | \
	while IFS=: read -r file match; do \
		target=$${match#func }; echo "fuzz $$target"; \
		$(GO) test -buildvcs=false -ldflags=-w -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x "./$$(dirname "$$file")" </dev/null; \
	done

bench: run-packages
	$(GO) run -buildvcs=false -ldflags=-w ./test/bench

packages:
	@contrib/install-tools $(TEST_TOOLS)

run-packages:
	@contrib/install-tools $(RUN_TOOLS)

clean:
	rm -rf bin
