package main

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
)

// lines keeps what was logged.
type lines struct {
	mutex sync.Mutex
	all   []string
}

func (l *lines) log(_ context.Context, _ resource.URN, line string) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.all = append(l.all, line)
}

func (l *lines) text() string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return strings.Join(l.all, "\n")
}

func start(t *testing.T) (*provider, *lines) {
	t.Helper()
	logged := &lines{}
	return newProvider(semver.MustParse("1.2.1"), logged.log, t.Context()), logged
}

func properties(from map[string]any) resource.PropertyMap {
	return resource.NewPropertyMapFromMap(from)
}

func secret(text string) resource.PropertyValue {
	return resource.MakeSecret(resource.NewStringProperty(text))
}

func create(t *testing.T, inputs resource.PropertyMap) resource.PropertyMap {
	t.Helper()
	p, _ := start(t)
	response, err := p.Create(t.Context(), plugin.CreateRequest{Name: "it", Properties: inputs})
	if err != nil {
		t.Fatal(err)
	}
	return response.Properties
}

func expect(t *testing.T, state resource.PropertyMap, key resource.PropertyKey, want string) {
	t.Helper()
	if got := state[key]; !got.IsString() || got.StringValue() != want {
		t.Errorf("%s: want %q, got %v", key, want, got)
	}
}

func TestCreateRunsTheCommandWithItsEnvironmentFolderAndStdin(t *testing.T) {
	folder := t.TempDir()
	state := create(t, properties(map[string]any{
		"create":      `cat; echo "$GREETING from $(pwd)"; echo aside >&2`,
		"dir":         folder,
		"stdin":       "in,",
		"environment": map[string]any{"GREETING": "hello"},
	}))
	expect(t, state, "stdout", "in,hello from "+folder)
	expect(t, state, "stderr", "aside")
	expect(t, state, "dir", folder)
}

func TestOnlyTheLastNewlineIsTrimmed(t *testing.T) {
	expect(t, create(t, properties(map[string]any{"create": `printf 'a\n\n'`})), "stdout", "a\n")
}

func TestAnInterpreterTakesTheCommandAsItsLastArgument(t *testing.T) {
	state := create(t, properties(map[string]any{"create": "a b", "interpreter": []any{"printf", "<%s>"}}))
	expect(t, state, "stdout", "<a b>")
}

func TestACreationWithoutACommandOnlyKeepsItsInputs(t *testing.T) {
	state := create(t, properties(map[string]any{"delete": "false"}))
	expect(t, state, "stdout", "")
	expect(t, state, "delete", "false")
}

func TestAPreviewRunsNothingAndKnowsNoOutput(t *testing.T) {
	p, _ := start(t)
	file := filepath.Join(t.TempDir(), "ran")
	inputs := properties(map[string]any{"create": "touch " + file, "assetPaths": []any{"*"}})
	created, err := p.Create(t.Context(), plugin.CreateRequest{Name: "it", Properties: inputs, Preview: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []resource.PropertyKey{"stdout", "stderr", "assets"} {
		if !created.Properties[key].IsComputed() {
			t.Errorf("%s must be unknown in a preview, is %v", key, created.Properties[key])
		}
	}
	if _, err := p.Update(t.Context(), plugin.UpdateRequest{NewInputs: inputs, Preview: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("a preview ran the command")
	}
}

func TestAnUpdateSeesWhatTheCommandPrintedBefore(t *testing.T) {
	p, _ := start(t)
	inputs := properties(map[string]any{"create": "false", "update": `echo "$PULUMI_COMMAND_STDOUT/$PULUMI_COMMAND_STDERR"`})
	old := properties(map[string]any{"stdout": "out", "stderr": "err"})
	updated, err := p.Update(t.Context(), plugin.UpdateRequest{NewInputs: inputs, OldOutputs: old})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, updated.Properties, "stdout", "out/err")

	inputs["addPreviousOutputInEnv"] = resource.NewBoolProperty(false)
	updated, err = p.Update(t.Context(), plugin.UpdateRequest{NewInputs: inputs, OldOutputs: old})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, updated.Properties, "stdout", "/")
}

func TestAnUpdateWithoutACommandOfItsOwnRunsCreateAgain(t *testing.T) {
	p, _ := start(t)
	updated, err := p.Update(t.Context(), plugin.UpdateRequest{NewInputs: properties(map[string]any{"create": "echo again"})})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, updated.Properties, "stdout", "again")
}

