package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
)

const (
	commandToken = "command:local:Command"
	runToken     = "command:local:run"
)

var errCancelled = errors.New("cancelled")

// provider answers the engine's requests. What it is asked about are checked properties; what it keeps is nothing.
type provider struct {
	plugin.UnimplementedProvider

	version semver.Version
	log     logger
	stopped context.Context
	stop    context.CancelCauseFunc
	running sync.WaitGroup
}

func newProvider(version semver.Version, log logger, parent context.Context) *provider {
	stopped, stop := context.WithCancelCause(parent)
	return &provider{version: version, log: log, stopped: stopped, stop: stop}
}

// wait returns when no command runs any more.
func (p *provider) wait() {
	p.running.Wait()
}

func (p *provider) Handshake(
	context.Context, plugin.ProviderHandshakeRequest,
) (*plugin.ProviderHandshakeResponse, error) {
	return &plugin.ProviderHandshakeResponse{AcceptSecrets: true, AcceptResources: true}, nil
}

func (p *provider) GetPluginInfo(context.Context) (plugin.PluginInfo, error) {
	return plugin.PluginInfo{Version: &p.version}, nil
}

func (p *provider) GetSchema(context.Context, plugin.GetSchemaRequest) (plugin.GetSchemaResponse, error) {
	schema, err := json.Marshal(map[string]string{
		"name": "command", "version": p.version.String(), "description": standInNotice,
	})
	return plugin.GetSchemaResponse{Schema: schema}, err
}

func (p *provider) CheckConfig(_ context.Context, r plugin.CheckConfigRequest) (plugin.CheckConfigResponse, error) {
	return plugin.CheckConfigResponse{Properties: r.News}, nil
}

func (p *provider) DiffConfig(context.Context, plugin.DiffConfigRequest) (plugin.DiffConfigResponse, error) {
	return plugin.DiffResult{Changes: plugin.DiffNone}, nil
}

func (p *provider) Configure(context.Context, plugin.ConfigureRequest) (plugin.ConfigureResponse, error) {
	return plugin.ConfigureResponse{}, nil
}

func (p *provider) SignalCancellation(context.Context) error {
	p.stop(errCancelled)
	return nil
}

func (p *provider) Check(_ context.Context, r plugin.CheckRequest) (plugin.CheckResponse, error) {
	if string(r.Type) != commandToken {
		return plugin.CheckResponse{}, unknownToken(string(r.Type))
	}
	return plugin.CheckResponse{Properties: r.News, Failures: commandFields.check(r.News)}, nil
}

// Diff replaces the resource on a changed trigger and updates it on any other change.
func (p *provider) Diff(_ context.Context, r plugin.DiffRequest) (plugin.DiffResult, error) {
	difference := plainMap(r.OldInputs).Diff(plainMap(r.NewInputs))
	if difference == nil {
		return plugin.DiffResult{Changes: plugin.DiffNone}, nil
	}
	result := plugin.DiffResult{Changes: plugin.DiffSome, ChangedKeys: difference.ChangedKeys()}
	if difference.Changed("triggers") {
		result.ReplaceKeys = []resource.PropertyKey{"triggers"}
	}
	return result, nil
}

func (p *provider) Create(ctx context.Context, r plugin.CreateRequest) (plugin.CreateResponse, error) {
	id, err := resource.NewUniqueHex(r.Name, 8, 0)
	if err != nil {
		return plugin.CreateResponse{}, err
	}
	if r.Preview {
		return plugin.CreateResponse{ID: resource.ID(id), Properties: previewState(r.Properties, nil)}, nil
	}
	state, err := p.execute(ctx, r.URN, r.Timeout, r.Properties, nil, "create")
	return plugin.CreateResponse{ID: resource.ID(id), Properties: state}, err
}

