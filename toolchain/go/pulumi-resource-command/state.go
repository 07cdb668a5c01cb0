package main

import (
	"maps"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// stateOf is the inputs with the outputs beside them. What comes out of a command that was given a secret is one, too:
// be it an input or what the command printed before.
func stateOf(inputs, previous, outputs resource.PropertyMap) resource.PropertyMap {
	secret := inputs.ContainsSecrets() || keptOutputs(previous).ContainsSecrets()
	state := maps.Clone(inputs)
	for key, value := range outputs {
		if secret {
			value = resource.MakeSecret(plain(value))
		}
		state[key] = value
	}
	return state
}

// previewState is what is known before a command runs: its inputs.
func previewState(inputs, previous resource.PropertyMap) resource.PropertyMap {
	unknown := resource.MakeComputed(resource.NewStringProperty(""))
	outputs := resource.PropertyMap{"stdout": unknown, "stderr": unknown}
	if _, asked := inputs["assetPaths"]; asked {
		outputs["assets"] = unknown
	}
	if _, asked := inputs["archivePaths"]; asked {
		outputs["archive"] = unknown
	}
	return stateOf(inputs, previous, outputs)
}

// keptOutputs is what the last run left, for where there is nothing to run now.
func keptOutputs(previous resource.PropertyMap) resource.PropertyMap {
	kept := resource.PropertyMap{
		"stdout": resource.NewStringProperty(""), "stderr": resource.NewStringProperty(""),
	}
	for _, key := range []resource.PropertyKey{"stdout", "stderr", "assets", "archive"} {
		if value, known := previous[key]; known {
			kept[key] = value
		}
	}
	return kept
}