func TestDeleteRunsItsCommandAndReportsItsFailure(t *testing.T) {
	p, _ := start(t)
	file := filepath.Join(t.TempDir(), "gone")
	request := plugin.DeleteRequest{
		Inputs:  properties(map[string]any{"delete": `echo "$PULUMI_COMMAND_STDOUT" > ` + file}),
		Outputs: properties(map[string]any{"stdout": "was here"}),
	}
	if _, err := p.Delete(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(file); string(got) != "was here\n" {
		t.Errorf("the delete command saw %q", got)
	}
	request.Inputs = properties(map[string]any{"delete": "exit 3"})
	if _, err := p.Delete(t.Context(), request); err == nil || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("a failing delete command must fail the deletion, got %v", err)
	}
}

func TestAFailureShowsTheOutputThatLoggingAllows(t *testing.T) {
	for setting, want := range map[string]struct{ shown, hidden string }{
		"stdoutAndStderr": {shown: "to-stderr", hidden: "withheld"},
		"stdout":          {shown: "to-stdout", hidden: "to-stderr\n"},
		"stderr":          {shown: "to-stderr", hidden: "to-stdout\n"},
		"none":            {shown: "withheld", hidden: "to-stdout\n"},
	} {
		p, logged := start(t)
		inputs := properties(map[string]any{"create": "echo to-stdout; echo to-stderr >&2; exit 7", "logging": setting})
		_, err := p.Create(t.Context(), plugin.CreateRequest{Name: "it", Properties: inputs})
		if err == nil {
			t.Fatalf("%s: the command failed, the creation did not", setting)
		}
		if text := err.Error() + "\n"; !strings.Contains(text, want.shown) || strings.Contains(text, want.hidden) {
			t.Errorf("%s: the error must show %q and not %q: %s", setting, want.shown, want.hidden, text)
		}
		if text := logged.text() + "\n"; strings.Contains(text, want.hidden) {
			t.Errorf("%s: %q must not be logged: %s", setting, want.hidden, text)
		}
	}
}

func TestASecretInputMakesEveryOutputSecretAndStaysOutOfLogsAndErrors(t *testing.T) {
	inputs := properties(map[string]any{"create": `echo "$TOKEN"; cat >&2`})
	inputs["environment"] = resource.NewObjectProperty(resource.PropertyMap{"TOKEN": secret("hush-hush")})
	inputs["stdin"] = secret("first-line\nsecond-line\n")
	p, logged := start(t)
	created, err := p.Create(t.Context(), plugin.CreateRequest{Name: "it", Properties: inputs})
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[resource.PropertyKey]string{"stdout": "hush-hush", "stderr": "first-line\nsecond-line"} {
		value := created.Properties[key]
		if !value.IsSecret() || value.SecretValue().Element.StringValue() != want {
			t.Errorf("%s: want the secret %q, got %v", key, want, value)
		}
	}
	if !created.Properties["stdin"].IsSecret() {
		t.Error("an input that came as a secret must stay one")
	}

	inputs["create"] = resource.NewStringProperty(`echo "$TOKEN"; cat; exit 1`)
	_, err = p.Create(t.Context(), plugin.CreateRequest{Name: "it", Properties: inputs})
	for _, text := range []string{logged.text(), err.Error()} {
		for _, hidden := range []string{"hush-hush", "first-line", "second-line"} {
			if strings.Contains(text, hidden) {
				t.Errorf("%q leaked: %s", hidden, text)
			}
		}
	}
	if !strings.Contains(logged.text(), "[secret]") {
		t.Error("nothing was logged at all: the leak check above would prove nothing")
	}
}