func (p *provider) Update(ctx context.Context, r plugin.UpdateRequest) (plugin.UpdateResponse, error) {
	if r.Preview {
		return plugin.UpdateResponse{Properties: previewState(r.NewInputs, r.OldOutputs)}, nil
	}
	state, err := p.execute(ctx, r.URN, r.Timeout, r.NewInputs, r.OldOutputs, "update", "create")
	return plugin.UpdateResponse{Properties: state}, err
}

func (p *provider) Delete(ctx context.Context, r plugin.DeleteRequest) (plugin.DeleteResponse, error) {
	_, err := p.execute(ctx, r.URN, r.Timeout, r.Inputs, r.Outputs, "delete")
	return plugin.DeleteResponse{}, err
}

// Read confirms what is known: a command leaves nothing behind that could be looked at.
func (p *provider) Read(_ context.Context, r plugin.ReadRequest) (plugin.ReadResponse, error) {
	if len(r.State) == 0 {
		return plugin.ReadResponse{}, fmt.Errorf("%s cannot be imported: it stands for a command, not for a thing", r.Type)
	}
	return plugin.ReadResponse{ReadResult: plugin.ReadResult{ID: r.ID, Inputs: r.Inputs, Outputs: r.State}}, nil
}

// Invoke runs a command each time, in previews as well.
func (p *provider) Invoke(ctx context.Context, r plugin.InvokeRequest) (plugin.InvokeResponse, error) {
	if string(r.Tok) != runToken {
		return plugin.InvokeResponse{}, unknownToken(string(r.Tok))
	}
	failures := runFields.check(r.Args)
	if !plain(r.Args["command"]).IsString() {
		failures = append(failures, plugin.CheckFailure{Property: "command", Reason: `"command" is required`})
	}
	if len(failures) > 0 {
		return plugin.InvokeResponse{Failures: failures}, nil
	}
	state, err := p.execute(ctx, "", 0, r.Args, nil, "command")
	return plugin.InvokeResponse{Properties: state}, err
}

// execute runs the first of the named commands that the inputs hold, if any, and returns the state after it.
func (p *provider) execute(
	ctx context.Context, urn resource.URN, timeoutSeconds float64,
	inputs, previous resource.PropertyMap, operations ...resource.PropertyKey,
) (resource.PropertyMap, error) {
	command := firstCommand(inputs, operations)
	if command == "" {
		return stateOf(inputs, previous, keptOutputs(previous)), nil
	}
	ctx, end := p.limited(ctx, timeoutSeconds)
	defer end()
	step := newStep(command, inputs, previous)
	printed, err := step.run(ctx, func(line string) { p.log(ctx, urn, line) })
	if err != nil {
		return nil, err
	}
	outputs, err := step.files()
	if err != nil {
		return nil, err
	}
	outputs["stdout"] = resource.NewStringProperty(printed.stdout)
	outputs["stderr"] = resource.NewStringProperty(printed.stderr)
	return stateOf(inputs, previous, outputs), nil
}

// limited ends with the request, with the whole plugin, and after the resource's custom timeout, whichever is first.
func (p *provider) limited(ctx context.Context, timeoutSeconds float64) (context.Context, func()) {
	p.running.Add(1)
	ctx, cancel := context.WithCancelCause(ctx)
	release := context.AfterFunc(p.stopped, func() { cancel(errCancelled) })
	stopTimer := func() {}
	if timeoutSeconds > 0 {
		limit := time.Duration(timeoutSeconds * float64(time.Second))
		ctx, stopTimer = context.WithTimeoutCause(ctx, limit, fmt.Errorf("timed out after %s", limit))
	}
	return ctx, func() {
		stopTimer()
		release()
		cancel(nil)
		p.running.Done()
	}
}

func firstCommand(inputs resource.PropertyMap, operations []resource.PropertyKey) string {
	for _, operation := range operations {
		if command := stringOf(plain(inputs[operation])); command != "" {
			return command
		}
	}
	return ""
}

func unknownToken(token string) error {
	return fmt.Errorf("%q is not served here: this is a %s", token, standInNotice)
}
