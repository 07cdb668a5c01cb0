package main

import (
	"context"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// logger takes one line of a command's output as it comes.
type logger func(ctx context.Context, urn resource.URN, line string)

// connectEngine gives a logger that shows each line beside its resource while the command runs.
func connectEngine(address string) (logger, error) {
	connection, err := grpc.NewClient(address,
		grpc.WithTransportCredentials(insecure.NewCredentials()), rpcutil.GrpcChannelOptions())
	if err != nil {
		return nil, fmt.Errorf("engine at %q: %w", address, err)
	}
	client := pulumirpc.NewEngineClient(connection)
	return func(ctx context.Context, urn resource.URN, line string) {
		// A line that cannot be shown is no reason for the command to fail: its output is captured all the same.
		_, _ = client.Log(ctx, &pulumirpc.LogRequest{
			Severity: pulumirpc.LogSeverity_INFO, Message: line, Urn: string(urn), Ephemeral: true,
		})
	}, nil
}
