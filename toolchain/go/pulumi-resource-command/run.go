package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// A cancelled command gets this long to end by itself.
	killGrace = 5 * time.Second
	// An error carries the end of the output, not all of it.
	transcriptTailBytes = 16 << 10
)

// output is what a command printed.
type output struct {
	stdout, stderr string
}

// run executes the step's command in a process group of its own and waits for it. Cancelling ctx ends the whole group.
func (s step) run(ctx context.Context, show func(line string)) (output, error) {
	arguments := append(s.interpreter[1:len(s.interpreter):len(s.interpreter)], s.command)
	cmd := exec.CommandContext(ctx, s.interpreter[0], arguments...)
	cmd.Dir = s.dir
	cmd.Env = s.environ()
	cmd.Stdin = strings.NewReader(s.stdin)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }

	transcript := &transcript{clean: s.redact, show: show}
	stdout := &stream{transcript: transcript, shown: s.shows(logStdout)}
	stderr := &stream{transcript: transcript, shown: s.shows(logStderr)}
	cmd.Stdout, cmd.Stderr = stdout, stderr

	err := wait(ctx, cmd)
	stdout.finish()
	stderr.finish()
	if err != nil {
		return output{}, s.failure(ctx, err, string(transcript.tail))
	}
	return output{stdout.text(), stderr.text()}, nil
}

func (s step) environ() []string {
	environ := os.Environ()
	for name, value := range s.environment {
		environ = append(environ, name+"="+value)
	}
	if s.previous.stdout != "" {
		environ = append(environ, "PULUMI_COMMAND_STDOUT="+s.previous.stdout)
	}
	if s.previous.stderr != "" {
		environ = append(environ, "PULUMI_COMMAND_STDERR="+s.previous.stderr)
	}
	return environ
}

// failure names the command and shows of its output what may be shown: nothing where logging is off.
func (s step) failure(ctx context.Context, err error, shown string) error {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	if s.logging == logNone {
		shown = "(output withheld: logging is none)"
	}
	return errors.New(s.redact(fmt.Sprintf("%v: running %q:\n%s", err, s.command, shown)))
}

// wait starts the command and waits for it; of a cancelled one nothing is left when it returns.
func wait(ctx context.Context, cmd *exec.Cmd) error {
	if err := cmd.Start(); err != nil {
		return err
	}
	killGroup := func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	done := make(chan struct{})
	defer close(done)
	go func() {
		select {
		case <-ctx.Done():
		case <-done:
			return
		}
		select {
		case <-time.After(killGrace):
			killGroup()
		case <-done:
		}
	}()
	err := cmd.Wait()
	if ctx.Err() != nil {
		killGroup()
	}
	return err
}

// transcript is what may be shown of both streams, line by line in the order of its coming. Lines are cleaned of secrets
// before anything is cut off: the rest of a secret would not be known for one.
type transcript struct {
	mutex sync.Mutex
	clean func(text string) string
	show  func(line string)
	tail  []byte
}

func (t *transcript) add(line []byte) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	cleaned := t.clean(string(line))
	t.show(cleaned)
	t.tail = append(append(t.tail, cleaned...), '\n')
	if surplus := len(t.tail) - transcriptTailBytes; surplus > 0 {
		t.tail = t.tail[surplus:]
	}
}

// stream captures one stream whole and hands its lines to the transcript as they end.
type stream struct {
	transcript *transcript
	shown      bool
	captured   bytes.Buffer
	pending    []byte
}

func (s *stream) Write(chunk []byte) (int, error) {
	s.captured.Write(chunk)
	if !s.shown {
		return len(chunk), nil
	}
	s.pending = append(s.pending, chunk...)
	for {
		line, rest, found := bytes.Cut(s.pending, []byte("\n"))
		if !found {
			return len(chunk), nil
		}
		s.transcript.add(line)
		s.pending = rest
	}
}

func (s *stream) finish() {
	if len(s.pending) > 0 {
		s.transcript.add(s.pending)
	}
}

func (s *stream) text() string {
	return strings.TrimSuffix(s.captured.String(), "\n")
}
