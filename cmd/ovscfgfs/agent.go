package main

import (
	"context"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/openvstorage/ovscfgfs/cache/agent"
	"github.com/openvstorage/ovscfgfs/cache/agent/program"
	"github.com/openvstorage/ovscfgfs/mapping/catalogue"
	"github.com/openvstorage/ovscfgfs/mapping/service"
)

func agentCommand() *cli.Command {
	return &cli.Command{
		Name:      "agent",
		Usage:     "do what the tree asks for: the volumes of a vrouter, or the reloads of a service",
		ArgsUsage: " ",
		Description: "ovscfgfs agent --vpool P --vrouter R --handler PROG   creates, clones, updates, migrates and deletes the volumes of R\n" +
			"ovscfgfs agent --service DIR --handler PROG           checks and reloads the service when its counter DIR/reload is touched\n" +
			"PROG is run for each action (docs/agents.md). Of several agents of one name one acts. Ends at SIGINT or SIGTERM with 0, after the actions that run.",
		Flags: append(etcdFlags(),
			stringFlag("vpool", "", "the vpool of the volumes"),
			stringFlag("vrouter", "", "the volumes whose volume_router this is"),
			stringFlag("service", "", "the directory of the service: a path on a mount, or a key"),
			stringFlag("handler", "", "run `PROG` for each action"),
			&cli.IntFlag{Name: "concurrency", Value: 4, Usage: "work on so many volumes at once", EnvVars: env("concurrency")},
			durationFlag("timeout", 5*time.Minute, "end a handler after this time"),
			&cli.IntFlag{Name: "retries", Value: 10, Usage: "try a failed action again so many times; a deletion without end", EnvVars: env("retries")},
			durationFlag("retry-first", time.Second, "pause before the first of them; it doubles each time"),
			durationFlag("retry-most", 2*time.Minute, "the longest pause"),
			durationFlag("reconcile", 5*time.Minute, "look at everything again this often"),
			durationFlag("grace", 20*time.Second, "let handlers go on for this long when the agent is to end"),
			durationFlag("session-ttl", 10*time.Second, "another agent may take over after this time without a sign of life"),
			stringFlag("state-dir", "", "keep what is known of services, and of this machine's agents, in `DIR` (default: /var/lib/ovscfgfs, or $XDG_STATE_HOME/ovscfgfs for users)"),
			stringFlag("log-file", "", "append the log to `FILE` instead of writing it to standard error"),
			stringFlag("log-level", "info", "debug, info, warn or error"),
			stringFlag("log-format", "text", "text or json"),
		),
		OnUsageError: usageError,
		Action: func(c *cli.Context) error {
			if err := arguments(c, 0, 0, ""); err != nil {
				return err
			}
			serves, volumes := c.String("service") != "", c.String("vpool") != "" && c.String("vrouter") != ""
			if serves == volumes || serves && c.String("vpool")+c.String("vrouter") != "" {
				return failf(exitUsage, "an agent serves either the volumes of a vrouter (--vpool P --vrouter R) or a service (--service DIR)")
			}
			ctx, stop := signal.NotifyContext(c.Context, syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			if serves {
				return serviceAgent(ctx, c)
			}
			return volumeAgent(ctx, c)
		},
	}
}

func volumeAgent(ctx context.Context, c *cli.Context) error {
	return withAgent(c, func(common agent.Common) error {
		return agent.Volumes(ctx, agent.VolumeOptions{
			Common: common, VPool: c.String("vpool"), VRouter: c.String("vrouter"), Concurrency: c.Int("concurrency"),
		})
	})
}

func serviceAgent(ctx context.Context, c *cli.Context) error {
	var dir string
	err := withStore(c, c.String("service"), func(_ context.Context, s *store) error {
		dir = s.path
		return nil
	})
	if err != nil {
		return err
	}
	at, ok := service.At(dir)
	if !ok {
		return failf(exitUsage, "--service %s is not the directory of a service (docs/agents.md lists those)", c.String("service"))
	}
	known, err := catalogue.Load()
	if err != nil {
		return err
	}
	return withAgent(c, func(common agent.Common) error {
		return agent.Service(ctx, agent.ServiceOptions{Common: common, Service: at, Catalogue: known})
	})
}

// withAgent runs do with what the flags of both kinds of agents say.
func withAgent(c *cli.Context, do func(agent.Common) error) error {
	handler := c.String("handler")
	if handler == "" {
		return failf(exitUsage, "--handler PROG is missing: the program that does the work (docs/agents.md)")
	}
	path, err := exec.LookPath(handler)
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		return failf(exitInput, "--handler %s cannot be run: %w", handler, err)
	}
	for _, name := range []string{"timeout", "retry-first", "retry-most", "reconcile", "grace", "session-ttl"} {
		if c.Duration(name) <= 0 {
			return failf(exitUsage, "--%s %v must be more than nothing, such as 10s", name, c.Duration(name))
		}
	}
	for _, name := range []string{"concurrency", "retries"} {
		if c.Int(name) < 1 {
			return failf(exitUsage, "--%s %d must be 1 or more", name, c.Int(name))
		}
	}
	prefix, err := prefixFlag(c)
	if err != nil {
		return err
	}
	state, err := stateDir(c.String("state-dir"))
	if err != nil {
		return err
	}
	logFile, err := openLog(c)
	if err != nil {
		return err
	}
	out := os.Stderr
	if logFile != nil {
		defer func() { _ = logFile.Close() }()
		out = logFile
	}
	logger, err := newLogger(c, out)
	if err != nil {
		return err
	}
	return withClient(c, func(client *clientv3.Client) error {
		return do(agent.Common{
			Client: client, Prefix: prefix, Handler: &program.Program{Path: path, Logger: logger}, Logger: logger,
			Timeout: c.Duration("timeout"), Retries: c.Int("retries"), RetryFirst: c.Duration("retry-first"), RetryMost: c.Duration("retry-most"),
			Reconcile: c.Duration("reconcile"), Grace: c.Duration("grace"), TTL: c.Duration("session-ttl"),
			StateDir: filepath.Join(state, "agents"),
		})
	})
}
