package main

import (
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// logging is which streams of a command are shown while it runs; all of them are captured whatever it says.
type logging string

const (
	logStdout logging = "stdout"
	logStderr logging = "stderr"
	logBoth   logging = "stdoutAndStderr"
	logNone   logging = "none"
)

var loggings = []logging{logStdout, logStderr, logBoth, logNone}

// step is one command to run, read from properties that were checked before.
type step struct {
	command          string
	interpreter      []string
	dir              string
	environment      map[string]string
	stdin            string
	logging          logging
	previous         output
	assets, archives []string
	secrets          []string
}

// newStep reads everything but the command itself, which differs by operation; previous is the state before.
func newStep(command string, inputs, previous resource.PropertyMap) step {
	p, before := plainMap(inputs), plainMap(previous)
	s := step{
		command:     command,
		interpreter: stringsOf(p["interpreter"]),
		dir:         stringOf(p["dir"]),
		environment: map[string]string{},
		stdin:       stringOf(p["stdin"]),
		logging:     logging(stringOf(p["logging"])),
		assets:      stringsOf(p["assetPaths"]),
		archives:    stringsOf(p["archivePaths"]),
		secrets: append(
			secretLines(resource.NewObjectProperty(inputs), false),
			secretLines(resource.NewObjectProperty(previous), false)...),
	}
	if wanted := p["addPreviousOutputInEnv"]; !wanted.IsBool() || wanted.BoolValue() {
		s.previous = output{stdout: stringOf(before["stdout"]), stderr: stringOf(before["stderr"])}
	}
	if len(s.interpreter) == 0 {
		s.interpreter = []string{"/bin/sh", "-c"}
	}
	if s.logging == "" {
		s.logging = logBoth
	}
	if p["environment"].IsObject() {
		for name, value := range p["environment"].ObjectValue() {
			s.environment[string(name)] = stringOf(value)
		}
	}
	return s
}

func (s step) shows(stream logging) bool {
	return s.logging == logBoth || s.logging == stream
}

// redact takes the step's secrets out of a text; the longest first, as one may contain another.
func (s step) redact(text string) string {
	longestFirst := slices.SortedFunc(slices.Values(s.secrets), func(a, b string) int { return len(b) - len(a) })
	for _, secret := range longestFirst {
		text = strings.ReplaceAll(text, secret, "[secret]")
	}
	return text
}

func stringOf(v resource.PropertyValue) string {
	if !v.IsString() {
		return ""
	}
	return v.StringValue()
}

func stringsOf(v resource.PropertyValue) []string {
	if !v.IsArray() {
		return nil
	}
	found := make([]string, len(v.ArrayValue()))
	for i, element := range v.ArrayValue() {
		found[i] = stringOf(element)
	}
	return found
}