func TestASecretThatIsCutInHalfStaysOutOfTheError(t *testing.T) {
	inputs := properties(map[string]any{"create": `for i in $(seq 4000); do printf '%s' "$TOKEN"; done; exit 1`})
	inputs["environment"] = resource.NewObjectProperty(resource.PropertyMap{"TOKEN": secret("hush-hush")})
	p, _ := start(t)
	_, err := p.Create(t.Context(), plugin.CreateRequest{Name: "it", Properties: inputs})
	if err == nil || strings.Contains(err.Error(), "hush") {
		t.Errorf("want an error without any part of the secret, got %v", err)
	}
	if length := len(err.Error()); length > transcriptTailBytes+500 {
		t.Errorf("an error of %d bytes carries more than the end of the output", length)
	}
}

func TestASecretThatWasPrintedBeforeStaysOneAndOutOfLogs(t *testing.T) {
	p, logged := start(t)
	old := resource.PropertyMap{"stdout": secret("printed-before"), "stderr": resource.NewStringProperty("")}
	for name, inputs := range map[string]map[string]any{
		"printed again": {"update": `echo "<$PULUMI_COMMAND_STDOUT>"`},
		"only kept":     {"delete": "true"},
	} {
		updated, err := p.Update(t.Context(), plugin.UpdateRequest{NewInputs: properties(inputs), OldOutputs: old})
		if err != nil {
			t.Fatal(err)
		}
		if value := updated.Properties["stdout"]; !value.IsSecret() {
			t.Errorf("%s: want a secret, got %v", name, value)
		}
	}
	if text := logged.text(); text != "<[secret]>" {
		t.Errorf("want the secret replaced, got %q", text)
	}
}

func TestChangedTriggersReplaceAndOtherChangesUpdate(t *testing.T) {
	p, _ := start(t)
	old := properties(map[string]any{"create": "a", "triggers": []any{"1"}})
	for name, check := range map[string]struct {
		inputs   map[string]any
		changes  plugin.DiffChanges
		replaces int
	}{
		"nothing":       {map[string]any{"create": "a", "triggers": []any{"1"}}, plugin.DiffNone, 0},
		"the command":   {map[string]any{"create": "b", "triggers": []any{"1"}}, plugin.DiffSome, 0},
		"a trigger":     {map[string]any{"create": "a", "triggers": []any{"2"}}, plugin.DiffSome, 1},
		"a new trigger": {map[string]any{"create": "a", "triggers": []any{"1", "2"}}, plugin.DiffSome, 1},
	} {
		diff, err := p.Diff(t.Context(), plugin.DiffRequest{OldInputs: old, NewInputs: properties(check.inputs)})
		if err != nil {
			t.Fatal(err)
		}
		if diff.Changes != check.changes || len(diff.ReplaceKeys) != check.replaces {
			t.Errorf("%s changed: want %v with %d replacing, got %+v", name, check.changes, check.replaces, diff)
		}
	}
}

func TestAnInputStillUnknownIsAChange(t *testing.T) {
	p, _ := start(t)
	unknown := resource.PropertyMap{"create": resource.MakeComputed(resource.NewStringProperty(""))}
	diff, err := p.Diff(t.Context(), plugin.DiffRequest{OldInputs: properties(map[string]any{"create": "a"}), NewInputs: unknown})
	if err != nil || diff.Changes != plugin.DiffSome {
		t.Errorf("want a change, got %+v, %v", diff, err)
	}
}

func TestWrongInputsAreRefusedByName(t *testing.T) {
	p, _ := start(t)
	inputs := properties(map[string]any{
		"craete": "true", "environment": map[string]any{"PORT": 80.0}, "interpreter": "sh", "logging": "loud",
	})
	inputs["stdin"] = resource.MakeComputed(resource.NewStringProperty(""))
	response, err := p.Check(t.Context(), plugin.CheckRequest{Type: commandToken, News: inputs})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, failure := range response.Failures {
		names = append(names, string(failure.Property))
	}
	if got, want := strings.Join(names, " "), "craete environment interpreter logging"; got != want {
		t.Errorf("want failures of %q, got %q", want, got)
	}
}

func TestOtherTypesAreRefused(t *testing.T) {
	p, _ := start(t)
	if _, err := p.Check(t.Context(), plugin.CheckRequest{Type: "command:remote:Command"}); err == nil {
		t.Error("a remote command must be refused, not ignored")
	}
	if _, err := p.Invoke(t.Context(), plugin.InvokeRequest{Tok: "command:remote:run"}); err == nil {
		t.Error("an unknown function must be refused")
	}
}

