package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
)

// shortestSecret keeps the likes of "1" from blotting out half of every log line.
const shortestSecret = 3

// kind says what a property has to be, or "" if the value is that.
type kind func(resource.PropertyValue) string

// fields are the properties that a resource or function takes.
type fields map[resource.PropertyKey]kind

var (
	sharedFields = fields{
		"interpreter":            isStrings,
		"dir":                    isString,
		"environment":            isStringMap,
		"stdin":                  isString,
		"logging":                isLogging,
		"addPreviousOutputInEnv": isBool,
		"assetPaths":             isStrings,
		"archivePaths":           isStrings,
	}
	commandFields = with(sharedFields, fields{
		"create": isString, "update": isString, "delete": isString, "triggers": isList,
	})
	runFields = with(sharedFields, fields{"command": isString})
)

func with(base, more fields) fields {
	all := maps.Clone(base)
	maps.Copy(all, more)
	return all
}

// check names every property that is unknown or of the wrong kind. A value still unknown passes: it comes again, known.
func (f fields) check(inputs resource.PropertyMap) []plugin.CheckFailure {
	var failures []plugin.CheckFailure
	for _, key := range slices.Sorted(maps.Keys(inputs)) {
		reason := "is not a property of this resource"
		if isKind, known := f[key]; known {
			reason = ""
			if value := plain(inputs[key]); !value.IsNull() && !value.ContainsUnknowns() {
				reason = isKind(value)
			}
		}
		if reason != "" {
			failures = append(failures, plugin.CheckFailure{Property: key, Reason: fmt.Sprintf("%q %s", key, reason)})
		}
	}
	return failures
}

func isString(v resource.PropertyValue) string {
	return complain(v.IsString(), "must be a string")
}

func isBool(v resource.PropertyValue) string {
	return complain(v.IsBool(), "must be true or false")
}

func isList(v resource.PropertyValue) string {
	return complain(v.IsArray(), "must be a list")
}

func isStrings(v resource.PropertyValue) string {
	allStrings := v.IsArray() && !slices.ContainsFunc(v.ArrayValue(), isNoString)
	return complain(allStrings, "must be a list of strings")
}

func isStringMap(v resource.PropertyValue) string {
	allStrings := v.IsObject() && !slices.ContainsFunc(slices.Collect(maps.Values(v.ObjectValue())), isNoString)
	return complain(allStrings, "must map names to strings")
}

func isLogging(v resource.PropertyValue) string {
	known := v.IsString() && slices.Contains(loggings, logging(v.StringValue()))
	return complain(known, fmt.Sprintf("must be one of %q", loggings))
}

func isNoString(v resource.PropertyValue) bool {
	return !v.IsString()
}

func complain(ok bool, reason string) string {
	if ok {
		return ""
	}
	return reason
}

// plain strips the secret marks from a value and everything in it.
func plain(v resource.PropertyValue) resource.PropertyValue {
	switch {
	case v.IsSecret():
		return plain(v.SecretValue().Element)
	case v.IsArray():
		elements := make([]resource.PropertyValue, len(v.ArrayValue()))
		for i, element := range v.ArrayValue() {
			elements[i] = plain(element)
		}
		return resource.NewArrayProperty(elements)
	case v.IsObject():
		return resource.NewObjectProperty(plainMap(v.ObjectValue()))
	default:
		return v
	}
}

func plainMap(properties resource.PropertyMap) resource.PropertyMap {
	stripped := make(resource.PropertyMap, len(properties))
	for key, value := range properties {
		stripped[key] = plain(value)
	}
	return stripped
}

// secretLines lists the lines of every string under a secret mark, so that they can be kept out of logs and errors.
func secretLines(v resource.PropertyValue, secret bool) []string {
	var found []string
	switch {
	case v.IsSecret():
		return secretLines(v.SecretValue().Element, true)
	case v.IsArray():
		for _, element := range v.ArrayValue() {
			found = append(found, secretLines(element, secret)...)
		}
	case v.IsObject():
		for _, element := range v.ObjectValue() {
			found = append(found, secretLines(element, secret)...)
		}
	case secret && v.IsString():
		for line := range strings.Lines(v.StringValue()) {
			if line = strings.TrimSpace(line); len(line) >= shortestSecret {
				found = append(found, line)
			}
		}
	}
	return found
}
