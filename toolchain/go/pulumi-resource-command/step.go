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
	addPrevious      bool
	assets, archives []string
	secrets          []string
}

// newStep reads everything but the command itself, which differs by operation.
func newStep(command string, properties resource.PropertyMap) step {
	p := plainMap(properties)
	s := step{
		command:     command,
		interpreter: stringsOf(p["interpreter"]),
		dir:         stringOf(p["dir"]),
		environment: map[string]string{},
		stdin:       stringOf(p["stdin"]),
		logging:     logging(stringOf(p["logging"])),
		addPrevious: !p["addPreviousOutputInEnv"].IsBool() || p["addPreviousOutputInEnv"].BoolValue(),
		assets:      stringsOf(p["assetPaths"]),
		archives:    stringsOf(p["archivePaths"]),
		secrets:     secretLines(resource.NewObjectProperty(properties), false),
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
