package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gobwas/glob"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/archive"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/asset"
)

// rule includes or, with a leading "!", excludes the paths that its pattern matches. The last rule that matches wins.
type rule struct {
	pattern glob.Glob
	exclude bool
}

// files gives the outputs that the step's path rules ask for, read after the command ran.
func (s step) files() (resource.PropertyMap, error) {
	outputs := resource.PropertyMap{}
	if s.assets != nil {
		found, err := collect(s.dir, s.assets)
		if err != nil {
			return nil, err
		}
		assets := resource.PropertyMap{}
		for path, file := range found {
			assets[resource.PropertyKey(path)] = resource.NewAssetProperty(file)
		}
		outputs["assets"] = resource.NewObjectProperty(assets)
	}
	if s.archives != nil {
		found, err := collect(s.dir, s.archives)
		if err != nil {
			return nil, err
		}
		entries := map[string]any{}
		for path, file := range found {
			entries[path] = file
		}
		packed, err := archive.FromAssets(entries)
		if err != nil {
			return nil, err
		}
		outputs["archive"] = resource.NewArchiveProperty(packed)
	}
	return outputs, nil
}

// collect finds the files below dir that the patterns name, by path relative to dir.
func collect(dir string, patterns []string) (map[string]*asset.Asset, error) {
	if dir == "" {
		dir = "."
	}
	rules, err := parseRules(patterns)
	if err != nil {
		return nil, err
	}
	found := map[string]*asset.Asset{}
	err = fs.WalkDir(os.DirFS(dir), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !included(rules, path) {
			return err
		}
		absolute, err := filepath.Abs(filepath.Join(dir, path))
		if err != nil {
			return err
		}
		found[path], err = asset.FromPath(absolute)
		return err
	})
	return found, err
}

func parseRules(patterns []string) ([]rule, error) {
	rules := make([]rule, len(patterns))
	for i, pattern := range patterns {
		bare, exclude := strings.CutPrefix(pattern, "!")
		compiled, err := glob.Compile(bare, '/')
		if err != nil {
			return nil, fmt.Errorf("path pattern %q: %w", pattern, err)
		}
		rules[i] = rule{pattern: compiled, exclude: exclude}
	}
	return rules, nil
}

func included(rules []rule, path string) bool {
	include := false
	for _, r := range rules {
		if r.pattern.Match(path) {
			include = !r.exclude
		}
	}
	return include
}
