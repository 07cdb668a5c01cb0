// Pulumi resource plugin "command": a stand-in for the published plugin, for machines that cannot download it.
//
// It speaks Pulumi's provider protocol and serves command:local:Command and command:local:run with the semantics
// their SDK documents. It leaves out everything remote (command:remote:*).
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
)

// version is set by the build: the version of the plugin that this one stands in for.
var version = "0.0.0"

const (
	parentCheckInterval = time.Second
	standInNotice       = "stand-in for Pulumi's command plugin: command:local:Command and command:local:run only"
)

func main() {
	// The engine passes it whenever tracing is on; nothing is traced here.
	flag.String("tracing", "", "ignored")
	flag.Usage = func() {
		fmt.Fprintf(os.Stderr, "%s %s\nStarted by the Pulumi engine with its own address.\n", standInNotice, version)
	}
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := serve(flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(engineAddress string) error {
	parsedVersion, err := semver.Parse(version)
	if err != nil {
		return fmt.Errorf("version %q of the build: %w", version, err)
	}
	engine, err := connectEngine(engineAddress)
	if err != nil {
		return err
	}
	stopped, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	go stopWithParent(stopped, stop)

	provider := newProvider(parsedVersion, engine, stopped)
	quit := make(chan bool)
	handle, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Cancel: quit,
		Init: func(server *grpc.Server) error {
			pulumirpc.RegisterResourceProviderServer(server, plugin.NewProviderServer(provider))
			return nil
		},
	})
	if err != nil {
		return err
	}
	// The engine reads the port from the first line.
	fmt.Println(handle.Port)
	go func() {
		<-stopped.Done()
		provider.wait()
		close(quit)
	}()
	return <-handle.Done
}

// stopWithParent ends the plugin once the engine is gone: commands run in process groups of their own, so nobody else
// would stop them.
func stopWithParent(stopped context.Context, stop func()) {
	parent := os.Getppid()
	ticker := time.NewTicker(parentCheckInterval)
	defer ticker.Stop()
	for os.Getppid() == parent {
		select {
		case <-ticker.C:
		case <-stopped.Done():
			return
		}
	}
	stop()
}