func TestRunReturnsTheOutputAndNeedsACommand(t *testing.T) {
	p, _ := start(t)
	response, err := p.Invoke(t.Context(), plugin.InvokeRequest{Tok: runToken, Args: properties(map[string]any{"command": "echo hi"})})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, response.Properties, "stdout", "hi")
	response, err = p.Invoke(t.Context(), plugin.InvokeRequest{Tok: runToken, Args: resource.PropertyMap{}})
	if err != nil || len(response.Failures) != 1 {
		t.Errorf("want one failure, got %+v, %v", response.Failures, err)
	}
}

func TestReadKeepsTheStateAndRefusesImports(t *testing.T) {
	p, _ := start(t)
	state := properties(map[string]any{"stdout": "kept"})
	read, err := p.Read(t.Context(), plugin.ReadRequest{ID: "it", State: state})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, read.Outputs, "stdout", "kept")
	if _, err := p.Read(t.Context(), plugin.ReadRequest{ID: "it"}); err == nil {
		t.Error("there is nothing to import")
	}
}

func TestFilesAreCollectedByTheLastRuleThatMatches(t *testing.T) {
	folder := t.TempDir()
	state := create(t, properties(map[string]any{
		"create":       "mkdir -p src/deep && touch src/index.js src/secret.js src/deep/more.js other.txt",
		"dir":          folder,
		"assetPaths":   []any{"src/**.js", "!**secret.*"},
		"archivePaths": []any{"*.txt"},
	}))
	assets := state["assets"].ObjectValue()
	if len(assets) != 2 || !assets["src/index.js"].IsAsset() || !assets["src/deep/more.js"].IsAsset() {
		t.Errorf("want the two scripts that are no secret, got %v", assets)
	}
	entries, ok := state["archive"].ArchiveValue().GetAssets()
	if !ok || len(entries) != 1 || entries["other.txt"] == nil {
		t.Errorf("want other.txt in the archive, got %v", entries)
	}
}

// spawn starts a command with a child of its own and returns that grandchild's process id once it runs.
func spawn(t *testing.T, p *provider, timeoutSeconds float64) (grandchild int, failed chan error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "pid")
	inputs := properties(map[string]any{"create": "sleep 60 & echo $! > " + file + ".new; mv " + file + ".new " + file + "; wait"})
	failed = make(chan error, 1)
	go func() {
		_, err := p.Create(context.Background(), plugin.CreateRequest{Name: "it", Properties: inputs, Timeout: timeoutSeconds})
		failed <- err
	}()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if text, err := os.ReadFile(file); err == nil {
			pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
			if err != nil {
				t.Fatal(err)
			}
			return pid, failed
		}
	}
	t.Fatal("the command did not start")
	return 0, nil
}

func expectGone(t *testing.T, pid int) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
	}
	t.Errorf("process %d outlived its cancelled command", pid)
}

func TestCancellingEndsTheCommandAndWhatItStarted(t *testing.T) {
	p, _ := start(t)
	grandchild, failed := spawn(t, p, 0)
	if err := p.SignalCancellation(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-failed; err == nil || !strings.Contains(err.Error(), "cancelled") {
		t.Errorf("want an error that says cancelled, got %v", err)
	}
	p.wait()
	expectGone(t, grandchild)
}

func TestACustomTimeoutEndsTheCommand(t *testing.T) {
	p, _ := start(t)
	grandchild, failed := spawn(t, p, 0.5)
	if err := <-failed; err == nil || !strings.Contains(err.Error(), "timed out after 500ms") {
		t.Errorf("want an error that names the timeout, got %v", err)
	}
	expectGone(t, grandchild)
}

func TestThePluginSaysItsVersionAndThatItIsAStandIn(t *testing.T) {
	p, _ := start(t)
	info, err := p.GetPluginInfo(t.Context())
	if err != nil || info.Version.String() != "1.2.1" {
		t.Errorf("got %+v, %v", info, err)
	}
	schema, err := p.GetSchema(t.Context(), plugin.GetSchemaRequest{})
	if err != nil || !strings.Contains(string(schema.Schema), "stand-in") {
		t.Errorf("the schema must say stand-in: %s, %v", schema.Schema, err)
	}
}
